"""Uploads and their shards over HTTP."""

import io
import os
import tarfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from core.base.database import Database
from core.formats.shards import max_shard_bytes
from tests.support.factories import draw_picture, make_tar
from web.app import App, create_app

PICTURES = {"photos/a.jpg": draw_picture(1), "photos/b.jpg": draw_picture(2)}


@pytest.fixture
def address(client: FlaskClient) -> str:
    """The address of an upload that waits for shards."""
    url = f"/api/v1/uploads/{uuid4()}"
    assert client.put(url, json={"name": "photos"}).status_code == 201
    return url


@pytest.fixture
def stored(settings: Settings) -> Path:
    """The folder that holds the blobs of shards."""
    return settings.data_dir / "blobs" / "uploads"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_creating_an_upload_twice_is_harmless(client: FlaskClient) -> None:
    url = f"/api/v1/uploads/{uuid4()}"
    assert client.put(url, json={"name": "holiday", "labelled": True}).status_code == 201
    again = client.put(url, json={"name": "other"})
    assert again.status_code == 200
    assert again.json is not None
    assert again.json["name"] == "holiday"
    assert again.json["labelled"] is True
    assert again.json["state"] == "receiving"
    assert again.json["limits"]["max_files"] == 256


def test_an_upload_needs_no_body(client: FlaskClient) -> None:
    assert client.put(f"/api/v1/uploads/{uuid4()}").status_code == 201


def test_a_shard_is_stored_and_listed_in_order(client: FlaskClient, address: str) -> None:
    tar = make_tar(PICTURES)
    answer = client.put(f"{address}/shards/0", data=tar)
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["n_images"] == 2
    assert answer.json["n_bytes"] == len(tar)
    files = client.get(f"{address}/files").json
    assert files is not None
    assert [item["path"] for item in files["items"]] == list(PICTURES)
    assert [item["n_bytes"] for item in files["items"]] == [len(data) for data in PICTURES.values()]
    shards = client.get(f"{address}/shards").json
    assert shards is not None
    assert shards["items"] == [answer.json]


def test_files_come_in_pages(client: FlaskClient, address: str) -> None:
    client.put(f"{address}/shards/0", data=make_tar({f"{n}.jpg": b"x%d" % n for n in range(5)}))
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = client.get(f"{address}/files?limit=2" + (f"&cursor={cursor}" if cursor else "")).json
        assert page is not None
        assert len(page["items"]) <= 2
        seen += [item["path"] for item in page["items"]]
        cursor = page["next"]
    assert seen == [f"{n}.jpg" for n in range(5)]


@pytest.mark.folder
def test_the_same_shard_again_is_200_and_leaves_one_blob(client: FlaskClient, address: str, stored: Path) -> None:
    tar = make_tar(PICTURES)
    assert client.put(f"{address}/shards/0", data=tar).status_code == 201
    assert client.put(f"{address}/shards/0", data=tar).status_code == 200
    assert len(files_below(stored)) == 1


@pytest.mark.folder
def test_another_shard_under_the_same_number_is_409_and_its_blob_is_gone(
    client: FlaskClient, address: str, stored: Path
) -> None:
    client.put(f"{address}/shards/0", data=make_tar(PICTURES))
    answer = client.put(f"{address}/shards/0", data=make_tar({"c.jpg": draw_picture(3)}))
    assert answer.status_code == 409
    assert answer.json is not None
    assert "other bytes" in answer.json["detail"]
    assert len(files_below(stored)) == 1


@pytest.mark.folder
def test_the_same_shard_sent_in_parallel_is_stored_once(app: App, headers: dict[str, str], stored: Path) -> None:
    url = f"/api/v1/uploads/{uuid4()}"
    app.test_client().put(url, headers=headers)
    tar = make_tar(PICTURES)

    def send(_: int) -> int:
        return app.test_client().put(f"{url}/shards/0", data=tar, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(send, range(6)))
    assert statuses == [200] * 5 + [201]
    assert len(files_below(stored)) == 1


def test_a_tar_that_is_cut_off_is_422_keeps_nothing_and_can_be_sent_again(
    client: FlaskClient, address: str, stored: Path
) -> None:
    tar = make_tar(PICTURES)
    answer = client.put(f"{address}/shards/0", data=tar[:1500])
    assert answer.status_code == 422
    assert files_below(stored) == []
    upload = client.get(address).json
    assert upload is not None
    assert upload["n_images"] == 0
    assert client.put(f"{address}/shards/0", data=tar).status_code == 201


def test_a_body_shorter_than_announced_is_422(client: FlaskClient, address: str, stored: Path) -> None:
    tar = make_tar(PICTURES)
    answer = client.put(f"{address}/shards/0", data=tar, environ_overrides={"CONTENT_LENGTH": str(len(tar) + 10)})
    assert answer.status_code == 422
    assert answer.json is not None
    assert "The body ended after" in answer.json["detail"]
    assert files_below(stored) == []


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("../climbs.jpg", tarfile.REGTYPE),
        ("a/../../climbs.jpg", tarfile.REGTYPE),
        ("/absolute.jpg", tarfile.REGTYPE),
        ("link.jpg", tarfile.SYMTYPE),
        ("hard.jpg", tarfile.LNKTYPE),
        ("device", tarfile.CHRTYPE),
        ("pipe", tarfile.FIFOTYPE),
    ],
)
def test_a_shard_with_a_climbing_path_or_no_regular_file_is_422_and_names_it(
    client: FlaskClient, address: str, stored: Path, path: str, kind: bytes
) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("good.jpg"), io.BytesIO())
        entry = tarfile.TarInfo(path)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    answer = client.put(f"{address}/shards/0", data=data.getvalue())
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert path.lstrip("/") in answer.json["detail"]
    assert files_below(stored) == []


def test_a_body_over_the_limit_is_413_and_names_the_limit(
    client: FlaskClient, address: str, settings: Settings, stored: Path
) -> None:
    limit = max_shard_bytes(settings.max_image_bytes)
    answer = client.put(f"{address}/shards/0", environ_overrides={"CONTENT_LENGTH": str(limit + 1)})
    assert answer.status_code == 413
    assert answer.json is not None
    assert str(limit) in answer.json["detail"]
    assert files_below(stored) == []


def test_a_file_over_the_limit_is_413_and_names_file_and_limit(
    client: FlaskClient, address: str, settings: Settings
) -> None:
    tar = make_tar({"big.jpg": bytes(settings.max_image_bytes + 1)})
    answer = client.put(f"{address}/shards/0", data=tar)
    assert answer.status_code == 413
    assert answer.json is not None
    assert "big.jpg" in answer.json["detail"]
    assert str(settings.max_image_bytes) in answer.json["detail"]


def test_an_upload_over_its_limit_is_413(settings: Settings, db: Database, app: App, headers: dict[str, str]) -> None:
    small = create_app(settings.model_copy(update={"max_upload_bytes": 30_000}))
    client = small.test_client()
    url = f"/api/v1/uploads/{uuid4()}"
    client.put(url, headers=headers)
    first = client.put(f"{url}/shards/0", data=make_tar({"a": bytes(8_000)}), headers=headers)
    second = client.put(f"{url}/shards/1", data=make_tar({"b": bytes(18_000)}), headers=headers)
    small.extensions["pawsort"].db.close()
    assert (first.status_code, second.status_code) == (201, 413)
    assert second.json is not None
    assert "30000" in second.json["detail"]


@pytest.mark.folder
def test_a_disk_that_is_nearly_full_is_507_before_anything_is_kept(
    settings: Settings, app: App, headers: dict[str, str], stored: Path
) -> None:
    full = create_app(settings.model_copy(update={"min_free_bytes": 2**60}))
    client = full.test_client()
    url = f"/api/v1/uploads/{uuid4()}"
    client.put(url, headers=headers)
    answer = client.put(f"{url}/shards/0", data=make_tar(PICTURES), headers=headers)
    full.extensions["pawsort"].db.close()
    assert answer.status_code == 507
    assert answer.json is not None
    assert "disk is almost full" in answer.json["detail"]
    assert files_below(stored) == []


def test_a_shard_of_an_unknown_upload_is_404(client: FlaskClient) -> None:
    assert client.put(f"/api/v1/uploads/{uuid4()}/shards/0", data=make_tar(PICTURES)).status_code == 404


@pytest.mark.parametrize("seq", [2**31, 10**30])
def test_a_shard_number_out_of_range_is_422(client: FlaskClient, address: str, seq: int) -> None:
    assert client.put(f"{address}/shards/{seq}", data=make_tar(PICTURES)).status_code == 422


def test_a_shard_after_complete_is_409_but_one_that_came_before_is_200(client: FlaskClient, address: str) -> None:
    tar = make_tar(PICTURES)
    client.put(f"{address}/shards/0", data=tar)
    completed = client.post(f"{address}/complete", json={"n_shards": 1})
    assert completed.json is not None
    assert completed.json["state"] == "complete"
    assert client.put(f"{address}/shards/1", data=make_tar({"c.jpg": b"c"})).status_code == 409
    assert client.put(f"{address}/shards/0", data=tar).status_code == 200


def test_completing_with_missing_shards_is_409_with_their_numbers(client: FlaskClient, address: str) -> None:
    client.put(f"{address}/shards/1", data=make_tar(PICTURES))
    answer = client.post(f"{address}/complete", json={"n_shards": 4})
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["missing"] == [0, 2, 3]
    partial = client.post(f"{address}/complete", json={"partial": True})
    assert partial.json is not None
    assert partial.json["state"] == "complete"


def test_completing_without_saying_how_many_is_422(client: FlaskClient, address: str) -> None:
    assert client.post(f"{address}/complete").status_code == 422


def test_shards_may_come_in_any_order(client: FlaskClient, address: str) -> None:
    for seq in (2, 0, 1):
        client.put(f"{address}/shards/{seq}", data=make_tar({f"{seq}.jpg": os.urandom(10)}))
    files = client.get(f"{address}/files").json
    assert files is not None
    assert [item["path"] for item in files["items"]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert client.post(f"{address}/complete", json={"n_shards": 3}).status_code == 200


def test_announcing_millions_of_shards_costs_no_memory(client: FlaskClient, address: str) -> None:
    client.put(address + "/shards/3", data=make_tar({"a.jpg": b"1"}))
    tracemalloc.start()
    answer = client.post(address + "/complete", json={"n_shards": 2_000_000})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["missing"][:4] == [0, 1, 2, 4]
    assert len(answer.json["missing"]) == 1000
    assert peak < 20 * 2**20
