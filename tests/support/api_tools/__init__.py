"""Linters of descriptions and generators of clients, installed once into .cache; a test is skipped where that fails."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "api-tools"
PYTHON_GENERATOR = "openapi-python-client==0.29.1"


def npm_tools() -> Path:
    """A folder with package.json's packages in node_modules."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    packages = HERE / "package.json"

    def install(folder: Path) -> None:
        shutil.copy(packages, folder)
        _run("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", cwd=folder)

    return _install("npm", packages.read_bytes(), install)


def python_generator() -> Path:
    """The `bin` of an environment with openapi-python-client, which generated clients run in as well."""

    def install(folder: Path) -> None:
        _run(sys.executable, "-m", "venv", str(folder))
        _run("bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", PYTHON_GENERATOR, cwd=folder)

    return _install("python", PYTHON_GENERATOR.encode(), install) / "bin"


def _install(name: str, content: bytes, install: Callable[[Path], None]) -> Path:
    """The folder of these tools; another process that installs them at the same time does so in a folder of its own."""
    folder = CACHE / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            install(folder)
        except subprocess.CalledProcessError as error:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"{name}: the tools could not be installed: {error.stderr[-300:]}")
    return folder


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
