"""The client without the server: its folder and its three dependencies, as on a computer that only uses a server."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pawsort.cli import COMMANDS
from tests.support.paths import ROOT

CLIENT = ROOT / "client"


def requirements(name: str, known: set[str]) -> set[str]:
    """A distribution and everything that it requires, without extras."""
    if name not in known:
        known.add(name)
        for requirement in map(Requirement, distribution(name).requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                requirements(canonicalize_name(requirement.name), known)
    return known


@pytest.fixture(scope="module")
def client_alone(packages: Path) -> str:
    """A path with the client and its dependencies."""
    return f"{CLIENT}{os.pathsep}{packages}"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client's dependencies and nothing else."""
    folder = tmp_path_factory.mktemp("packages")
    known: set[str] = set()
    for name in ("click", "httpx2", "tqdm"):
        requirements(name, known)
    for name in known:
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            (folder / top).symlink_to(Path(str(found.locate_file(top))).resolve())
    return folder


@pytest.fixture(scope="module")
def server_without_packages(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path on which the server's sources and entry points are, but none of the packages that it needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    information = tmp_path_factory.mktemp("information") / "pawsort_server-0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.4\nName: pawsort-server\nVersion: 0\n")
    (information / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
            for group, points in project["entry-points"].items()
        )
    )
    return os.pathsep.join(map(str, (CLIENT, ROOT, packages, information.parent)))


def python(path: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Python with -S: without the packages of this environment."""
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "COLUMNS": "110", "HOME": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def pawsort(path: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return python(path, folder, "-m", "pawsort", *arguments)


def test_it_lists_its_own_commands_only(client_alone: str, tmp_path: Path) -> None:
    run = pawsort(client_alone, tmp_path, "--help")
    assert run.returncode == 0, run.stderr
    assert re.findall(r"^  ([a-z][a-z-]*)  ", run.stdout, re.MULTILINE) == list(COMMANDS)
    assert "installation on this machine" not in run.stdout


def test_its_help_imports_nothing_slow(client_alone: str, tmp_path: Path) -> None:
    code = "import sys; from pawsort.cli import cli; cli.main(['--help'], standalone_mode=False); print(*sys.modules)"
    run = python(client_alone, tmp_path, "-c", code)
    assert run.returncode == 0, run.stderr
    assert not {"tqdm", "httpx2", "http.client", "asyncio", "subprocess"} & set(run.stdout.split())


def test_all_its_modules_can_be_imported(client_alone: str, tmp_path: Path) -> None:
    files = sorted((CLIENT / "pawsort").rglob("[a-z]*.py"))
    modules = [".".join(file.relative_to(CLIENT).with_suffix("").parts) for file in files]
    assert {f"pawsort.commands.{entry.module}" for entry in COMMANDS.values()} < set(modules)
    run = python(client_alone, tmp_path, "-c", "".join(f"import {module}\n" for module in modules))
    assert run.returncode == 0, run.stderr


def test_a_command_that_needs_the_server_says_what_to_install(client_alone: str, tmp_path: Path) -> None:
    run = pawsort(client_alone, tmp_path, "up")
    assert run.returncode == 1
    assert "`pawsort up` is not a command of the client, and only the client is installed here." in run.stderr
    assert "come with the server: its containers, or `make setup` in a checkout of Pawsort." in run.stderr


def test_without_a_server_classify_asks_for_one(client_alone: str, tmp_path: Path) -> None:
    run = pawsort(client_alone, tmp_path, "classify", str(tmp_path))
    assert run.returncode == 1
    assert "Only the client is installed here, so it needs the address of a server. Give --server URL" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_server_without_its_packages_lists_its_commands_and_says_what_to_install(
    server_without_packages: str, tmp_path: Path
) -> None:
    listed = pawsort(server_without_packages, tmp_path, "--help")
    assert "installation on this machine" in listed.stdout, listed.stderr
    assert re.search(r"^  doctor ", listed.stdout, re.MULTILINE)
    for arguments in (("up",), ("doctor",)):
        run = pawsort(server_without_packages, tmp_path, *arguments)
        assert run.returncode == 1
        assert "needs the whole server, and pydantic is missing. Run `make setup` in a checkout" in run.stderr
        assert "Traceback" not in run.stderr
