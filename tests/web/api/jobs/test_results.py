"""Results, labels, exports and pictures over HTTP."""

import csv
import io
import json
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image as Picture
from sqlalchemy import update

from core.base.database import Database
from core.base.errors import ErrorCode
from core.formats.shards import ShardBuilder
from core.orm.models import ModelVersion
from core.storage.blobs import Blobs
from core.uploads import kept_thumbnails
from tests.support.factories import draw_picture, make_job, make_upload, read_results, run_job
from web.exports.names import attachment
from web.http.thumbnails import Thumbnails

SAID: Mapping[str, tuple[float, float] | ErrorCode] = {
    "pets/cat.jpg": (0.987654, 0.001),
    "pets/dog.jpg": (0.05, 0.9),
    "pets/none.jpg": (0.2, 0.3),
    "pets/bad.jpg": ErrorCode.NOT_AN_IMAGE,
    "pets/=1+1.jpg": (0.95, 0.01),
    "pets/über 猫 🐈.jpg": (0.85, 0.1),
}
COLUMNS = (
    "path,label,confidence,p_cat,p_dog,error_code,error,human_label,final_label,sha256,"
    "p_neither,warning,image_id,network"
)


@pytest.fixture
def job(client: FlaskClient, db: Database, blobs: Blobs) -> UUID:
    """A finished job over six files, one of which failed."""
    files = {path: draw_picture(n, (200, 100)) for n, path in enumerate(SAID)}
    uuid = make_job(db, make_upload(db, blobs, files=files), threshold=0.8)
    run_job(db, uuid, SAID)
    return uuid


def read(client: FlaskClient, job: UUID, query: str = "") -> list[dict[str, object]]:
    answer = client.get(f"/api/v1/jobs/{job}/results?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    items: list[dict[str, object]] = answer.json["items"]
    return items


def test_results_come_in_the_order_of_the_upload(client: FlaskClient, job: UUID) -> None:
    items = read(client, job)
    assert [item["path"] for item in items] == list(SAID)
    assert list(items[0]) == [
        "image_id", "path", "label", "confidence", "probabilities", "human_label", "error_code", "error", "warning",
        "sha256",
    ]  # fmt: skip
    assert items[0]["label"] == "cat"
    assert items[0]["probabilities"] == {"cat": 0.987654, "dog": 0.001}
    assert items[2]["label"] == "unsure"
    assert items[3]["label"] is None
    assert items[3]["error_code"] == "not_an_image"
    assert items[3]["error"] == ErrorCode.NOT_AN_IMAGE.sentence


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("label=dog", ["dog"]),
        ("label=unsure", ["none"]),
        ("error_code=not_an_image", ["bad"]),
        ("error_code=any", ["bad"]),
        ("error_code=truncated", []),
        ("path=PETS/CAT", ["cat"]),
        ("min_confidence=0.9&max_confidence=0.96", ["dog", "=1+1"]),
        ("path=über", ["über 猫 🐈"]),
        ("path=%25", []),
        ("sort=confidence", ["none", "über 猫 🐈", "dog", "=1+1", "cat"]),
        ("sort=-confidence&label=cat", ["cat", "=1+1", "über 猫 🐈"]),
    ],
)
def test_results_are_filtered_and_sorted(client: FlaskClient, job: UUID, query: str, names: list[str]) -> None:
    assert [item["path"] for item in read(client, job, query)] == [f"pets/{name}.jpg" for name in names]


@pytest.mark.parametrize("sort", ["order", "path", "confidence", "-confidence"])
def test_pages_join_to_the_whole_list(client: FlaskClient, job: UUID, sort: str) -> None:
    whole = read(client, job, f"sort={sort}")
    joined: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get(f"/api/v1/jobs/{job}/results", query_string={"limit": 2, "sort": sort, "cursor": cursor})
        if not cursor:
            answer = client.get(f"/api/v1/jobs/{job}/results", query_string={"limit": 2, "sort": sort})
        assert answer.json is not None
        joined += answer.json["items"]
        cursor = answer.json["next"]
    assert joined == whole


@pytest.mark.parametrize("query", ["label=bird", "error_code=unknown", "min_confidence=2", "sort=size", "path=a%00b"])
def test_a_filter_that_makes_no_sense_is_422(client: FlaskClient, job: UUID, query: str) -> None:
    assert client.get(f"/api/v1/jobs/{job}/results?{query}").status_code == 422


def test_csv_has_the_promised_columns_decimals_and_order(client: FlaskClient, job: UUID) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=\"photos.csv\"; filename*=UTF-8''photos.csv"
    text = answer.data.decode("utf-8")
    assert text.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["path"] for row in rows] == list(SAID)
    assert rows[0]["label"] == "cat"
    assert rows[0]["confidence"] == "0.987654"
    assert rows[0]["p_dog"] == "0.001000"
    assert rows[0]["final_label"] == "cat"
    assert len(rows[0]["sha256"]) == 64
    assert rows[3]["label"] == rows[3]["confidence"] == rows[3]["final_label"] == ""
    assert rows[3]["error_code"] == "not_an_image"


def test_cells_that_a_spreadsheet_would_run_get_a_quote_in_csv_only(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    paths = [
        "=1+1.jpg",
        "+a",
        "-a",
        "@a",
        "\ta",
        "＝1",
        "＋a",
        "－a",
        "＠a",
        "﹢a",
        "\u2212a",
        " =1",
        "\u00a0=1",
        "\u200b\ufeff=1",
        "\x01=1",
    ]
    harmless = ["a=1", "1-1", " a", "猫=", 'quo"te,\nline']
    paths += harmless
    job = make_job(db, make_upload(db, blobs, files=dict.fromkeys(paths, b"x")))
    run_job(db, job)
    text = client.get(f"/api/v1/jobs/{job}/export.csv").data.decode()
    written = [row["path"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert written == [path if path in harmless else f"'{path}" for path in paths]
    lines = client.get(f"/api/v1/jobs/{job}/export.jsonl").data.decode().splitlines()
    assert [json.loads(line)["path"] for line in lines] == paths


BREAKS = [*map(chr, range(1, 32)), "\x7f", "\x85", "\x9b", "\u2028", "\u2029"]


def test_cells_with_control_characters_are_quoted(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    paths = [f"Icon{mark}=1.png" for mark in BREAKS]
    job = make_job(db, make_upload(db, blobs, files=dict.fromkeys(paths, b"x")))
    run_job(db, job)
    text = client.get(f"/api/v1/jobs/{job}/export.csv").data.decode()
    assert [path for path in paths if f'"{path}"' not in text] == []
    assert [row["path"] for row in csv.DictReader(io.StringIO(text, newline=""))] == paths


@pytest.mark.parametrize(("network", "expected"), [("efficientnet-lite0", 0.05), ("seed-cnn", None)])
def test_the_rest_is_of_neither_only_where_the_network_can_say_so(
    client: FlaskClient, db: Database, blobs: Blobs, network: str, expected: float | None
) -> None:
    job = make_job(db, make_upload(db, blobs, files={"a.jpg": draw_picture(1), "bad.jpg": b"x"}))
    run_job(db, job, {"a.jpg": (0.95, 0.0), "bad.jpg": ErrorCode.NOT_AN_IMAGE})
    with db.write() as session:
        session.execute(update(ModelVersion).values(network=network))
    rows = [json.loads(line) for line in client.get(f"/api/v1/jobs/{job}/export.jsonl").data.splitlines()]
    assert [row["p_neither"] for row in rows] == [expected, None]
    assert [row["network"] for row in rows] == [network, network]
    cells = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/jobs/{job}/export.csv").text)))
    assert cells[0]["p_neither"] == ("" if expected is None else f"{expected:.6f}")
    assert [int(cell["image_id"]) for cell in cells] == [row["image_id"] for row in rows]


def test_a_byte_order_mark_comes_where_it_is_asked_for(client: FlaskClient, job: UUID) -> None:
    plain = client.get(f"/api/v1/jobs/{job}/export.csv").data
    assert plain.startswith(b"path,")
    assert client.get(f"/api/v1/jobs/{job}/export.csv?bom=1").data == b"\xef\xbb\xbf" + plain
    assert client.get(f"/api/v1/jobs/{job}/export.jsonl?bom=1").status_code == 422
    assert f"/api/v1/jobs/{job}/export.csv?bom=1" in client.get(f"/jobs/{job}").text


def test_json_lines_are_exact(client: FlaskClient, job: UUID) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.jsonl")
    rows = [json.loads(line) for line in answer.data.decode().splitlines()]
    assert [row["path"] for row in rows] == list(SAID)
    assert list(rows[0]) == COLUMNS.split(",")
    assert rows[0]["confidence"] == 0.987654
    assert rows[3]["label"] is None


def test_an_export_before_the_end_has_what_is_there(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    assert client.get(f"/api/v1/jobs/{job}/export.csv").text.splitlines() == [COLUMNS]


def test_an_export_is_named_after_its_job_in_any_script(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs), name='кошки "2026"/1')
    run_job(db, job)
    disposition = client.get(f"/api/v1/jobs/{job}/export.csv").headers["Content-Disposition"]
    assert "filename*=UTF-8''%D0%BA%D0%BE%D1%88%D0%BA%D0%B8%20_2026__1.csv" in disposition
    assert disposition.isascii()


def test_an_export_longer_than_a_slice_has_every_line_once(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    files = {f"{n}.jpg": b"%d" % n for n in range(250)}
    job = make_job(db, make_upload(db, blobs, files=files))
    run_job(db, job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.exports.rows.SLICE", 100)
        lines = client.get(f"/api/v1/jobs/{job}/export.jsonl").data.decode().splitlines()
    assert [json.loads(line)["path"] for line in lines] == list(files)


def test_a_correction_is_kept_beside_what_the_model_said(client: FlaskClient, job: UUID) -> None:
    image_id = read(client, job)[0]["image_id"]
    for label in ("dog", "neither"):
        answer = client.post("/api/v1/labels", json={"items": [{"image_id": image_id, "label": label}]})
        assert answer.status_code == 201
    first = read(client, job)[0]
    assert (first["label"], first["human_label"]) == ("cat", "neither")
    rows = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/jobs/{job}/export.csv").text)))
    assert (rows[0]["label"], rows[0]["human_label"], rows[0]["final_label"]) == ("cat", "neither", "neither")
    client.post("/api/v1/labels", json={"items": [{"image_id": image_id, "label": None}]})
    assert read(client, job)[0]["human_label"] is None


def test_labels_are_recorded_together_or_not_at_all(client: FlaskClient, job: UUID) -> None:
    image_id = read(client, job)[0]["image_id"]
    items = [{"image_id": image_id, "label": "dog"}, {"image_id": 10**9, "label": "dog"}]
    assert client.post("/api/v1/labels", json={"items": items}).status_code == 404
    assert read(client, job)[0]["human_label"] is None


@pytest.mark.parametrize(
    "item",
    [
        {"image_id": 1, "label": "bird"},
        {"image_id": 1},
        {"label": "cat"},
        {"image_id": 2**63, "label": "cat"},
        {"image_id": 1, "label": "cat", "source": "folder"},
    ],
)
def test_a_label_that_makes_no_sense_is_422(client: FlaskClient, item: dict[str, object]) -> None:
    assert client.post("/api/v1/labels", json={"items": [item]}).status_code == 422


@pytest.mark.parametrize("source", ["correction", "confirmation", "audit"])
def test_people_may_say_why_they_label(client: FlaskClient, job: UUID, source: str) -> None:
    item = {"image_id": read(client, job)[0]["image_id"], "label": "dog", "source": source}
    assert client.post("/api/v1/labels", json={"items": [item]}).status_code == 201
    assert read(client, job)[0]["human_label"] == "dog"


def test_pictures_of_a_deleted_job_take_no_labels(client: FlaskClient, job: UUID) -> None:
    items = [{"image_id": read(client, job)[0]["image_id"], "label": "dog"}]
    client.delete(f"/api/v1/jobs/{job}")
    assert client.post("/api/v1/labels", json={"items": items}).status_code == 404


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("label=dog", ["pets/dog.jpg"]),
        ("max_confidence=0.5", ["pets/none.jpg"]),
        ("folder=pets&path=über", ["pets/über 猫 🐈.jpg"]),
        ("label=cat&sort=-confidence", ["pets/cat.jpg", "pets/=1+1.jpg", "pets/über 猫 🐈.jpg"]),
    ],
)
def test_a_table_has_the_files_of_its_filter_alone(
    client: FlaskClient, job: UUID, query: str, paths: list[str]
) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.jsonl?{query}")
    assert [json.loads(line)["path"] for line in answer.text.splitlines()] == paths
    assert " filtered.jsonl" in answer.headers["Content-Disposition"]


def test_a_thumbnail_is_a_small_jpeg_with_its_proportions(client: FlaskClient, job: UUID) -> None:
    image_id = read(client, job)[0]["image_id"]
    answer = client.get(f"/api/v1/images/{image_id}/thumbnail?size=128")
    assert answer.mimetype == "image/jpeg"
    assert "private" in answer.headers["Cache-Control"]
    picture = Picture.open(io.BytesIO(answer.data))
    assert (picture.format, picture.size) == ("JPEG", (128, 64))
    again = client.get(
        f"/api/v1/images/{image_id}/thumbnail?size=128", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize(("size", "longest"), [(1024, 1024), (2048, 2048), (4096, 2500)])
def test_a_large_picture_comes_in_large_sizes_and_is_never_enlarged(
    client: FlaskClient, db: Database, blobs: Blobs, size: int, longest: int
) -> None:
    large = make_job(db, make_upload(db, blobs, {"large.jpg": draw_picture(size=(2500, 20))}))
    run_job(db, large)
    answer = client.get(f"/api/v1/images/{read_results(db, large)[0].image_id}/thumbnail?size={size}")
    assert Picture.open(io.BytesIO(answer.data)).width == longest


def test_a_thumbnail_of_a_large_file_is_made_once(
    client: FlaskClient, db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    padded = draw_picture(size=(300, 200)) + bytes(kept_thumbnails.MIN_FILE_BYTES)
    job = make_job(db, make_upload(db, blobs, {"padded.jpg": padded}))
    run_job(db, job)
    address = f"/api/v1/images/{read_results(db, job)[0].image_id}/thumbnail"
    first = client.get(address)
    monkeypatch.setattr(Thumbnails, "make", lambda *_: pytest.fail("made again"))
    again = client.get(address)
    assert (again.status_code, again.data) == (200, first.data)


@pytest.mark.parametrize("size", ["0", "64", "129", "8192", "x", "-128"])
def test_other_sizes_of_thumbnails_are_422(client: FlaskClient, job: UUID, size: str) -> None:
    image_id = read(client, job)[0]["image_id"]
    assert client.get(f"/api/v1/images/{image_id}/thumbnail?size={size}").status_code == 422


def test_an_image_that_failed_has_no_thumbnail(client: FlaskClient, job: UUID) -> None:
    image_id = read(client, job)[3]["image_id"]
    assert client.get(f"/api/v1/images/{image_id}/thumbnail").status_code == 404


@pytest.mark.parametrize("image_id", [10**9, 2**63 - 1, 2**63, 10**30, 0])
@pytest.mark.parametrize("what", ["thumbnail", "original"])
def test_an_unknown_image_is_404(client: FlaskClient, image_id: int, what: str) -> None:
    assert client.get(f"/api/v1/images/{image_id}/{what}").status_code == 404


def test_the_original_is_exact_and_only_ever_a_download(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    content = b"<script>alert(1)</script>"
    job = make_job(db, make_upload(db, blobs, files={"a/b/page.html": content}))
    run_job(db, job, {"a/b/page.html": ErrorCode.NOT_AN_IMAGE})
    answer = client.get(f"/api/v1/images/{read(client, job)[0]['image_id']}/original")
    assert answer.data == content
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="page.html"')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_file_that_was_too_large_to_send_has_no_original(client: FlaskClient) -> None:
    shard = ShardBuilder()
    shard.add_oversize("film.mov", 2**40)
    upload = f"/api/v1/uploads/{uuid4()}"
    client.put(upload)
    with shard.finish() as tar:
        client.put(f"{upload}/shards/0", data=tar.read())
    files = client.get(f"{upload}/files").json
    assert files is not None
    answer = client.get(f"/api/v1/images/{files['items'][0]['image_id']}/original")
    assert answer.status_code == 404
    assert str(2**40) in answer.text


def test_a_name_that_turns_the_direction_of_writing_is_saved_without_it() -> None:
    assert attachment("\u202egpj.exe") == "attachment; filename=\"_gpj.exe\"; filename*=UTF-8''_gpj.exe"


def test_pictures_of_a_deleted_job_are_gone(client: FlaskClient, job: UUID) -> None:
    image_id = read(client, job)[0]["image_id"]
    client.delete(f"/api/v1/jobs/{job}")
    assert client.get(f"/api/v1/images/{image_id}/thumbnail").status_code == 404
    assert client.get(f"/api/v1/images/{image_id}/original").status_code == 404
