"""The library against the real application; a thread stands in for the workers."""

import asyncio
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from core.base.database import Database
from pawsort import AsyncPawsort, ClientError, NotFound, Pawsort
from pawsort.api.retries import Retries
from pawsort.client import pawsort as clients
from tests.support.browser.site import served
from tests.support.classifying import classifying
from tests.support.factories import draw_picture, make_tar
from web.app import App

DATABASES = ("sqlite",)
QUICK = Retries(5.0, 0.05, 0.2)


@pytest.fixture
def address(app: App) -> Iterator[str]:
    with served(app) as address:
        yield address


@pytest.fixture
def client(address: str, token: str) -> Iterator[Pawsort]:
    with Pawsort(address, token, retries=QUICK) as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", 3)


def make_folder(folder: Path, n_files: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(n_files):
        (folder / f"{number:04d}.jpg").write_bytes(draw_picture(number, (32, 32)))
    return folder


def test_a_folder_yields_its_results_in_order_and_each_picture_shows_itself(
    client: Pawsort, db: Database, tmp_path: Path
) -> None:
    folder = make_folder(tmp_path / "photos", 300)  # two shards
    with classifying(db):
        job = client.classify(folder, name="cats <b>")
        results = list(job)
        assert [seen.state for seen in client.jobs.events(job)][-1] == "done"
    assert [result.path for result in results] == [f"photos/{number:04d}.jpg" for number in range(300)]
    assert {(result.label, result.error) for result in results} == {("cat", None)}
    assert job.wait().state == "done"
    assert "<td>cats &lt;b&gt;</td>" in job._repr_html_()
    picture = client.pictures.thumbnail(results[0], size=128)
    assert (picture._repr_jpeg_() or b"").startswith(b"\xff\xd8")
    assert client.jobs.export(job, tmp_path / "out.csv").read_text().count("\n") == 301


def test_the_asynchronous_client_has_the_same_names(address: str, token: str, db: Database, folder: Path) -> None:
    async def use() -> None:
        async with AsyncPawsort(address, token, retries=QUICK) as client:
            job = await client.classify(folder)
            labels = [result.label async for result in job.results()]
            assert labels == ["cat"] * 3
            assert (await job.wait()).counts.done == 3
            assert [seen.state async for seen in client.jobs.events(job)] == ["done"]
            assert [one.id async for one in client.jobs.list()] == [job.id]
            with pytest.raises(NotFound):
                await client.audits.get("00000000-0000-4000-8000-000000000000")

    with classifying(db):
        asyncio.run(use())


def test_an_archive_is_one_job_and_stands_alone(client: Pawsort, db: Database, folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(folder / "0000.jpg", "zipped/1.jpg")
    with classifying(db):
        assert [result.path for result in client.classify(tmp_path / "a.zip")] == ["zipped/1.jpg"]
    with pytest.raises(ClientError, match="Classify archives one by one"):
        client.classify(tmp_path / "a.zip", folder)


def test_an_interrupted_upload_is_resumed_with_what_is_missing(client: Pawsort, db: Database, folder: Path) -> None:
    upload, job = str(uuid4()), str(uuid4())
    client.uploads.create(upload, name="photos")
    client.jobs.create(job, upload=upload)
    client.uploads.put_shard(upload, 0, make_tar({"photos/0001.jpg": (folder / "0001.jpg").read_bytes()}))
    with classifying(db):
        assert client.classify(folder, resume=job).wait().counts.done == 3
    sent = [file.path for file in client.uploads.files(upload)]
    assert sent == ["photos/0001.jpg", "photos/0000.jpg", "photos/0002.jpg"]


def test_labels_go_home_and_are_read_back(client: Pawsort, db: Database, folder: Path) -> None:
    with classifying(db):
        results = list(client.classify(folder))
    batch = str(uuid4())
    added = client.labels.add([{"sha256": result.sha256, "label": "dog"} for result in results], batch=batch)
    assert (added.n_labels, added.unknown) == (3, [])
    assert [label.label for label in client.labels.history(results[0])] == ["dog"]
    assert client.labels.undo_batch(batch).n_labels == 3
    assert client.models.get(1).in_use


def test_a_server_is_found_in_the_environment_or_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    running = SimpleNamespace(address="http://127.0.0.1:9", token="owner")
    monkeypatch.setattr(clients, "find_running_instance", lambda: running)
    assert clients.find_connection(None, None) == clients.Connection("http://127.0.0.1:9", "owner")
    monkeypatch.setenv("PAWSORT_SERVER", "https://example.org")
    monkeypatch.setenv("PAWSORT_TOKEN", "mine")
    assert clients.find_connection(None, None) == clients.Connection("https://example.org", "mine")
    with pytest.raises(ClientError, match="Expected an address"):
        clients.find_connection("example.org", None)


def test_what_cannot_be_sent_is_refused_with_a_sentence(client: Pawsort, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClientError, match="There are no files in"):
        client.classify(tmp_path / "empty")
    with pytest.raises(ClientError, match="does not exist"):
        client.classify(tmp_path / "nowhere")
    with pytest.raises(ClientError, match="Give a folder"):
        client.classify()
