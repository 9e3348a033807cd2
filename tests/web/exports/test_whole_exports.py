"""An export is whole, or it visibly breaks: jobs that are deleted, retried, changed or still running meanwhile."""

import io
import json
from collections.abc import Callable
from itertools import count
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.base.errors import Conflict, ErrorCode
from core.cleanup import deletion
from core.jobs import chunks, jobs, record_results, retry
from core.jobs.record_results import Outcome
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_tar, make_upload, run_job
from web.exports import rows
from web.exports.formats import EXPORTS

N_FILES = 6
SLICE = 2


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SLICE", SLICE)


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs) -> UUID:
    job = make_job(db, make_upload(db, blobs, n_files=N_FILES))
    run_job(db, job)
    return job


def delete(db: Database, job: UUID) -> None:
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)


def try_again(db: Database, job: UUID) -> None:
    with db.write() as session:
        retry.retry_job(session, as_owner(session), job)


def change_threshold(db: Database, job: UUID) -> None:
    with db.write() as session:
        jobs.get_job(session, job).threshold_milli += 1


CHANGES = [delete, try_again, change_threshold]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("path", [one.path for one in EXPORTS if one.name in ("csv", "jsonl", "report", "zip")])
def test_an_export_breaks_off_when_its_job_changes_meanwhile(
    client: FlaskClient, db: Database, job: UUID, path: str, change: Callable[[Database, UUID], None]
) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/{path}")
    blocks = answer.iter_encoded()
    assert answer.status_code == 200
    next(blocks)
    change(db, job)
    with pytest.raises(Conflict, match="Export it again"):
        list(blocks)


@pytest.mark.parametrize("path", [one.path for one in EXPORTS])
def test_an_export_of_a_deleted_job_is_refused_before_it_begins(
    client: FlaskClient, db: Database, job: UUID, path: str
) -> None:
    delete(db, job)
    assert client.get(f"/api/v1/jobs/{job}/{path}").status_code == 410


def test_a_job_that_is_deleted_before_the_first_row_gives_an_error_and_no_stream(
    client: FlaskClient, db: Database, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = rows.check_snapshot

    def delete_first(*given: object) -> None:
        delete(db, job)
        check(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "check_snapshot", delete_first)
    answer = client.get(f"/api/v1/jobs/{job}/export.csv")
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"


@pytest.fixture
def changing(db: Database, job: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job gets another threshold while its second slice of rows is read."""
    check, n_slices = rows.check_snapshot, count()

    def change_first(*given: object) -> None:
        if next(n_slices) == 1:
            change_threshold(db, job)
        check(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rows, "check_snapshot", change_first)


@pytest.mark.usefixtures("changing")
def test_a_workbook_is_refused_when_its_job_changes_while_it_is_written(client: FlaskClient, job: UUID) -> None:
    assert client.get(f"/api/v1/jobs/{job}/export.xlsx").status_code == 409


@pytest.mark.usefixtures("changing")
def test_a_parquet_file_breaks_off_when_its_job_changes_while_it_is_written(client: FlaskClient, job: UUID) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.parquet")
    with pytest.raises(Conflict, match="Export it again"):
        list(answer.iter_encoded())


def test_an_export_of_a_job_that_is_done_is_not_called_partial(client: FlaskClient, job: UUID) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.csv")
    assert "Pawsort-Partial" not in answer.headers
    assert "-partial" not in answer.headers["Content-Disposition"]
    assert len(answer.text.splitlines()) == 1 + N_FILES


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_tables_without_room_for_it_name_their_origin_in_a_header(
    client: FlaskClient, db: Database, job: UUID, ending: str
) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.{ending}")
    origin = json.loads(answer.headers["Pawsort-Origin"])
    with db.read() as session:
        row = jobs.get_job(session, job)
    assert (origin["job"], origin["version"]) == (str(job), row.model_version_id)
    assert (origin["threshold"], origin["partial"]) == (row.threshold_milli / 1000, False)
    assert origin.keys() >= {"version_digest", "networks", "decoding", "exported_at"}


def test_an_export_names_every_number_of_decoding_among_its_results(
    client: FlaskClient, db: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(db, make_upload(db, blobs))

    def read_numbers() -> list[int]:
        numbers: list[int] = json.loads(client.get(f"/api/v1/jobs/{job}/export.csv").headers["Pawsort-Origin"])[
            "decoding"
        ]
        return numbers

    monkeypatch.setattr(record_results, "DECODING", 1)
    run_job(db, job, {"photos/0.jpg": ErrorCode.TRUNCATED})
    assert read_numbers() == [1]
    client.post(f"/api/v1/jobs/{job}/retry")
    monkeypatch.setattr(record_results, "DECODING", 2)
    run_job(db, job)
    assert read_numbers() == [1, 2]


def test_an_export_of_a_running_job_has_the_rows_of_its_start_and_says_that_it_is_partial(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    upload = make_upload(db, blobs, n_files=4, is_complete=False)
    later = make_tar({f"photos/later{n}.jpg": draw_picture(n) for n in range(4)})
    assert client.put(f"/api/v1/uploads/{upload}/shards/1", input_stream=io.BytesIO(later)).status_code == 201
    job = make_job(db, upload)

    def classify_one_chunk() -> None:
        with db.write() as session:
            claim = chunks.claim_chunk_of(session, jobs.get_job(session, job).id, None, 60)
            assert claim is not None
            images = chunks.list_to_classify(session, claim)
            record_results.record(session, claim, [Outcome(image.image_id, [0.9, 0.1]) for image in images])

    classify_one_chunk()
    answer = client.get(f"/api/v1/jobs/{job}/export.csv")
    assert answer.headers["Pawsort-Partial"] == "true"
    assert "-partial.csv" in answer.headers["Content-Disposition"]
    blocks = answer.iter_encoded()
    first = next(blocks)
    classify_one_chunk()
    lines = (first + b"".join(blocks)).decode().splitlines()
    assert len(lines) == 1 + 4
    assert not [line for line in lines if "later" in line]
