"""Runs that retrain: enough new labels? ─► a training ─► its version, evaluated ─► promoted, or kept as a candidate.

    waiting ─► running (the training) ─► [judging: evaluating versions that lack predictions] ─► done

The gate (core/evaluation/promotion_gate.py) compares candidate and version in use on the same images, and only on
unbiased labels (core/evaluation/unbiased_labels.py). A promotion, its entry in the history and the run's end are one
transaction.
"""

from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.errors import Conflict
from core.base.network_catalog import TRAINABLE
from core.base.states import ACTIVE_STATES, JobState, RunState
from core.evaluation import evaluation_jobs, promotion_gate, unbiased_labels
from core.evaluation.promotion_gate import Gate, Verdict
from core.labels import counts
from core.models import registry
from core.orm.jobs import Job
from core.orm.schedules import Schedule, ScheduleRun
from core.schedules import runs, schedules
from core.schedules.parameters import IN_USE, PROMOTE, parse_since
from core.schedules.runs import RunClaim
from core.training import training_jobs
from worker.process.runtime import Runtime

log = structlog.get_logger()


def advance(runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor) -> None:
    """Take a claimed run one step further.

    Raises:
        PawsortError: The run cannot be carried out; the text says why.
        LeaseLost: The claim is no longer valid.
    """
    match run.state:
        case RunState.WAITING:
            _start(runtime, claim, actor)
        case RunState.RUNNING:
            _use_training(runtime, claim, run, actor)
        case RunState.EVALUATING:
            if not _release_while_evaluating(runtime, claim, run):
                _use_training(runtime, claim, run, actor)


def _start(runtime: Runtime, claim: RunClaim, actor: Actor) -> None:
    """Create the training, or skip it if there are too few new labels."""
    with runtime.db.write() as session:
        schedule = schedules.get_schedule(session, claim.schedule_id, lock=True)
        run = runs.hold_run(session, claim)
        parameters = run.parameters
        n_new = _count_new(session, schedule, run)
        if run.user_id is None and schedule.every_n_labels is None and n_new < parameters["min_new_labels"]:
            required = parameters["min_new_labels"]
            outcome = f"Skipped: {_labels(n_new)} since the last training; {required} are required."
            runs.end_run(session, claim, RunState.SKIPPED, outcome, n_new_labels=n_new)
            return
        started_from, note = _choose_start(session, parameters)
        job = training_jobs.create_training_job(
            session,
            actor,
            run.work_uuid,
            parameters["training"] | {"network": parameters["network"], "start_from": started_from},
            None if parameters["uploads"] is None else [UUID(uuid) for uuid in parameters["uploads"]],
            schedule.name,
            None if parameters["labels_since"] is None else parse_since(parameters["labels_since"]),
        )
        run.job_id = job.id
        runs.leave_to_jobs(run, RunState.RUNNING)
        runs.note(run, n_new_labels=n_new, started_from=started_from, note=note)
        schedule.label_mark = max(schedule.label_mark, counts.newest_label(session))
        job_id = job.id
    runtime.tasks.send_trainings([job_id])


def _count_new(session: Session, schedule: Schedule, run: ScheduleRun) -> int:
    """The number of new labels: as counted when the run began, if it began because of them."""
    if "n_new_labels" in run.details:
        return int(run.details["n_new_labels"])
    return counts.count_new(session, schedule.label_mark, run.parameters["uploads"])


def _choose_start(session: Session, parameters: dict[str, Any]) -> tuple[int | None, str]:
    """The version to start from, and a note if that is not the requested one."""
    if parameters["start_from"] != IN_USE:
        return None, ""
    version = registry.find_trained(session, registry.current_version(session))
    network = TRAINABLE[parameters["network"]]
    if version.network == network.name and version.manifest["side_px"] == network.side_px:
        return version.id, ""
    return None, f"Version {version.id}, in use, is of {version.network}, so {network.name} was trained from scratch."


def _use_training(runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor) -> None:
    """Use the result of the training: a version that is kept or compared, or none."""
    with runtime.db.read() as session:
        job = session.get_one(Job, run.job_id)
    if job.deleted_at is not None:
        return _end(runtime, claim, RunState.FAILED, "The training job was deleted before its result was used.")
    if job.state in ACTIVE_STATES:  # it has been retried since this run was found ready
        return _release(runtime, claim)
    if job.state == JobState.FAILED:
        return _end(runtime, claim, RunState.FAILED, f"The training failed. {job.error or ''}".strip())
    if job.model_version_id is None:
        return _end(runtime, claim, RunState.FAILED, "The training was stopped without making a version.")
    _note_data(runtime, claim, job.model_version_id)
    if run.parameters["outcome"] == PROMOTE and job.state == JobState.DONE:
        return _compare(runtime, claim, run, actor, job.model_version_id)
    outcome = f"The training made version {job.model_version_id}, which is kept as a candidate."
    return _end(runtime, claim, RunState.DONE, outcome, candidate=job.model_version_id)


def _note_data(runtime: Runtime, claim: RunClaim, version_id: int) -> None:
    """Record the version's training data with the run, so it is known after the version is deleted."""
    with runtime.db.write() as session:
        manifest = registry.get_version(session, version_id).manifest
        run = runs.hold_run(session, claim)
        runs.note(run, pictures=manifest.get("data", {}).get("n_images"), parts=manifest.get("split"))


def _compare(runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor, candidate: int) -> None:
    """Compare candidate and version in use, after evaluating those that lack predictions."""
    parameters = run.parameters
    with runtime.db.write() as session:
        in_use = registry.current_version(session).id
        unbiased = unbiased_labels.choose_unbiased(session)
    if in_use == candidate:
        outcome = f"The training made the same network as the one in use, version {candidate}."
        return _end(runtime, claim, RunState.DONE, outcome, candidate=candidate)
    n_unbiased = promotion_gate.count_of_classes(unbiased)
    if n_unbiased < promotion_gate.MIN_PICTURES:
        return _keep(runtime, claim, candidate, in_use, promotion_gate.too_few(n_unbiased))
    if run.details.get("weighed_against") != in_use and _evaluate_first(
        runtime, claim, actor, [in_use, candidate], unbiased
    ):
        return None
    with runtime.db.read() as session:
        first, second = registry.get_version(session, in_use), registry.get_version(session, candidate)
        pairs = promotion_gate.read_pairs(session, first, second, unbiased)
    verdict = promotion_gate.decide(
        Gate(parameters["min_gain"], parameters["max_p"], parameters["max_class_loss"]), pairs, n_unbiased
    )
    if not verdict.is_better:
        return _keep(runtime, claim, candidate, in_use, verdict)
    return _promote(runtime, claim, actor, candidate, in_use, verdict)


def _evaluate_first(
    runtime: Runtime, claim: RunClaim, actor: Actor, versions: list[int], unbiased: dict[bytes, str]
) -> bool:
    """Create evaluations of the versions that lack predictions; return whether there are any."""
    with runtime.db.write() as session:
        lacking = [id_ for id_ in versions if not promotion_gate.has_all_predictions(session, id_, unbiased)]
        run = runs.hold_run(session, claim)
        created = [evaluation_jobs.create_evaluation_job(session, actor, version) for version in lacking]
        runs.note(run, weighed_against=versions[0], judge_jobs=[str(job.uuid) for job in created])
        if created:
            runs.leave_to_jobs(run, RunState.EVALUATING)
        job_ids = [job.id for job in created]
    runtime.tasks.send_trainings(job_ids)
    return bool(job_ids)


def _release_while_evaluating(runtime: Runtime, claim: RunClaim, run: ScheduleRun) -> bool:
    """Release the run for now if a version is still being evaluated."""
    uuids = [UUID(uuid) for uuid in run.details.get("judge_jobs", [])]
    active = select(Job.id).where(Job.uuid.in_(uuids), Job.state.in_(ACTIVE_STATES), Job.deleted_at.is_(None)).limit(1)
    with runtime.db.read() as session:
        is_evaluating = session.scalar(active) is not None
    if is_evaluating:
        _release(runtime, claim)
    return is_evaluating


def _promote(runtime: Runtime, claim: RunClaim, actor: Actor, candidate: int, in_use: int, verdict: Verdict) -> None:
    with runtime.db.read() as session:
        version = registry.get_version(session, candidate)
    registry.fetch_weights(runtime.blobs, version)
    try:
        with runtime.db.write() as session:
            schedule = session.get_one(Schedule, claim.schedule_id)
            reason = f"promoted by the schedule “{schedule.name}” (run {claim.run_id}): {verdict.sentence}"
            registry.promote(session, candidate, actor, reason, instead_of=in_use)
            outcome = f"Version {candidate} was promoted in place of version {in_use}: {verdict.sentence}."
            details = _describe(candidate, in_use, verdict, is_promoted=True)
            runs.end_run(session, claim, RunState.DONE, outcome, **details)
    except Conflict as error:  # another version was promoted in the meantime: compare again, with that one
        log.info("weighed_in_vain", run_id=claim.run_id, reason=error.message)
        _release(runtime, claim)
    else:
        log.info("version_promoted", run_id=claim.run_id, version=candidate, instead_of=in_use)


def _keep(runtime: Runtime, claim: RunClaim, candidate: int, in_use: int, verdict: Verdict) -> None:
    outcome = f"Version {candidate} was not promoted and is kept as a candidate: {verdict.sentence}."
    if verdict.is_too_few:
        outcome = f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}. Version {candidate} is kept as a candidate."
    _end(runtime, claim, RunState.DONE, outcome, **_describe(candidate, in_use, verdict, is_promoted=False))


def _describe(candidate: int, in_use: int, verdict: Verdict, is_promoted: bool) -> dict[str, Any]:
    """The comparison as the run's page shows it."""
    return {
        "candidate": candidate,
        "in_use": in_use,
        "is_promoted": is_promoted,
        "is_too_few": verdict.is_too_few,
        "gate": verdict.figures,
    }


def _end(runtime: Runtime, claim: RunClaim, state: RunState, outcome: str, **details: Any) -> None:
    with runtime.db.write() as session:
        runs.end_run(session, claim, state, outcome, **details)


def _release(runtime: Runtime, claim: RunClaim) -> None:
    with runtime.db.write() as session:
        runs.release_run(session, claim)


def _labels(n: int) -> str:
    return f"{n} new label{'' if n == 1 else 's'}"
