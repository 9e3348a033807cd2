"""The version of Pawsort that runs, with its commit."""

import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GIT_S = 10.0


def installed_version() -> str:
    """The version of the installed package."""
    try:
        return version("pawsort")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0.0.0"


@cache
def code_version() -> str:
    """The version and, in a checkout, the commit: `0.1.0 (5fce24a1b2c3)`; `-dirty` if files differ from it."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return installed_version()
    command = [git, "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        completed = subprocess.run(command, capture_output=True, text=True, timeout=GIT_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return installed_version()
    return f"{installed_version()} ({completed.stdout.strip()})"
