"""Runs that retrain, and the gate: what is promoted, what is kept, and why. The trainings themselves are told."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from core.base.clock import db_now
from core.base.states import BatchKind, JobKind, LabelSource, RunState
from core.cleanup import deletion
from core.evaluation import evaluation_jobs
from core.jobs import job_states
from core.jobs.result_filter import ResultFilter
from core.models import registry
from core.orm.jobs import Job
from core.orm.schedules import ScheduleRun
from core.orm.uploads import Image, Upload
from core.review import bulk_labels
from core.schedules import due_runs, schedules
from core.schedules import runs as schedule_runs
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.training import claims
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_version, run_job
from tests.support.fakes import FakeRuntime
from tests.support.labelled_contents import finish_training, judge_with, make_pets, say_all
from worker.schedules import run_loop

N_JUDGING = 300


def add_schedule(runtime: FakeRuntime, **parameters: Any) -> int:
    told = {"network": "seed-cnn", "outcome": "promote", "min_gain": 0.01} | parameters
    with runtime.db.write() as session:
        wanted = NewSchedule("Sunday", "retrain", "0 3 * * SUN", parameters=told)
        return schedules.create_schedule(session, as_owner(session), wanted, []).id


def begin(runtime: FakeRuntime, schedule: int, by_hand: bool = False) -> ScheduleRun:
    """Let a schedule come due, or say 'run now', and work on its run."""
    with runtime.db.write() as session:
        if by_hand:
            due_runs.run_now(session, as_owner(session), schedule)
        else:
            row = schedules.get_schedule(session, schedule)
            row.next_run_at = schedules.read_clock(session)
            session.flush()
            (due,) = due_runs.list_due(session, row.next_run_at)
            due_runs.begin_due(session, due, row.next_run_at)
    return work(runtime)


def work(runtime: FakeRuntime) -> ScheduleRun:
    """Work on whatever is ready; the newest run as it is then."""
    run_loop.work_on_runs(runtime)
    with runtime.db.read() as session:
        return session.scalars(select(ScheduleRun).order_by(ScheduleRun.id.desc()).limit(1)).one()


def in_use(runtime: FakeRuntime) -> int:
    with runtime.db.read() as session:
        return registry.current_version(session).id


def job_of(runtime: FakeRuntime, run: ScheduleRun) -> Job:
    with runtime.db.read() as session:
        return session.get_one(Job, run.job_id)


def retrain(runtime: FakeRuntime, blobs: Blobs, wrong: int, wrong_in_use: int, **parameters: Any) -> ScheduleRun:
    """A run from start to end whose candidate, and the version in use, are wrong on so many pictures."""
    run = begin(runtime, add_schedule(runtime, **parameters))
    said, said_by_in_use = judge_with(runtime.db, wrong), judge_with(runtime.db, wrong_in_use)
    finish_training(runtime.db, blobs, run.work_uuid, said, in_use(runtime), said_by_in_use)
    return work(runtime)


@pytest.fixture
def pets(runtime: FakeRuntime, blobs: Blobs) -> list[UUID]:
    return make_pets(runtime.db, blobs, N_JUDGING)


def test_a_run_starts_a_training_and_waits_for_it(runtime: FakeRuntime, pets: list[UUID]) -> None:
    run = begin(runtime, add_schedule(runtime))
    assert run.state == RunState.RUNNING
    job = job_of(runtime, run)
    assert (job.kind, job.name, job.uuid) == (JobKind.TRAIN, "Sunday", run.work_uuid)
    assert runtime.sent_trainings == [job.id]
    assert run.details["started_from"] == in_use(runtime)
    assert work(runtime).fence == run.fence  # while it trains nobody touches the run


def test_a_better_candidate_is_promoted_and_the_history_says_by_what(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    before = in_use(runtime)
    run = retrain(runtime, blobs, wrong=10, wrong_in_use=40)
    candidate = run.details["candidate"]
    assert (run.state, in_use(runtime)) == (RunState.DONE, candidate)
    assert run.outcome.startswith(f"Version {candidate} was promoted in place of version {before}: right on 96.7 %")
    with runtime.db.read() as session:
        reason = registry.page_deployments(session, None, 1).items[0].reason
    assert reason.startswith(f"promoted by the schedule “Sunday” (run {run.id}): right on 96.7 % of 300 pictures")
    assert run.details["gate"]["n_images"] == N_JUDGING


def test_a_candidate_that_is_better_by_too_little_is_kept(runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]) -> None:
    before = in_use(runtime)
    run = retrain(runtime, blobs, wrong=10, wrong_in_use=40, min_gain=0.2)
    assert in_use(runtime) == before
    assert "was not promoted and is kept as a candidate" in run.outcome
    assert "at least 20.0 points more were asked for" in run.outcome


def test_a_difference_that_may_be_chance_promotes_nothing(runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]) -> None:
    before = in_use(runtime)
    run = retrain(runtime, blobs, wrong=36, wrong_in_use=40)  # 4 pictures more: p = 0.125
    assert in_use(runtime) == before
    assert "McNemar's test must give p < 0.05" in run.outcome


def test_a_candidate_that_is_worse_on_one_class_is_kept(runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]) -> None:
    before = in_use(runtime)
    run = begin(runtime, add_schedule(runtime))
    said = judge_with(runtime.db, 20, n_wrong_cats=20)
    finish_training(runtime.db, blobs, run.work_uuid, said, before, judge_with(runtime.db, 60, n_wrong_cats=10))
    run = work(runtime)
    assert in_use(runtime) == before
    assert "on pictures of the class cat it is worse by 6.7 points, and 2.0 points were allowed" in run.outcome


def test_a_worse_candidate_as_after_flipped_labels_is_never_promoted(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    before = in_use(runtime)
    run = retrain(runtime, blobs, wrong=90, wrong_in_use=20, min_gain=0, max_p=0.5, max_class_loss=1.0)
    assert in_use(runtime) == before
    assert run.details["is_promoted"] is False


def test_labels_that_are_all_corrections_never_promote_too_few_to_tell(runtime: FakeRuntime, blobs: Blobs) -> None:
    uploads = make_pets(runtime.db, blobs, N_JUDGING, labelled=False)
    say_all(runtime.db, LabelSource.CORRECTION, uploads)
    before = in_use(runtime)
    run = retrain(runtime, blobs, wrong=0, wrong_in_use=N_JUDGING)
    assert in_use(runtime) == before
    assert "Too few to tell: 0 pictures of the test split have unbiased labels" in run.outcome
    assert run.details["is_too_few"] is True


def test_labels_of_an_audit_sample_judge(runtime: FakeRuntime, blobs: Blobs) -> None:
    uploads = make_pets(runtime.db, blobs, N_JUDGING, labelled=False)
    say_all(runtime.db, LabelSource.AUDIT, uploads)
    run = retrain(runtime, blobs, wrong=10, wrong_in_use=40)
    assert run.details["is_promoted"] is True


def confirm_as_a_whole(runtime: FakeRuntime, uploads: list[UUID], n_left_out: int = 0) -> list[UUID]:
    """Classify uploads without a fault and confirm all of each; some pictures are unsure, so nothing is confirmed."""
    made = []
    for upload in uploads:
        job = make_job(runtime.db, upload)
        with runtime.db.read() as session:
            paths = list(session.scalars(select(Image.path).join(Upload).where(Upload.uuid == upload)))
        outcomes = {path: (0.9, 0.05) if "cats" in path else (0.05, 0.9) for path in paths}
        run_job(runtime.db, job, outcomes | dict.fromkeys(paths[:n_left_out], (0.5, 0.4)))
        with runtime.db.write() as session:
            batch = bulk_labels.create_batch(
                session, as_owner(session), uuid4(), job, BatchKind.CONFIRM, ResultFilter()
            ).uuid
        bulk_labels.run_batch(runtime.db, batch, 60)
        made.append(batch)
    return made


def test_labels_of_jobs_that_were_confirmed_as_a_whole_judge(runtime: FakeRuntime, blobs: Blobs) -> None:
    confirm_as_a_whole(runtime, make_pets(runtime.db, blobs, N_JUDGING, labelled=False))
    assert retrain(runtime, blobs, wrong=10, wrong_in_use=40).details["is_promoted"] is True


def test_a_job_of_which_something_was_left_out_does_not_judge(runtime: FakeRuntime, blobs: Blobs) -> None:
    confirm_as_a_whole(runtime, make_pets(runtime.db, blobs, N_JUDGING, labelled=False), n_left_out=1)
    assert "Too few to tell: 0 pictures" in retrain(runtime, blobs, wrong=10, wrong_in_use=40).outcome


def test_a_job_whose_confirmation_was_taken_back_does_not_judge(runtime: FakeRuntime, blobs: Blobs) -> None:
    uploads = make_pets(runtime.db, blobs, N_JUDGING, labelled=False)
    batches = confirm_as_a_whole(runtime, uploads)
    with runtime.db.write() as session:
        undone = [bulk_labels.undo_batch(session, as_owner(session), uuid4(), batch).uuid for batch in batches]
    for undo in undone:
        bulk_labels.run_batch(runtime.db, undo, 60)
    say_all(runtime.db, LabelSource.CORRECTION, uploads)
    assert "Too few to tell: 0 pictures" in retrain(runtime, blobs, wrong=10, wrong_in_use=40).outcome


def test_too_few_pictures_promote_nothing(runtime: FakeRuntime, blobs: Blobs) -> None:
    make_pets(runtime.db, blobs, 180)
    run = retrain(runtime, blobs, wrong=0, wrong_in_use=180)
    assert "Too few to tell: 180 pictures" in run.outcome


def test_a_candidate_is_only_kept_where_nothing_else_was_asked_for(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    before = in_use(runtime)
    run = retrain(runtime, blobs, wrong=0, wrong_in_use=150, outcome="keep")
    assert in_use(runtime) == before
    assert run.outcome == f"The training made version {run.details['candidate']}, which is kept as a candidate."


def test_versions_that_were_not_asked_about_all_pictures_are_asked_before_they_are_weighed(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    run = begin(runtime, add_schedule(runtime))
    before = in_use(runtime)
    said, said_by_in_use = judge_with(runtime.db, 10), judge_with(runtime.db, 40)
    finish_training(runtime.db, blobs, run.work_uuid, said, before, said_by_in_use[:50])
    assert work(runtime).state == RunState.EVALUATING
    assert work(runtime).state == RunState.EVALUATING  # as long as that goes on
    with runtime.db.write() as session:
        (job_id,) = session.scalars(select(Job.id).where(Job.kind == JobKind.EVALUATE))
        claim = claims.claim_training(session, job_id, None, 60)
        assert claim is not None
        evaluation_jobs.finish_evaluation(session, claim, before, said_by_in_use)
    run = work(runtime)
    assert run.details["is_promoted"] is True


def test_a_judge_job_that_is_stopped_promotes_nothing_and_says_why(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    run = begin(runtime, add_schedule(runtime))
    said, said_by_in_use = judge_with(runtime.db, 10), judge_with(runtime.db, 40)
    finish_training(runtime.db, blobs, run.work_uuid, said, in_use(runtime), said_by_in_use[:50])
    judge_job = UUID(work(runtime).details["judge_jobs"][0])
    with runtime.db.write() as session:
        job_states.cancel_job(session, as_owner(session), judge_job)
    outcome = work(runtime).outcome
    assert "predictions for 50 of the 300 pictures with unbiased labels, and 200 are needed" in outcome


def test_a_version_that_somebody_promoted_meanwhile_is_the_one_to_beat(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_version(runtime.db, "another", weights=b"another")
    real = registry.promote

    def promote_too_late(session: Any, version: int, *args: Any, **options: Any) -> Any:
        monkeypatch.setattr(registry, "promote", real)
        real(session, other)
        return real(session, version, *args, **options)

    monkeypatch.setattr(registry, "promote", promote_too_late)
    run = retrain(runtime, blobs, wrong=10, wrong_in_use=40)
    assert (run.state, run.lease_until) == (RunState.RUNNING, None)
    with runtime.db.write() as session:
        real(session, other)  # the one before was undone together with the run's end
    assert work(runtime).state == RunState.EVALUATING
    assert in_use(runtime) == other


def test_too_few_new_labels_skip_the_run_and_say_so(runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]) -> None:
    schedule = add_schedule(runtime, min_new_labels=100, outcome="keep")
    run = begin(runtime, schedule)
    assert run.state == RunState.RUNNING  # never before: all labels are new
    finish_training(runtime.db, blobs, run.work_uuid, [], in_use(runtime), [])
    work(runtime)
    run = begin(runtime, schedule)
    assert run.state == RunState.SKIPPED
    assert run.outcome == "Skipped: 0 new labels since the last training; 100 are required."
    run = begin(runtime, schedule, by_hand=True)
    assert run.state == RunState.RUNNING  # somebody wants it all the same


def test_an_upload_deleted_since_fails_the_run_with_a_sentence(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    schedule = add_schedule(runtime, uploads=[str(pets[0])])
    with runtime.db.write() as session:
        deletion.delete_upload(session, as_owner(session), pets[0])
    run = begin(runtime, schedule, by_hand=True)
    assert run.state == RunState.FAILED
    assert run.outcome == f"Upload {pets[0]}, which the training uses, has been deleted. Choose others."


def test_a_training_that_failed_or_was_stopped_says_so(runtime: FakeRuntime, pets: list[UUID]) -> None:
    schedule = add_schedule(runtime)
    run = begin(runtime, schedule)
    with runtime.db.write() as session:
        job_states.fail_job(session, job_of(runtime, run).id, "Memory ran out.")
    assert work(runtime).outcome == "The training failed. Memory ran out."
    run = begin(runtime, schedule, by_hand=True)
    with runtime.db.write() as session:
        job_states.cancel_job(session, as_owner(session), run.work_uuid)
    assert work(runtime).outcome == "The training was stopped without making a version."


def test_a_run_that_was_killed_while_it_started_makes_no_second_training(
    runtime: FakeRuntime, pets: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    schedule = add_schedule(runtime)
    with monkeypatch.context() as patch:
        patch.setattr(schedule_runs, "note", die)
        with pytest.raises(Killed):
            begin(runtime, schedule)
    assert work(runtime).state == RunState.WAITING  # somebody seems to have it
    with runtime.db.write() as session:
        session.execute(update(ScheduleRun).values(lease_until=db_now(-1)))
    assert work(runtime).state == RunState.RUNNING
    with runtime.db.read() as session:
        assert len(session.scalars(select(Job)).all()) == 1


def test_nothing_is_promoted_after_the_schedule_was_deleted(
    runtime: FakeRuntime, blobs: Blobs, pets: list[UUID]
) -> None:
    schedule = add_schedule(runtime)
    run = begin(runtime, schedule)
    with runtime.db.write() as session:
        schedules.delete_schedule(session, as_owner(session), schedule)
    before = in_use(runtime)
    finish_training(runtime.db, blobs, run.work_uuid, judge_with(runtime.db, 0), before, judge_with(runtime.db, 150))
    assert work(runtime).state == RunState.SKIPPED
    assert in_use(runtime) == before


def test_labels_since_a_day_leave_out_what_was_said_before(runtime: FakeRuntime, pets: list[UUID]) -> None:
    run = begin(runtime, add_schedule(runtime, labels_since="2026-01-01"))
    assert run.state == RunState.RUNNING
    with runtime.db.write() as session:
        claim = claims.claim_training(session, job_of(runtime, run).id, None, 60)
        assert claim is not None
        assert len(claims.choose_data(session, claim).contents) == N_JUDGING + 50
        claims.get_training(session, claim).labels_since = schedules.read_clock(session)
        session.flush()
        with pytest.raises(Exception, match="There are no labelled pictures"):
            claims.choose_data(session, claim)
