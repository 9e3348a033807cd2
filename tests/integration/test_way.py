"""The whole way of pictures through an installation as people use it: folders, streams, odd files, a full disk."""

import csv
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import select

from core.base.errors import ErrorCode
from core.base.network_catalog import DEFAULT_NETWORK
from core.orm.jobs import Chunk, Job
from core.orm.uploads import Image
from tests.support.deadlines import within
from tests.support.factories import make_tar
from tests.support.installation import START_S, Installation
from tests.support.paths import ROOT
from tests.support.photo_folders import N_BROKEN, N_PHOTOGRAPHS, make_mixed_folder
from tests.support.photographs import photographs
from tests.support.pictures import draw, encode, jpeg, test_data
from tests.support.ports import free_port
from tests.support.processes import peak_memory_bytes
from tests.support.soundness import check_counters, check_sound

MOST_MEMORY_BYTES = 1.5 * 10**9
N_ODD, N_ODD_READABLE = 327, 195
N_SHARD_FILES = 256
LABELS = {"cat", "dog", "unsure"}
CONNECTION_LOG = ROOT / "tests" / "support" / "connection_log"

Line = dict[str, Any]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with its ordinary settings and the network that people get by default."""
    with Installation.running(
        tmp_path_factory.mktemp("way"),
        PAWSORT_DEFAULT_NETWORK=DEFAULT_NETWORK,
        PAWSORT_INFERENCE_PROCESSES="1",
        PAWSORT_MIN_FREE_BYTES="0",
        PAWSORT_STRICT_JSON_LOGS="true",
        PYTHONPATH=os.pathsep.join((str(CONNECTION_LOG), os.environ.get("PYTHONPATH", ""))),
        PAWSORT_TEST_CONNECTIONS=str(tmp_path_factory.getbasetemp() / "connections"),
    ) as one:
        yield one


def classify(installation: Installation, folder: Path, out: Path, *options: str) -> list[dict[str, str]]:
    """`pawsort classify FOLDER -o out.csv`; the rows of the file."""
    command = [sys.executable, "-m", "pawsort.cli", "classify", str(folder), "-o", str(out), *options]
    said = subprocess.run(
        command, env=installation.environment, capture_output=True, text=True, timeout=within(START_S), check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_row(row: dict[str, str]) -> None:
    """A label and probabilities, or a code and its sentence."""
    numbers = [row[name] for name in ("confidence", "p_cat", "p_dog")]
    if row["error_code"]:
        code = ErrorCode(row["error_code"])
        kind = row["error"].partition(". ")[0]
        assert row["error"] in (code.sentence, code.explain(kind))
        assert (row["label"], *numbers) == ("", "", "", "")
        return
    assert row["label"] in LABELS
    confidence, p_cat, p_dog = map(float, numbers)
    assert confidence == max(p_cat, p_dog)
    assert 0 <= p_cat + p_dog <= 1.000001
    assert all(len(number.partition(".")[2]) == 6 for number in numbers)


def test_nothing_leaves_this_machine(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(jpeg(1))
    classify(installation, tmp_path, tmp_path / "out.csv")
    with installation.http() as http:
        page = str(http.base_url).partition("/api")[0]
        for path in ("/", "/help", "/docs", "/system", "/models", "/readyz", "/metrics"):
            assert http.get(f"{page}{path}").status_code == 200, path
    addresses = set(Path(installation.environment["PAWSORT_TEST_CONNECTIONS"]).read_text().splitlines())
    assert "a socket in a folder" in addresses, "nothing was noted"
    assert addresses <= {"a socket in a folder", "127.0.0.1", "::1", "localhost", "None", socket.gethostname()}


def test_a_mixed_folder_gives_one_row_for_every_file_that_counts(installation: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "my photos"
    folder.mkdir()
    expected = make_mixed_folder(folder)
    assert len(expected) == N_PHOTOGRAPHS + N_BROKEN
    rows = classify(installation, folder, tmp_path / "out.csv")
    assert len(rows) == len(expected)
    assert {row["path"]: row["error_code"] or None for row in rows} == expected
    for row in rows:
        check_row(row)


def test_originals_that_nobody_wants_to_keep_are_gone_when_the_command_ends(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / "discarded"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.jpg").write_bytes(jpeg(n))
    (folder / "bad.jpg").write_bytes(b"no picture")
    before = set(installation.data_dir.rglob("*.tar"))
    rows = classify(installation, folder, tmp_path / "discarded.csv", "--discard-originals")
    assert [row["error_code"] for row in rows] == ["", "", "", "not_an_image"]
    assert set(installation.data_dir.rglob("*.tar")) == before
    assert len(list(installation.data_dir.rglob("*.small"))) == 1


def test_odd_images_cost_no_more_than_a_row_each(installation: Installation, tmp_path: Path) -> None:
    folder = test_data() / "odd-images"
    workers = installation.wait_for_workers(1)
    rows = classify(installation, folder, tmp_path / "out.csv")
    assert sorted(row["path"] for row in rows) == sorted(f"odd-images/{name}" for name in os.listdir(folder))
    assert len(rows) == N_ODD
    for row in rows:
        check_row(row)
    assert sum(row["label"] in LABELS for row in rows) >= N_ODD_READABLE
    assert installation.wait_for_workers(1) == workers
    if sys.platform == "linux":
        assert max(map(peak_memory_bytes, workers)) < MOST_MEMORY_BYTES


def curl(installation: Installation, address: str, *options: str, body: bytes | None = None) -> tuple[int, Any]:
    """Status and JSON of a request as a script makes it; `body` is streamed in, its length unknown."""
    command = ["curl", "-sS", "-w", "\n%{http_code}", "-H", f"Authorization: Bearer {installation.record.token}"]
    said = subprocess.run(
        [*command, *options, address if address.startswith("http") else f"{installation.record.address}{address}"],
        input=body,
        capture_output=True,
        timeout=within(START_S),
        check=True,
    )
    text, _, status = said.stdout.decode().rpartition("\n")
    return int(status), json.loads(text)


def test_a_script_streams_a_tar_polls_and_pages_through_the_results(installation: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, data in enumerate(photographs(20)):
        (folder / f"{number:02}.jpg").write_bytes(data)
    (folder / "link.jpg").symlink_to("00.jpg")
    packed = subprocess.run(["tar", "c", "photos"], cwd=tmp_path, capture_output=True, check=True).stdout
    status, job = curl(installation, "/api/v1/archives?name=photos", "-T", "-", body=packed)
    assert status == 202
    assert job["name"] == "photos"
    address = f"/api/v1/jobs/{job['id']}"

    def ended() -> dict[str, Any] | None:
        status, view = curl(installation, address)
        assert status == 200
        return view if view["state"] == "done" else None

    view = installation.wait_for(ended, START_S, "the job to be done")
    assert (view["counts"]["total"], view["counts"]["done"], view["counts"]["failed"]) == (20, 20, 0)
    items, cursor = [], ""
    while cursor is not None:
        _, page = curl(installation, f"{address}/results?limit=7&cursor={cursor}")
        assert len(page["items"]) in (7, 6)
        items += page["items"]
        cursor = page["next"]
    assert sorted(item["path"] for item in items) == [f"photos/{number:02}.jpg" for number in range(20)]
    by_label = {label: sum(item["label"] == label for item in items) for label in LABELS}
    assert view["counts"]["by_label"] == by_label
    _, upload = curl(installation, f"/api/v1/uploads/{view['upload']}")
    assert [one["path"] for one in upload["skipped"]] == ["photos/link.jpg"]


def many_files() -> list[tuple[str, bytes]]:
    """More than a shard of files; only some are pictures, what becomes of them is not the point."""
    return [
        (f"many/{number:03}.jpg", jpeg(number, size=(48, 36)) if number % 50 == 0 else b"no picture %d" % number)
        for number in range(N_SHARD_FILES + 60)
    ]


def test_of_a_stream_that_breaks_off_whole_shards_stay_and_it_can_be_sent_again(installation: Installation) -> None:
    files = many_files()
    packed = make_tar(files)
    status, problem = curl(installation, "/api/v1/archives?name=many", "-T", "-", body=packed[: len(packed) * 9 // 10])
    assert status == 422
    job = problem["job"]
    paths = arrived(installation, job)
    assert len(paths) >= N_SHARD_FILES
    assert paths == [path for path, _ in files[: len(paths)]]
    assert installation.state(job) == "receiving"
    check_counters(installation.db, job)
    status, again = curl(installation, f"/api/v1/archives?name=many&id={job}", "-T", "-", body=packed)
    assert (status, again["id"]) == (202, job)
    assert sorted(arrived(installation, job)) == [path for path, _ in files]
    assert installation.wait_for_job(job) == "done"
    check_sound(installation.db, job)


def test_what_arrived_of_a_broken_stream_can_be_finished_as_it_is(installation: Installation) -> None:
    files = many_files()
    packed = make_tar(files)
    status, problem = curl(installation, "/api/v1/archives", "-T", "-", body=packed[: len(packed) * 9 // 10])
    assert status == 422
    job = problem["job"]
    with installation.http() as http:
        assert http.post(f"/uploads/{problem['upload']}/complete", json={"partial": True}).is_success
    assert installation.wait_for_job(job) == "done"
    check_sound(installation.db, job)


def arrived(installation: Installation, job: str) -> list[str]:
    """The paths that the server has, in the order of the upload."""
    paths, cursor = [], ""
    while cursor is not None:
        status, page = curl(installation, f"/api/v1/uploads/{job}/files?limit=200&cursor={cursor}")
        assert status == 200
        paths += [item["path"] for item in page["items"]]
        cursor = page["next"]
    return paths


def test_logs_are_json_and_name_job_chunk_and_images(installation: Installation) -> None:
    upload = installation.send([make_tar({"good.jpg": jpeg(1), "empty.jpg": b""})])
    job = installation.classify(upload)
    installation.wait_for_job(job)
    with installation.db.read() as session:
        row = session.scalars(select(Job).where(Job.uuid == UUID(job))).one()
        chunk = session.scalars(select(Chunk.id).where(Chunk.job_id == row.id)).one()
        image = session.scalars(select(Image.id).where(Image.upload_id == row.upload_id, Image.n_bytes == 0)).one()

    def said() -> list[Line]:
        lines = lines_of(installation, "inference.log")
        return [line for line in lines if line["event"] == "chunk_done" and line["job_id"] == row.id]

    (done,) = installation.wait_for(said, 5, "the line of the chunk")
    assert (done["chunk_id"], done["n_images"]) == (chunk, 2)
    assert done["failed_image_ids"] == {"empty_file": [image]}


def test_what_libtiff_says_of_a_damaged_picture_is_json_as_well(installation: Installation) -> None:
    tiff = encode(draw(1), "TIFF", compression="tiff_lzw")
    upload = installation.send([make_tar({"damaged.tif": tiff[:8] + b"Z" * 40 + tiff[48:]})])
    installation.wait_for_job(installation.classify(upload))

    def heard() -> list[Line]:
        return [line for line in lines_of(installation, "inference.log") if "not yet in table" in line.get("said", "")]

    words = installation.wait_for(heard, 5, "the words of libtiff")
    assert {line["event"] for line in words} == {"library_said"}
    for log in ("web.log", "training.log", "maintenance.log"):
        assert all("event" in line for line in lines_of(installation, log)), log


def lines_of(installation: Installation, log: str) -> list[Line]:
    """The whole lines of a log, each read as JSON."""
    *lines, _under_way = (installation.data_dir / "logs" / log).read_text().split("\n")
    return [json.loads(line) for line in lines]


def test_a_disk_that_is_nearly_full_takes_nothing_in(installation: Installation) -> None:
    tar = make_tar({"photos/1.jpg": jpeg(1)})
    upload = str(uuid4())
    stored = installation.data_dir / "blobs" / "uploads"
    before = set(stored.rglob("*"))
    with web_beside(installation, PAWSORT_MIN_FREE_BYTES=str(10**18)) as full:
        status, _ = curl(installation, f"{full}/api/v1/uploads/{upload}", "-T", "-", body=b"{}")
        assert status == 201
        for address in ("/api/v1/archives", f"/api/v1/uploads/{upload}/shards/0"):
            status, problem = curl(installation, f"{full}{address}", "-T", "-", body=tar)
            assert status == 507
            assert "disk is almost full" in problem["detail"]
    assert set(stored.rglob("*")) == before


@contextmanager
def web_beside(installation: Installation, **settings: str) -> Iterator[str]:
    """A web server of its own with other settings, over the same database and blobs; gives its address."""
    record, port = installation.record, free_port()
    servers = {
        "PAWSORT_DATABASE_URL": record.database_url,
        "PAWSORT_BLOB_URL": record.blob_url,
        "PAWSORT_REDIS_URL": record.redis_url,
        "PAWSORT_SECRET_KEY": (installation.data_dir / "secret_key").read_text(),
        "PAWSORT_PORT": str(port),
    }
    command = [sys.executable, "-m", "pawsort.cli", "web"]
    log = installation.data_dir / "logs" / "beside.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=installation.environment | servers | settings, stdout=out, stderr=out) as server,
    ):
        try:
            address = f"http://127.0.0.1:{port}"
            installation.wait_for(lambda: answers(address), START_S, "the other web server")
            yield address
        finally:
            server.terminate()


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/healthz", trust_env=False, timeout=within(30)).is_success
    except httpx2.TransportError:  # it is just starting
        return False
