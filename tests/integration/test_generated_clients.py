"""Generated clients run the whole loop: upload, classify, poll, read results, label, export."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_document import make_document
from tests.support.api_tools import HERE, npm_tools, python_generator
from tests.support.factories import draw_picture, make_tar
from tests.support.installation import Installation
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow
PATHS = ["photos/1.jpg", "photos/2.jpg"]
CONFIG = ROOT / "docs" / "reference" / "openapi-python-client.yaml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation.running(
        tmp_path_factory.mktemp("site"), PAWSORT_DEFAULT_NETWORK="seed-cnn", PAWSORT_MIN_FREE_BYTES="0"
    ) as one:
        yield one


@pytest.fixture
def description(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(make_document()), encoding="utf-8")
    return path


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    path = tmp_path / "photos.tar"
    path.write_bytes(make_tar({name: draw_picture(n) for n, name in enumerate(PATHS)}))
    return path


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def check_loop(text: str) -> None:
    """What the programs print once they have come through."""
    found: dict[str, Any] = json.loads(text)
    assert found.pop("csv").splitlines()[1].startswith("photos/1.jpg,")
    assert found == {
        "state": "done",
        "n_images": len(PATHS),
        "paths": PATHS,
        "label": "dog",
        "parquet": "PAR1",
        "archive": "archive",
        "unknown": "not-found",
    }


def test_a_python_client_is_generated_without_a_warning_and_runs_the_loop(
    site: Installation, description: Path, tar: Path, tmp_path: Path
) -> None:
    tools = python_generator()
    generate = (tools / "openapi-python-client", "generate", "--path", description, "--config", CONFIG)
    said = run(*generate, "--meta", "none", "--output-path", "generated", cwd=tmp_path)
    assert said.strip() == "Generating generated"
    (tmp_path / "loop.py").write_bytes((HERE / "loop.py").read_bytes())
    check_loop(run(tools / "python", "loop.py", site.record.address, site.record.token, tar, cwd=tmp_path))


def test_a_typescript_client_is_generated_and_checked_and_runs_the_loop(
    site: Installation, description: Path, tar: Path, tmp_path: Path
) -> None:
    tools = npm_tools()
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "loop.ts").write_bytes((HERE / "loop.ts").read_bytes())
    programs = tools / "node_modules" / ".bin"
    run(
        programs / "openapi-typescript", description, "-o", "generated.ts", "--default-non-nullable=false", cwd=tmp_path
    )
    strict = ("--strict", "--noUncheckedIndexedAccess", "--skipLibCheck")
    target = ("--target", "es2022", "--module", "nodenext", "--types", "node")
    run(programs / "tsc", *strict, *target, "loop.ts", cwd=tmp_path)
    check_loop(run("node", "loop.js", site.record.address, site.record.token, tar, cwd=tmp_path))
