"""What can be taken away: Parquet, the originals sorted into a zip, a report; names of files are hostile."""

import csv
import io
import os
import re
import shutil
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pyarrow.parquet
import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.base.errors import ErrorCode
from core.decoding.decoded import DECODING
from core.formats.archives.entries import File
from core.formats.archives.reading import read_archive
from core.labels.labels import NewLabel, add_labels
from core.review.corrected_folders import folder_label
from core.storage.blobs import Blobs
from tests.support.factories import (
    draw_picture,
    make_job,
    make_labelled,
    make_training,
    make_upload,
    read_results,
    run_job,
)
from web.exports.names import UniqueNames, safe_path
from web.exports.zip_writer import ZipWriter

FILES = {
    "photos/a.jpg": draw_picture(1),
    "photos/sub/b.jpg": draw_picture(2),
    "photos/фото.jpg": draw_picture(3),
    "photos/c.jpg": draw_picture(4),
    "photos/broken.jpg": b"no picture",
}
SAID: Mapping[str, tuple[float, float] | ErrorCode] = {
    "photos/a.jpg": (0.95, 0.03),
    "photos/sub/b.jpg": (0.02, 0.97),
    "photos/фото.jpg": (0.5, 0.4),
    "photos/c.jpg": (0.9, 0.05),
    "photos/broken.jpg": ErrorCode.NOT_AN_IMAGE,
}


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs) -> UUID:
    """A job with two cats, a dog, an unsure one and a failure; a person said of one cat that it is neither."""
    job = make_job(db, make_upload(db, blobs, files=FILES), threshold=0.8)
    run_job(db, job, SAID)
    image = next(row.image_id for row in read_results(db, job) if row.path == "photos/c.jpg")
    with db.write() as session:
        add_labels(session, None, [NewLabel(image, "neither")])
    return job


def open_zip(client: FlaskClient, job: UUID, query: str = "") -> zipfile.ZipFile:
    answer = client.get(f"/api/v1/jobs/{job}/export.zip{query}")
    assert answer.status_code == 200
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_the_zip_has_the_originals_sorted_by_label_and_a_list_of_errors(client: FlaskClient, job: UUID) -> None:
    archive = open_zip(client, job)
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == sorted(
        [
            "cat/photos/a.jpg",
            "dog/photos/sub/b.jpg",
            "unsure/photos/фото.jpg",
            "neither/photos/c.jpg",
            "pawsort-manifest.jsonl",
            "errors.csv",
        ]
    )
    assert archive.read("dog/photos/sub/b.jpg") == FILES["photos/sub/b.jpg"]
    errors = list(csv.DictReader(io.StringIO(archive.read("errors.csv").decode())))
    assert [(row["path"], row["error_code"]) for row in errors] == [("photos/broken.jpg", "not_an_image")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?by=model", "cat/photos/c.jpg"),
        ("?by=person", "unlabelled/photos/a.jpg"),
        ("?tree=flat", "dog/b.jpg"),
    ],
)
def test_the_zip_can_go_by_another_label_or_without_folders(
    client: FlaskClient, job: UUID, query: str, expected: str
) -> None:
    assert expected in open_zip(client, job, query).namelist()


def test_unzip_finds_nothing_wrong(client: FlaskClient, job: UUID, tmp_path: Path) -> None:
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    (tmp_path / "x.zip").write_bytes(client.get(f"/api/v1/jobs/{job}/export.zip").data)
    said = subprocess.run(["unzip", "-t", tmp_path / "x.zip"], capture_output=True, text=True, check=True)
    assert "No errors detected" in said.stdout
    assert said.stderr == ""


def test_hostile_names_stay_inside_the_folder_that_they_are_unpacked_in(
    client: FlaskClient, app: object, db: Database, blobs: Blobs
) -> None:
    names = ["photos/C:\\x\\y.jpg", "photos/a\nb.jpg", "photos/ .jpg", "photos/=1+1.jpg", "photos/con?.jpg"]
    job = make_job(db, make_upload(db, blobs, files={name: draw_picture(n) for n, name in enumerate(names)}))
    run_job(db, job)
    inside = [name for name in open_zip(client, job).namelist() if name.endswith(".jpg")]
    assert len(set(inside)) == len(names)
    assert all(re.fullmatch(r"cat/photos/[^/\\:\n?]+", name) for name in inside)


def test_paths_that_would_climb_do_not() -> None:
    assert safe_path("a/../../b//./c.jpg") == "a/_/_/b/c.jpg"


def test_names_that_windows_cannot_unpack_are_changed_and_listed(
    client: FlaskClient, app: object, db: Database, blobs: Blobs
) -> None:
    names = ["photos/CON.jpg", "photos/a.jpg", "photos/trip. /b.jpg", "photos/A.jpg"]
    job = make_job(db, make_upload(db, blobs, files={name: draw_picture(n) for n, name in enumerate(names)}))
    run_job(db, job)
    archive = open_zip(client, job)
    assert list(csv.DictReader(io.StringIO(archive.read("renamed.csv").decode()))) == [
        {"path": "photos/CON.jpg", "renamed_to": "cat/photos/_CON.jpg"},
        {"path": "photos/trip. /b.jpg", "renamed_to": "cat/photos/trip__/b.jpg"},
        {"path": "photos/A.jpg", "renamed_to": "cat/photos/A (2).jpg"},
    ]
    listed = ["cat/photos/_CON.jpg", "cat/photos/a.jpg", "cat/photos/trip__/b.jpg", "cat/photos/A (2).jpg"]
    assert archive.namelist() == [*listed, "pawsort-manifest.jsonl", "errors.csv", "renamed.csv"]


def test_paths_that_are_too_long_for_windows_lose_their_first_folders_and_are_listed(
    client: FlaskClient, app: object, db: Database, blobs: Blobs
) -> None:
    folders = [f"{n}{'猫' * 40}" for n in range(5)]
    path = "/".join(["cats", *folders, "a.jpg"])
    job = make_job(db, make_upload(db, blobs, files={path: draw_picture(1)}))
    run_job(db, job, {path: (0.1, 0.8)})
    archive = open_zip(client, job)
    renamed_to = "/".join(["dog", *folders[1:], "a.jpg"])
    assert list(csv.DictReader(io.StringIO(archive.read("renamed.csv").decode()))) == [
        {"path": path, "renamed_to": renamed_to}
    ]
    assert archive.namelist()[0] == renamed_to
    assert folder_label(renamed_to, [path]) == "dog"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"photos/{'a' * 230}.jpeg", f"{'a' * 195}.jpeg"),
        (f"{'a' * 150}/{'😺' * 20}.jpg", f"{'a' * 150}/{'😺' * 20}.jpg"),
        (f"{'a' * 150}/{'😺' * 30}.jpg", f"{'😺' * 30}.jpg"),
        (f"{'a' * 150}/{'b' * 48}", f"{'a' * 150}/{'b' * 48}"),
        (f"{'a' * 150}/{'b' * 50}", "b" * 50),
        (f"{'a' * 199} {'b' * 9}", f"{'a' * 199}_"),
    ],
)
def test_paths_of_exports_have_at_most_200_characters(path: str, expected: str) -> None:
    assert safe_path(path) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["a.jpg", "A.jpg", "a.jpg", "b"], ["a.jpg", "A (2).jpg", "a (3).jpg", "b"]),
        (["caf\u00e9", "cafe\u0301"], ["caf\u00e9", "cafe\u0301 (2)"]),
        (["x", "x/a.jpg", "x/b.jpg"], ["x", "x (2)/a.jpg", "x (2)/b.jpg"]),
        (["x/a.jpg", "x"], ["x/a.jpg", "x (2)"]),
    ],
)
def test_files_of_the_same_name_all_get_one_of_their_own(given: list[str], expected: list[str]) -> None:
    names = UniqueNames()
    assert [names.reserve(name) for name in given] == expected


def test_a_name_that_looks_numbered_already_is_given_to_one_file_only() -> None:
    names = UniqueNames()
    given = ["a.jpg", "a (2).jpg", "A.jpg", "a.jpg", "a (2).jpg", "u\u0308.jpg", "\u00fc.jpg", "d/x", "d", "D/y", "d"]
    assert [names.reserve(name) for name in given] == [
        "a.jpg",
        "a (2).jpg",
        "A (3).jpg",
        "a (4).jpg",
        "a (2) (2).jpg",
        "u\u0308.jpg",
        "\u00fc (2).jpg",
        "d/x",
        "d (2)",
        "D/y",
        "d (3)",
    ]


def test_equal_names_take_time_in_proportion_to_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def count_comparisons(n_names: int) -> int:
        keys: list[str] = []

        def key(path: str) -> int:
            keys.append(path)
            return hash(path)

        monkeypatch.setattr("web.exports.names._key", key)
        names = UniqueNames()
        assert len({names.reserve("IMG_0001.jpg") for _ in range(n_names)}) == n_names
        return len(keys)

    assert count_comparisons(4000) < 5 * count_comparisons(1000)


def test_a_zip_can_be_read_from_front_to_back(client: FlaskClient, job: UUID) -> None:
    data = io.BytesIO(client.get(f"/api/v1/jobs/{job}/export.zip").data)
    files = list(read_archive(data.read, max_image_bytes=2**20, max_upload_bytes=2**30))
    assert len(files) == 6
    assert files[0] == File("cat/photos/a.jpg", FILES["photos/a.jpg"], len(FILES["photos/a.jpg"]))


def test_files_in_the_zip_have_the_dates_that_they_were_sent_with(client: FlaskClient, tmp_path: Path) -> None:
    dates = {"photos/a.jpg": 1_234_567_890, "photos/фото.jpg": 1_700_000_001, "photos/old.jpg": 200_000_000}
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as writer:
        for n, (path, date) in enumerate(dates.items()):
            entry = tarfile.TarInfo(path)
            data = draw_picture(n)
            entry.size, entry.mtime = len(data), date
            writer.addfile(entry, io.BytesIO(data))
    job = client.put("/api/v1/archives", data=tar.getvalue()).get_json()["id"]
    run_job(client.application.extensions["pawsort"].db, UUID(job))
    data = client.get(f"/api/v1/jobs/{job}/export.zip?by=model").data
    files = read_archive(io.BytesIO(data).read, max_image_bytes=2**20, max_upload_bytes=2**30)
    found = {one.path: one.modified_at for one in files if isinstance(one, File) and one.path.startswith("cat/")}
    assert found == {f"cat/{path}": date for path, date in dates.items()}
    by_date = {one.filename: one.date_time for one in zipfile.ZipFile(io.BytesIO(data)).infolist()}
    local = time.localtime(dates["photos/a.jpg"])
    assert by_date["cat/photos/a.jpg"] == (*local[:5], local.tm_sec // 2 * 2)
    assert by_date["cat/photos/old.jpg"] == (1980, 1, 1, 0, 0, 0)


def test_a_zip_of_more_files_than_16_bits_count_is_whole() -> None:
    data = io.BytesIO()
    with closing(ZipWriter(1_767_225_600)) as writer:
        for number in range(70_000):
            data.writelines(writer.add(f"cat/{number}", b""))
        data.writelines(writer.finish())
    names = zipfile.ZipFile(data).namelist()
    assert (len(names), names[-1]) == (70_000, "cat/69999")


def test_a_zip_of_more_than_4_gib_is_whole(tmp_path: Path) -> None:
    block = bytes(2**20)
    with closing(ZipWriter(1_767_225_600)) as writer, (tmp_path / "x.zip").open("wb") as out:
        for number in range(4100):
            header, _ = writer.add(f"cat/{number}", block)
            out.write(header)
            out.seek(len(block), os.SEEK_CUR)  # a hole: zeros that take no room
        out.writelines(writer.finish())
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.read("cat/4099") == block


def test_parquet_says_what_its_results_were_computed_with(client: FlaskClient, db: Database, job: UUID) -> None:
    client.patch(f"/api/v1/jobs/{job}", json={"threshold": 0.85})
    file = pyarrow.parquet.ParquetFile(io.BytesIO(client.get(f"/api/v1/jobs/{job}/export.parquet").data))
    about = {key.decode(): value.decode() for key, value in file.metadata.metadata.items()}
    assert datetime.fromisoformat(about.pop("pawsort.exported_at")).tzinfo is not None
    version = client.get("/api/v1/models/1").json
    assert version is not None
    assert {name: value for name, value in about.items() if name.startswith("pawsort.")} == {
        "pawsort.job": str(job),
        "pawsort.version": "1",
        "pawsort.version_digest": version["digest"],
        "pawsort.networks": '["seed-cnn"]',
        "pawsort.threshold": "0.850",
        "pawsort.decoding": f"[{DECODING}]",
        "pawsort.partial": "false",
    }


def test_parquet_has_the_columns_of_the_csv_with_types(client: FlaskClient, job: UUID) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"/api/v1/jobs/{job}/export.parquet").data))
    lines = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/jobs/{job}/export.csv").text)))
    assert table.column_names == list(lines[0])
    assert table.column("path").to_pylist() == [line["path"] for line in lines]
    assert table.column("p_cat").to_pylist()[0] == pytest.approx(0.95)
    assert table.column("human_label").to_pylist()[3] == "neither"
    assert [str(number) for number in table.column("image_id").to_pylist()] == [line["image_id"] for line in lines]


def test_a_job_without_results_exports_empty_files(
    client: FlaskClient, app: object, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    assert open_zip(client, job).namelist() == ["pawsort-manifest.jsonl", "errors.csv"]
    table = pyarrow.parquet.read_table(io.BytesIO(client.get(f"/api/v1/jobs/{job}/export.parquet").data))
    assert table.num_rows == 0


def test_the_report_holds_its_pictures_and_loads_nothing(client: FlaskClient, job: UUID) -> None:
    page = client.get(f"/api/v1/jobs/{job}/report.html").text
    assert page.count("data:image/jpeg;base64,") == 4
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.index("фото.jpg") < page.index("photos/a.jpg")  # the unsure one comes first
    assert "photos/broken.jpg" in page


@pytest.mark.parametrize(
    ("by", "counts", "of_c"),
    [
        ("final", {"Cat": 1, "Dog": 1, "Unsure": 1, "Neither": 1}, r"<strong>Neither</strong> .*model: cat 90 %"),
        ("model", {"Cat": 2, "Dog": 1, "Unsure": 1}, r"<strong>Cat</strong> 90 % .*people: neither"),
        ("person", {"Cat": 0, "Dog": 0, "Neither": 1, "Not labelled by people": 3}, r"<strong>Neither</strong>"),
    ],
    ids=["final", "model", "person"],
)
def test_the_report_goes_by_the_label_that_is_asked_for(
    client: FlaskClient, job: UUID, by: str, counts: dict[str, int], of_c: str
) -> None:
    page = client.get(f"/api/v1/jobs/{job}/report.html?by={by}").text
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th><td>(\d+)</td>', page))
    assert {name: int(n) for name, n in rows.items() if name not in ("Pictures", "Failed")} == counts
    lines = re.findall("<li>.*?</li>", page)
    assert len(lines) == (1 if by == "person" else 4)
    assert re.search(of_c, next(line for line in lines if "photos/c.jpg" in line))


def test_a_file_that_was_too_large_to_be_sent_is_listed_and_not_missed(
    client: FlaskClient, app: object, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs, files={"photos/a.jpg": draw_picture(1), "photos/b.jpg": b""}))
    run_job(db, job, {"photos/b.jpg": ErrorCode.EMPTY_FILE})
    assert "empty_file" in open_zip(client, job).read("errors.csv").decode()


def test_a_training_has_nothing_to_export(client: FlaskClient, app: object, db: Database, blobs: Blobs) -> None:
    training = make_training(db, make_labelled(db, blobs))
    answer = client.get(f"/api/v1/jobs/{training}/export.zip")
    assert answer.status_code == 422


def test_the_page_of_a_job_offers_everything(client: FlaskClient, job: UUID) -> None:
    page = client.get(f"/jobs/{job}").text
    for name in ("export.csv", "export.xlsx", "export.jsonl", "export.parquet", "export.zip", "report.html"):
        assert f"/api/v1/jobs/{job}/{name}" in page
