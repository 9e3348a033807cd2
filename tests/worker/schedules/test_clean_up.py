"""Runs that clean up: what goes, and what stays whatever its age."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.states import JobState, RunState
from core.cleanup import discard_originals, purge, retention
from core.jobs import job_states
from core.jobs.listing import job_list
from core.labels import labels
from core.labels.labels import NewLabel
from core.orm.jobs import Job
from core.orm.schedules import ScheduleRun
from core.orm.uploads import Image, Shard, Upload
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.training import features
from core.training.features import FeatureBlob
from tests.support.actors import as_owner
from tests.support.decoders import shared_pool
from tests.support.factories import draw_picture, make_job, make_labelled, make_training, make_upload, run_job
from tests.support.fakes import FakeRuntime
from tests.support.inference import sort_all
from worker.schedules import run_loop

DAY_S = 86_400


def add_job(runtime: FakeRuntime, blobs: Blobs, days: float, upload: UUID | None = None, ended: bool = True) -> UUID:
    """A job that ended so many days ago, over an upload of its own unless one is given."""
    job = make_job(runtime.db, upload or make_upload(runtime.db, blobs))
    if ended:
        run_job(runtime.db, job)
        with runtime.db.write() as session:
            session.execute(update(Job).where(Job.uuid == job).values(finished_at=db_now(-days * DAY_S)))
    return job


def clean_up(runtime: FakeRuntime, **parameters: Any) -> ScheduleRun:
    with runtime.db.write() as session:
        name = f"clean {len(schedules.list_schedules(session).items)}"
        wanted = NewSchedule(name, "clean_up", "0 4 * * *", parameters=parameters)
        schedule = schedules.create_schedule(session, as_owner(session), wanted, [])
        run_id = due_runs.run_now(session, as_owner(session), schedule.id).id
    run_loop.work_on_runs(runtime)
    with runtime.db.read() as session:
        return session.get_one(ScheduleRun, run_id)


def left(runtime: FakeRuntime) -> set[UUID]:
    with runtime.db.read() as session:
        return {job.uuid for job in job_list.list_jobs(session).items}


def test_jobs_that_are_too_old_go_with_their_pictures_and_others_stay(runtime: FakeRuntime, blobs: Blobs) -> None:
    old, young = add_job(runtime, blobs, days=31), add_job(runtime, blobs, days=29)
    run = clean_up(runtime, older_than_days=30)
    assert run.state == RunState.DONE
    assert left(runtime) == {young}
    assert run.outcome.startswith("1 job was deleted, 0.0 MB of pictures")
    with runtime.db.read() as session:
        gone = session.scalars(select(Upload).join(Job, Job.upload_id == Upload.id).where(Job.uuid == old)).one()
    assert gone.deleted_at is not None
    assert run.details["n_bytes"] == gone.n_bytes


def test_what_still_runs_is_never_deleted(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = add_job(runtime, blobs, days=0, ended=False)
    run = clean_up(runtime, older_than_days=0, below_bytes=0)
    assert left(runtime) == {job}
    assert "above the limit of 0.0 MB" in run.outcome


def test_a_job_that_is_tried_again_at_that_moment_is_left_alone(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = add_job(runtime, blobs, days=31)
    with runtime.db.write() as session:
        assert retention.list_old(session, 30, True) == [job]
        session.execute(update(Job).values(state=JobState.RUNNING))
        assert retention.remove(session, as_owner(session), job) is None


def test_the_oldest_go_until_few_enough_bytes_are_left(runtime: FakeRuntime, blobs: Blobs) -> None:
    made = [add_job(runtime, blobs, days=3 - n) for n in range(3)]
    with runtime.db.read() as session:
        each = retention.count_bytes(session) // 3
    clean_up(runtime, below_bytes=2 * each)
    assert left(runtime) == set(made[1:])


def test_what_networks_saw_in_pictures_counts_as_bytes(runtime: FakeRuntime, blobs: Blobs) -> None:
    made = [add_job(runtime, blobs, days=3 - n) for n in range(3)]
    with runtime.db.write() as session:
        before = retention.count_bytes(session)
        shards = session.scalars(select(Shard.id).order_by(Shard.id)).all()
        features.add(session, FeatureBlob(shards[0], "ab", "features of the oldest", 4, 5_000_000))
        features.add(session, FeatureBlob(shards[2], "ab", "features of the newest", 4, 1_000_000))
    run = clean_up(runtime, below_bytes=before + 2_000_000)
    assert left(runtime) == set(made[1:])
    assert run.details["n_bytes"] > 5_000_000
    assert run.details["n_left"] == before - before // 3 + 1_000_000


def test_what_is_counted_is_what_lies_in_the_store_and_all_of_it_goes(runtime: FakeRuntime, blobs: Blobs) -> None:
    def stored() -> int:
        return sum(len(blobs.get(key)) for key, _ in blobs.list("uploads/"))

    _whole, small = (make_job(runtime.db, make_upload(runtime.db, blobs)) for _ in range(2))
    sort_all(runtime)  # keeps features
    before = stored()
    with runtime.db.write() as session:
        uploads = select(Job.upload_id).where(Job.uuid == small)
        session.execute(update(Upload).where(Upload.id.in_(uploads)).values(discards=True))
    assert discard_originals.mark_ready(runtime.db) == 1
    assert discard_originals.remove_originals(runtime.db, blobs, shared_pool()) > 0
    with runtime.db.read() as session:
        assert retention.count_bytes(session) == stored() != before
    run = clean_up(runtime, below_bytes=0)
    purge.purge_all(runtime.db, blobs)
    assert (run.details["n_jobs"], run.details["n_left"], stored()) == (2, 0, 0)


def test_labelled_pictures_stay_unless_it_is_said_otherwise(runtime: FakeRuntime, blobs: Blobs) -> None:
    by_folder = add_job(runtime, blobs, days=31, upload=make_labelled(runtime.db, blobs))
    corrected_upload = make_upload(runtime.db, blobs, files={"x/1.jpg": draw_picture(99)})
    corrected = add_job(runtime, blobs, days=31, upload=corrected_upload)
    with runtime.db.write() as session:
        (image_id,) = session.scalars(select(Image.id).where(Image.path == "x/1.jpg"))
        labels.add_labels(session, None, [NewLabel(image_id, "cat")])
    clean_up(runtime, older_than_days=30)
    assert left(runtime) == {by_folder, corrected}
    clean_up(runtime, older_than_days=30, keep_labelled=False)
    assert left(runtime) == set()


def test_pictures_that_a_schedule_trains_on_stay_whatever_is_said(runtime: FakeRuntime, blobs: Blobs) -> None:
    upload = make_labelled(runtime.db, blobs)
    job = add_job(runtime, blobs, days=31, upload=upload)
    with runtime.db.write() as session:
        told = {"network": "seed-cnn", "uploads": [str(upload)]}
        schedules.create_schedule(
            session, as_owner(session), NewSchedule("Sunday", "retrain", "0 3 * * SUN", parameters=told), []
        )
    clean_up(runtime, older_than_days=1, keep_labelled=False)
    assert left(runtime) == {job}


def test_trainings_stay(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = make_training(runtime.db, make_labelled(runtime.db, blobs))
    with runtime.db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    run = clean_up(runtime, older_than_days=0, keep_labelled=False)
    assert (left(runtime), run.outcome) == ({job}, "There was nothing to delete.")


def test_a_clean_up_that_was_killed_goes_on_counting(
    runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        add_job(runtime, blobs, days=31)
    real, calls = retention.remove, []

    def remove_some(session: Any, actor: Any, uuid: UUID) -> Any:
        calls.append(uuid)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(session, actor, uuid)

    monkeypatch.setattr(retention, "remove", remove_some)
    with pytest.raises(KeyboardInterrupt):
        clean_up(runtime, older_than_days=30)
    with runtime.db.write() as session:
        session.execute(update(ScheduleRun).values(lease_until=db_now(-1)))
    run_loop.work_on_runs(runtime)
    with runtime.db.read() as session:
        run = session.scalars(select(ScheduleRun)).one()
    assert (run.state, run.details["n_jobs"], left(runtime)) == (RunState.DONE, 3, set())
