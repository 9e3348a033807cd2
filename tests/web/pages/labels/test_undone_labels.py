"""Thousands of labels are given and undone: every count on every page, and every trigger, is as before."""

import re
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from core.base.database import Database
from core.base.states import BatchKind, ScheduleKind
from core.jobs import jobs
from core.jobs.result_filter import ResultFilter
from core.labels import counts
from core.labels.labels import NewLabel, add_labels
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.schedules import Schedule
from core.orm.uploads import Image, Shard, Upload
from core.review import bulk_labels
from core.schedules import due_runs
from core.storage.blobs import Blobs
from core.training import datasets
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_upload, run_job

MANY, TEN_THOUSAND = 2_500, 10_000
N_LABELLED = 56
PAGES = (
    *("/", "/models", "/models/1", "/system", "/labels", "/labels/fit", "/deployments", "/train"),
    *("/labels/disagreements?between=people", "/train/new?data=all&network=seed-cnn&what=head"),
)


@pytest.fixture(params=[MANY, pytest.param(TEN_THOUSAND, marks=pytest.mark.slow)])
def n(request: pytest.FixtureRequest) -> int:
    """How many pictures are labelled at once: in some slices."""
    return int(request.param)


@pytest.fixture
def job(client: FlaskClient, db: Database, blobs: Blobs, n: int) -> UUID:
    """A job over one real picture and rows for the others, of which somebody has labelled a few."""
    job = make_job(db, make_upload(db, blobs, n_files=1, name="large"))
    run_job(db, job)
    with db.write() as session:
        one, shard = session.scalars(select(Image)).one(), session.scalars(select(Shard)).one()
        row, upload = jobs.get_job(session, job), session.scalars(select(Upload)).one()
        numbers = range(one.id + 1, one.id + n)
        shared = {"upload_id": one.upload_id, "shard_id": shard.id, "offset": 0, "n_bytes": one.n_bytes}
        session.execute(
            insert(Image),
            [
                shared | {"id": one, "ordinal": one, "path": f"large/{one}.jpg", "sha256": one.to_bytes(32)}
                for one in numbers
            ],
        )
        said = {"job_id": row.id, "class_index": 0, "confidence": 900_000, "probabilities": [0.9, 0.05]}
        session.execute(insert(Result), [said | {"image_id": one} for one in numbers])
        row.n_total = row.n_done = upload.n_images = n
        add_labels(session, None, [NewLabel(one, "dog") for one in numbers[:N_LABELLED]])
    return job


def _counts(client: FlaskClient, db: Database, job: UUID) -> dict[str, str]:
    """Everything that counts labels."""
    found = {page: client.get(page) for page in (*PAGES, f"/jobs/{job}", f"/jobs/{job}/review?count=1")}
    assert {page: answer.status_code for page, answer in found.items() if answer.status_code != 200} == {}
    texts = {page: _only_counts(answer.text) for page, answer in found.items()}
    lines = texts["/system"].splitlines()
    texts["/system"] = "\n".join(line for line in lines if "new label" in line)  # others measure the server itself
    texts["api"] = client.get("/api/v1/models/1").text + client.get(f"/api/v1/jobs/{job}/review").text
    with db.read() as session:
        texts["training"] = str(datasets.find_labelled(session).summary())
        schedules = session.scalars(select(Schedule).order_by(Schedule.id)).all()
        texts["schedules"] = str([counts.count_new(session, one.label_mark) for one in schedules])
        texts["due"] = str(due_runs.list_by_labels(session))
    return texts


def _only_counts(page: str) -> str:
    """A page without what differs each time: ids, tokens and free disk space."""
    page = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|roomBytes\S+ \d+", "", page)
    return re.sub(r'name="csrf(_|-)token" (value|content)="[^"]*"', "token", page)


def _add_schedules(db: Database, *marks: int) -> None:
    """Schedules that train with one label more than there were."""
    with db.write() as session:
        for n, mark in enumerate(marks):
            session.add(
                Schedule(
                    name=f"after labels {n}",
                    kind=ScheduleKind.RETRAIN,
                    time_zone="UTC",
                    every_n_labels=N_LABELLED + 1,
                    parameters={},
                    label_mark=mark,
                    is_on=True,
                )
            )


def test_after_an_undo_every_count_and_trigger_is_as_before(
    client: FlaskClient, db: Database, job: UUID, n: int
) -> None:
    with db.read() as session:
        newest = counts.newest_label(session)
    _add_schedules(db, 0, newest)
    before = _counts(client, db, job)
    assert before["schedules"] == f"[{N_LABELLED}, 0]"
    batch, undo = uuid4(), uuid4()
    with db.write() as session:
        bulk_labels.create_batch(session, as_owner(session), batch, job, BatchKind.LABEL, ResultFilter(), "neither")
    assert bulk_labels.run_batch(db, batch, 600).n_labels == n
    between = _counts(client, db, job)
    assert between["due"] != before["due"]
    assert f"{n:,} new labels" in between["/models/1"]
    with db.write() as session:
        bulk_labels.undo_batch(session, as_owner(session), undo, batch)
    bulk_labels.run_batch(db, undo, 600)
    after = _counts(client, db, job)
    assert {name for name in before if after[name] != before[name]} == set()


def test_what_is_undone_twice_counts_for_nothing(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=1))
    run_job(db, job)
    first, second = uuid4(), uuid4()
    with db.write() as session:
        image = session.scalars(select(Image.id)).one()
        add_labels(session, None, [NewLabel(image, "cat", key=first), NewLabel(image, "dog", key=second)])
        add_labels(session, None, [NewLabel(image, None, undoes=second)])
        assert counts.count_new(session, 0) == 1
        assert counts.count_new(session, 2) == 0, "the undo repeats a label that is older"
        add_labels(session, None, [NewLabel(image, None, undoes=first)])
        assert counts.count_new(session, 0) == 0
        assert session.scalars(select(Label.label).order_by(Label.id)).all() == ["cat", "dog", "cat", None]
    assert "photos" not in client.get("/train").text
