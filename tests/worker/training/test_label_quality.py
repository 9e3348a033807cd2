"""A study from labels to findings: a real database, the features of a stand-in."""

from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.errors import Invalid
from core.base.states import JobState, LabelSource
from core.cleanup import deletion, purge
from core.evaluation import label_quality
from core.jobs import classify_jobs, jobs
from core.labels import labels
from core.labels.labels import NewLabel
from core.models import registry
from core.orm.evaluation import LabelQualityReport
from core.orm.jobs import Job
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import near_duplicates
from tests.model.arrays.test_near_duplicates import paint
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, make_job, make_labelled, make_upload, run_job
from tests.support.fakes import FakeRuntime
from tests.support.inference import sort_all
from tests.support.pictures import encode, jpeg
from tests.worker.training.test_train_head import runtime as runtime
from worker.training import train_network

DATABASES = ("sqlite",)
N_EACH = 40


@pytest.fixture
def upload(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    """Cats and dogs; two of the dogs are cats."""
    files = {f"pets/{kind}s/{n:03}.jpg": jpeg(n, kind, (72, 60)) for kind in ("cat", "dog") for n in range(N_EACH)}
    files |= {f"pets/dogs/wrong {n}.jpg": jpeg(900 + n, "cat", (72, 60)) for n in range(2)}
    return make_upload(runtime.db, blobs, files=files, labelled=True)


def run(runtime: FakeRuntime) -> Job:
    with runtime.db.write() as session:
        job = label_quality.create_label_quality_job(session, as_owner(session))
        job_id, uuid = job.id, job.uuid
    train_network.train(runtime, job_id)
    with runtime.db.read() as session:
        return jobs.get_job(session, uuid)


def newest(runtime: FakeRuntime) -> LabelQualityReport:
    with runtime.db.read() as session:
        found = label_quality.find_newest_report(session)
    assert found is not None
    return found


def test_wrong_labels_come_first_and_disappear_when_they_are_mended(runtime: FakeRuntime, upload: UUID) -> None:
    assert run(runtime).state == JobState.DONE
    study = newest(runtime)
    with runtime.db.read() as session:
        suspects = label_quality.list_suspects(session, study)
    assert {one.path for one in suspects[:2]} == {"pets/dogs/wrong 0.jpg", "pets/dogs/wrong 1.jpg"}
    assert [(one.label, one.suggested) for one in suspects[:2]] == [("dog", "cat")] * 2
    with runtime.db.write() as session:
        session.execute(
            update(LabelQualityReport).values(created_at=db_now(-60))
        )  # so that whoever mends them does so later
        labels.add_labels(session, None, [NewLabel(suspects[0].image_id, "cat")])
        labels.add_labels(session, None, [NewLabel(suspects[1].image_id, "dog", LabelSource.CONFIRMATION)])
    with runtime.db.read() as session:
        left = label_quality.list_suspects(session, study)
        everything = label_quality.list_suspects(session, study, is_open=False)
    assert not {one.image_id for one in left} & {one.image_id for one in suspects[:2]}
    assert [one.now for one in everything[:2]] == ["cat", "dog"]


def test_it_says_what_more_labels_would_bring_and_which(runtime: FakeRuntime, blobs: Blobs, upload: UUID) -> None:
    new = make_upload(runtime.db, blobs, files={f"new/{n}.jpg": draw_picture(n) for n in range(6)})
    with runtime.db.write() as session:
        job = uuid4()
        classify_jobs.create_classify_job(session, as_owner(session), job, new)
    run_job(runtime.db, job, {f"new/{n}.jpg": (0.5 + n / 20, 0.1) for n in range(6)})
    run(runtime)
    study = newest(runtime)
    assert study.n_labels == 2 * N_EACH + 2
    assert [point["n"] for point in study.curve["points"]] == sorted(point["n"] for point in study.curve["points"])
    assert study.curve["now"] <= study.curve["with_more"] <= 1
    assert study.curve["now"] <= study.curve["with_twice"] <= 1  # twice is fewer than a hundred more here
    with runtime.db.read() as session:
        paths = [session.get_one(Image, image_id).path for image_id in study.wanted]
    assert paths[0] == "new/0.jpg"
    assert len(paths) == 6


def test_too_few_labels_are_refused_at_once(runtime: FakeRuntime, blobs: Blobs) -> None:
    make_labelled(runtime.db, blobs, n_each=20)
    with (
        runtime.db.write() as session,
        pytest.raises(Invalid, match="at least 25 of each class; got 20 of cat"),
    ):
        label_quality.create_label_quality_job(session, as_owner(session))


def test_one_study_at_a_time(runtime: FakeRuntime, upload: UUID) -> None:
    with runtime.db.write() as session:
        assert (
            label_quality.create_label_quality_job(session, as_owner(session)).id
            == label_quality.create_label_quality_job(session, as_owner(session)).id
        )


def test_a_deleted_study_leaves_nothing(runtime: FakeRuntime, blobs: Blobs, upload: UUID) -> None:
    job = run(runtime)
    with runtime.db.write() as session:
        deletion.delete_job(session, as_owner(session), job.uuid)
    with runtime.db.read() as session:
        assert label_quality.find_newest_report(session) is None
    purge.purge_all(runtime.db, blobs)
    with runtime.db.read() as session:
        assert session.scalars(select(LabelQualityReport)).all() == []


def test_pictures_that_people_labelled_are_not_asked_for(runtime: FakeRuntime, blobs: Blobs) -> None:
    upload = make_upload(runtime.db, blobs)
    with runtime.db.write() as session:
        job = uuid4()
        classify_jobs.create_classify_job(session, as_owner(session), job, upload)
    run_job(runtime.db, job)
    with runtime.db.write() as session:
        first = session.scalars(select(Image.id).order_by(Image.id)).first()
        assert first is not None
        labels.add_labels(session, None, [NewLabel(first, "cat")])
    with runtime.db.read() as session:
        assert first not in [one.image_id for one in label_quality.find_uncertain(session)]
        assert len(label_quality.find_uncertain(session)) == 3
        assert registry.find_in_use(session) == 1


def test_pictures_without_a_label_are_grouped_to_be_labelled_once(
    runtime: FakeRuntime, blobs: Blobs, upload: UUID, client: FlaskClient
) -> None:
    frames = {f"new/{n}.jpg": encode(paint(7), quality=40 + n) for n in range(30)}
    new = make_upload(runtime.db, blobs, files=frames | {"new/other.jpg": encode(paint(8))})
    runtime._classifier.side_px = 64
    make_job(runtime.db, new)
    sort_all(runtime)
    assert run(runtime).state == JobState.DONE
    group = next(one for one in groups_of(runtime) if one.n_unlabelled)
    assert {member.path for member in group.members} == set(frames)
    assert "And 6 pictures more." in client.get("/labels/twins").text
    form = {"group": group.group_id.hex(), "batch": str(uuid4())}
    client.post("/labels/twins", data=form | {"label": "cat"})
    assert {one.n_unlabelled for one in groups_of(runtime)} == {0}
    client.post("/labels/twins", data=form | {"undo": "1"})
    assert [one.n_unlabelled for one in groups_of(runtime) if one.group_id == group.group_id] == [30]


def groups_of(runtime: FakeRuntime) -> list[near_duplicates.Group]:
    with runtime.db.read() as session:
        return near_duplicates.list_groups(session, 60)[0]
