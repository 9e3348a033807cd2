"""docker-compose.yml as Docker Compose itself reads it: merged, with every variable filled in. No engine is needed."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

MAIN = ROOT / "docker-compose.yml"
GPU = ROOT / "docker-compose.gpu.yml"
TLS = ROOT / "docker-compose.tls.yml"
BEAT = ROOT / "docker-compose.beat.yml"
WEBHOOKS = ROOT / "docker-compose.webhooks.yml"
OWN_IMAGES = ("web", "inference", "training", "maintenance", "migrate")

Service = dict[str, Any]


def tool(name: str) -> str:
    """A program that came with the test dependencies, or skip: some are there for Linux on x86-64 alone."""
    found = shutil.which(name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def missing(name: str) -> bool:
    """Whether a program of Debian's is not installed here."""
    return shutil.which(name, path=os.pathsep.join((os.environ["PATH"], "/usr/sbin"))) is None


def make_env(path: Path) -> Path:
    """The file `.env` with the folder `secrets` next to it, as `make env` makes them."""
    subprocess.run(["sh", str(ROOT / "deploy" / "make-env.sh"), str(path)], check=True, capture_output=True)
    return path


def read(env_file: Path, *files: Path, profiles: tuple[str, ...] = (), **variables: str) -> dict[str, Any]:
    """The whole project."""
    given = [part for file in files or (MAIN,) for part in ("--file", str(file))]
    given += [part for profile in profiles for part in ("--profile", profile)]
    command = [tool("docker-compose"), "--env-file", str(env_file), *given, "config", "--format", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables}
    environment["SECRETS_FOLDER"] = str(env_file.parent / "secrets")
    run = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    project: dict[str, Any] = json.loads(run.stdout)
    return project


@cache
def project(env_file: Path) -> dict[str, Any]:
    """The project of docker-compose.yml alone, read once."""
    return read(env_file)


def seconds(duration: str) -> float:
    """`1m30s` as seconds."""
    total, number = 0.0, ""
    for character in duration:
        if character in "hms":
            total += float(number) * {"h": 3600, "m": 60, "s": 1}[character]
            number = ""
        else:
            number += character
    return total
