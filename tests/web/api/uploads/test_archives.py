"""Whole archives in one request."""

import gzip
import io
import os
import tarfile
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.base.config import Settings
from core.base.database import Database
from tests.support.archives import make_linked_tar, make_raw_zip, make_zip
from tests.support.factories import draw_picture, make_tar, run_job
from web.app import App, create_app

ADDRESS = "/api/v1/archives"
PICTURES = {f"pets/{name}.jpg": draw_picture(n) for n, name in enumerate(("a", "b", "über 猫"))}


def paths_of(client: FlaskClient, job: dict[str, object]) -> list[str]:
    files = client.get(f"/api/v1/uploads/{job['upload']}/files?limit=1000").json
    assert files is not None
    return [item["path"] for item in files["items"]]


def job_of(answer: TestResponse) -> dict[str, object]:
    assert answer.status_code == 202, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    "archive", [make_tar(PICTURES), gzip.compress(make_tar(PICTURES)), make_zip(PICTURES)], ids=["tar", "tar.gz", "zip"]
)
def test_an_archive_becomes_a_complete_upload_with_a_job(
    client: FlaskClient, db: Database, method: str, archive: bytes
) -> None:
    answer = client.open(f"{ADDRESS}?name=pets&threshold=0.6", method=method, data=archive)
    job = job_of(answer)
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["name"], job["state"], job["threshold"]) == ("pets", "queued", 0.6)
    assert job["counts"] == {
        "n_images": 3,
        "total": 3,
        "done": 0,
        "failed": 0,
        "by_label": {"cat": 0, "dog": 0, "unsure": 0},
        "probably_neither": 0,
    }
    assert paths_of(client, job) == list(PICTURES)
    assert job["id"] == job["upload"]


def test_more_files_than_a_shard_holds_become_several(client: FlaskClient, db: Database) -> None:
    files = {f"{n:04}.bin": b"%d" % n for n in range(600)}
    job = job_of(client.put(ADDRESS, data=make_tar(files)))
    assert paths_of(client, job) == list(files)
    shards = client.get(f"/api/v1/uploads/{job['upload']}/shards").json
    assert shards is not None
    assert [shard["n_images"] for shard in shards["items"]] == [256, 256, 88]


def test_what_an_archive_may_not_hold_is_skipped_and_named(client: FlaskClient) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for path, kind in (("link", tarfile.SYMTYPE), ("../up.jpg", tarfile.REGTYPE), (".DS_Store", tarfile.REGTYPE)):
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = kind, "target"
            tar.addfile(entry)
        picture = draw_picture()
        entry = tarfile.TarInfo("a.jpg")
        entry.size = len(picture)
        tar.addfile(entry, io.BytesIO(picture))
    job = job_of(client.put(ADDRESS, data=data.getvalue()))
    assert paths_of(client, job) == ["a.jpg"]
    upload = client.get(f"/api/v1/uploads/{job['upload']}").json
    assert upload is not None
    assert upload["n_skipped"] == 3
    assert [one["path"] for one in upload["skipped"]] == ["link", "../up.jpg", ".DS_Store"]


def test_leftovers_are_counted_by_kind_and_taken_when_asked_for(client: FlaskClient) -> None:
    data = make_tar({"a.jpg": draw_picture(), "@eaDir/a.jpg": b"small", "#recycle/b.jpg": b"old", "a.xmp": b"x"})
    job = job_of(client.put(ADDRESS, data=data))
    assert paths_of(client, job) == ["a.jpg"]
    assert job["skipped"]["by_reason"] == {
        "a file of a network drive": 1,
        "a file in a recycle bin": 1,
        "a sidecar file": 1,
    }
    whole = job_of(client.put(f"{ADDRESS}?everything=1", data=data))
    assert len(paths_of(client, whole)) == 4


def test_an_archive_of_leftovers_alone_says_how_to_take_them(client: FlaskClient) -> None:
    answer = client.put(ADDRESS, data=make_tar({"Thumbs.db": b"x", "@eaDir/a.jpg": b"x"}))
    assert answer.status_code == 422
    assert "everything=1" in answer.json["detail"]


def test_the_answer_shows_what_was_skipped_and_why(client: FlaskClient) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for number in range(30):
            entry = tarfile.TarInfo(f"link{number}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "target"
            tar.addfile(entry)
        tar.addfile(tarfile.TarInfo("../up.jpg"))
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("a.jpg"))
    skipped = job_of(client.put(ADDRESS, data=data.getvalue()))["skipped"]
    assert isinstance(skipped, dict)
    assert skipped["n"] == 32
    expected = {"a symbolic link": 30, "a path that climbs with '..'": 1, "a second file of the same path": 1}
    assert skipped["by_reason"] == expected
    assert [entry["path"] for entry in skipped["first"]] == [f"link{number}" for number in range(10)]


@pytest.mark.parametrize("n_files", [40, 300])
def test_hard_links_repeat_files_also_of_earlier_shards(client: FlaskClient, n_files: int) -> None:
    """As `pawsort sort` makes them: `tar c photos sorted`."""
    files = {f"photos/{n}.jpg": b"\0%d" % n for n in range(n_files)}
    links = [(f"sorted/cat/{n}.jpg", f"photos/{n}.jpg") for n in range(n_files)]
    tar = make_linked_tar([*files.items(), *links])
    job = job_of(client.put(ADDRESS, data=tar))
    found = client.get(f"/api/v1/uploads/{job['upload']}/files?limit=1000").json
    assert found is not None
    sha256 = {item["path"]: item["sha256"] for item in found["items"]}
    assert len(sha256) == 2 * n_files
    assert all(sha256[link] == sha256[target] for link, target in links)
    again = job_of(client.put(f"{ADDRESS}?id={job['id']}", data=tar))
    assert again["counts"] == job["counts"]


def test_a_form_with_an_archive_is_taken_as_the_archive(client: FlaskClient) -> None:
    answer = client.post(ADDRESS, data={"file": (io.BytesIO(make_zip(PICTURES)), "pets.zip")})
    assert paths_of(client, job_of(answer)) == list(PICTURES)
    single = client.post(ADDRESS, data={"file": (io.BytesIO(gzip.compress(draw_picture())), "a.jpg.gz")})
    assert paths_of(client, job_of(single)) == ["a.jpg"]


def test_the_answer_names_the_files_of_a_form_that_were_not_read(client: FlaskClient) -> None:
    files = {name: (io.BytesIO(make_zip(PICTURES)), f"{name}.zip") for name in ("first", "second", "third")}
    job = job_of(client.post(ADDRESS, data=files))
    assert paths_of(client, job) == list(PICTURES)
    assert job["skipped"]["by_reason"] == {"another file of the form": 2}
    assert [one["path"] for one in job["skipped"]["first"]] == ["second.zip", "third.zip"]


def test_an_archive_of_another_kind_is_refused_by_name(client: FlaskClient) -> None:
    answer = client.put(ADDRESS, data=b"7z\xbc\xaf\x27\x1c" + bytes(600))
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["archive"] == "7z"
    assert "7z" in answer.json["detail"]


def test_names_are_read_in_the_encoding_of_the_request(client: FlaskClient) -> None:
    data = make_raw_zip({"猫.jpg".encode("cp932"): draw_picture()})
    assert paths_of(client, job_of(client.put(f"{ADDRESS}?names=cp932", data=data))) == ["猫.jpg"]
    assert client.put(f"{ADDRESS}?names=klingon", data=data).status_code == 422


def test_a_file_over_the_limit_is_kept_as_a_name_and_a_size(client: FlaskClient, settings: Settings) -> None:
    big = settings.max_image_bytes + 1
    job = job_of(client.put(ADDRESS, data=make_tar({"big.tif": bytes(big), "a.jpg": b"x"})))
    files = client.get(f"/api/v1/uploads/{job['upload']}/files").json
    assert files is not None
    assert [(item["path"], item["n_bytes"]) for item in files["items"]] == [("big.tif", big), ("a.jpg", 1)]


def test_labels_of_folders_are_taken_when_asked_for(client: FlaskClient, db: Database) -> None:
    job = job_of(client.put(f"{ADDRESS}?labelled=true", data=make_tar({"pets/Cats/1.jpg": draw_picture()})))
    with db.read() as session:
        assert session.connection().exec_driver_sql("SELECT label FROM labels").scalars().all() == ["cat"]
    assert job["state"] == "queued"


def test_a_stream_that_breaks_off_is_422_with_the_job_and_keeps_what_is_whole(client: FlaskClient) -> None:
    files = {f"{n}.bin": os.urandom(2000) for n in range(300)}
    tar, uuid = make_tar(files), uuid4()
    answer = client.put(f"{ADDRESS}?id={uuid}", data=tar[: len(tar) * 9 // 10])
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["job"] == str(uuid)
    job = client.get(f"/api/v1/jobs/{uuid}").json
    assert job is not None
    assert job["state"] == "receiving"
    assert 256 <= job["counts"]["total"] < 300
    assert client.post(f"/api/v1/uploads/{uuid}/complete", json={"partial": True}).status_code == 200


def test_an_archive_sent_again_under_its_id_goes_on_where_it_broke_off(client: FlaskClient) -> None:
    files = {f"{n}.bin": os.urandom(2000) for n in range(300)}
    tar, uuid = make_tar(files), uuid4()
    assert client.put(f"{ADDRESS}?id={uuid}", data=tar[: len(tar) * 9 // 10]).status_code == 422
    job = job_of(client.put(f"{ADDRESS}?id={uuid}", data=tar))
    assert paths_of(client, job) == list(files)
    again = job_of(client.put(f"{ADDRESS}?id={uuid}", data=tar))
    assert again["counts"] == job["counts"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no archive at all" * 100,
        draw_picture(),
        make_tar({}),
        make_zip({}),
        gzip.compress(b"text")[:-9],
        b"PK\3\4",
    ],
    ids=["empty", "text", "picture", "tar", "zip", "gzip", "head"],
)
def test_a_body_without_any_file_is_422_and_leaves_nothing(
    client: FlaskClient, settings: Settings, body: bytes
) -> None:
    uuid = uuid4()
    assert client.put(f"{ADDRESS}?id={uuid}", data=body).status_code == 422
    assert client.get(f"/api/v1/jobs/{uuid}").status_code == 404
    assert client.get(f"/api/v1/uploads/{uuid}").status_code == 404
    assert job_of(client.put(f"{ADDRESS}?id={uuid}", data=make_tar(PICTURES)))["id"] == str(uuid)


def test_a_zip_bomb_is_422(client: FlaskClient) -> None:
    answer = client.put(ADDRESS, data=make_zip({f"{n}.bin": bytes(30 * 2**20) for n in range(3)}))
    assert answer.status_code == 422
    assert answer.json is not None
    assert "unpacks to more" in answer.json["detail"]


def test_an_archive_over_the_limit_is_413_with_the_limit(settings: Settings, app: App, headers: dict[str, str]) -> None:
    small = create_app(settings.model_copy(update={"max_upload_bytes": 20_000}))
    answer = small.test_client().put(ADDRESS, data=make_tar({"a": os.urandom(30_000)}), headers=headers)
    small.extensions["pawsort"].db.close()
    assert answer.status_code == 413
    assert answer.json is not None
    assert "20000" in answer.json["detail"]


def test_an_unknown_model_is_404_and_leaves_nothing(client: FlaskClient) -> None:
    uuid = uuid4()
    assert client.put(f"{ADDRESS}?id={uuid}&model=resnet", data=make_tar(PICTURES)).status_code == 404
    assert client.get(f"/api/v1/uploads/{uuid}").status_code == 404


@pytest.mark.parametrize("query", ["id=x", "threshold=2", "labelled=perhaps", "colour=red", "model=a%20b"])
def test_a_wrong_query_is_422(client: FlaskClient, query: str) -> None:
    assert client.put(f"{ADDRESS}?{query}", data=make_tar(PICTURES)).status_code == 422


def test_results_of_an_archive_are_in_its_order(client: FlaskClient, db: Database) -> None:
    job = job_of(client.put(ADDRESS, data=make_tar(PICTURES)))
    run_job(db, UUID(str(job["id"])))
    lines = client.get(f"/api/v1/jobs/{job['id']}/export.csv").text.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == list(PICTURES)
