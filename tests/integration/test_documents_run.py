"""The shell of README, CONTRIBUTING and docs, run page by page next to an instance that runs.

tests/browser/test_tutorial.py runs the tutorial. Statements that are not run have a reason in
tests/support/documentation/statements.py.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import S3Store

from tests.support.api_tools import npm_tools, python_generator
from tests.support.documentation.blocks import Code, list_blocks
from tests.support.documentation.desk import PICTURES, Desk, Site, make_folder
from tests.support.documentation.statements import list_shell_pages, list_statements
from tests.support.factories import draw_picture, make_tar
from tests.support.installation import Installation
from tests.support.paths import ROOT
from tests.support.s3 import running_s3

pytestmark = pytest.mark.slow
PAGES = list_shell_pages()
PYTHON = [one for one in list_blocks((ROOT / "docs" / "python.md",)) if one.language == "python"]
# What the page has shown before each of its parts.
BEFORE = """from pawsort import Pawsort

client = Pawsort()
job = client.classify("photos/")
result = next(job.results())

"""
TOOLS = ("bash", "curl", "git", "jq", "make", "tar")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An instance with a finished job over the pictures of every desk, and places that it may read."""
    folder = tmp_path_factory.mktemp("site")
    with running_s3(tmp_path_factory.mktemp("s3")) as bucket:
        settings = {"PAWSORT_DEFAULT_NETWORK": "seed-cnn", "PAWSORT_MIN_FREE_BYTES": "0"}
        roots = {"PAWSORT_IMPORT_ROOTS": f"{folder}/photos,{bucket}"}
        with Installation.running(folder / "data", **settings, **roots) as installation:
            _fill(folder / "photos" / "2026", bucket.removeprefix("s3://"))
            job = installation.classify(
                installation.send([make_tar({f"photos/{name}": PICTURES[name] for name in PICTURES})])
            )
            installation.wait_for_job(job)
            with installation.client() as client:
                version = client.jobs.get(job).version
                assert version is not None
                result = next(iter(client.jobs.results(job)))
            tools = [npm_tools() / "node_modules" / ".bin", python_generator()]
            yield Site(installation, version, job, result.sha256, result.image_id, tools)


def _fill(folder: Path, bucket: str) -> None:
    """Put pictures where the instance may read: into a folder, and below two prefixes."""
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(draw_picture(101))
    store = S3Store(bucket, endpoint=os.environ["AWS_ENDPOINT_URL"], client_options={"allow_http": True})
    for name in ("incoming/summer/1.jpg", "2026/1.jpg"):
        store.put(name, draw_picture(len(name)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everything_that_a_page_shows_as_shell_runs(site: Site, tmp_path: Path, page: Path) -> None:
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    statements = [one for one in list_statements((page,)) if one.reason is None]
    Desk(tmp_path / "pawsort", site, page).run(statements)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_the_python_of_the_page_about_the_library_runs(site: Site, tmp_path: Path, block: Code) -> None:
    record = site.installation.record
    with site.installation.client() as client:
        client.models.promote(site.version)  # pages may have put a larger network into use, which trains for minutes
    for name in ("photos", "labelled"):
        make_folder(tmp_path / name)
    program = tmp_path / "program.py"
    text = block.text.replace("https://pawsort.example.org", record.address).replace("pawsort_…", record.token)
    program.write_text(BEFORE + text, encoding="utf-8")
    server = {"PAWSORT_SERVER": record.address, "PAWSORT_TOKEN": record.token}
    done = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=os.environ | server, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
