"""Label quality: jobs that find doubtful labels by a version's features, and forecast the gain from more labels.

    queued ─► running (claimed as a training is) ─► done with findings │ failed │ cancelled

Such a job (`study` in tables and the API) changes nothing: it trains heads and drops them. Its report is used until
the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.database import slices
from core.base.errors import IdTaken, Invalid
from core.base.network_catalog import CLASSES
from core.base.states import ACTIVE_STATES, JobKind, JobState
from core.jobs import jobs
from core.jobs.result_filter import is_probably_neither
from core.labels import labels
from core.models import registry
from core.orm.evaluation import LabelQualityReport
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.results import Result
from core.orm.training import Training
from core.orm.uploads import Image, Upload
from core.training import claims, datasets
from core.training.claims import Claim
from core.training.datasets import Content

MIN_EACH = 25
DOUBTFUL_OF_JOB = 300
JOBS_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class UncertainImage:
    """An unlabelled picture with a low confidence; `confidence` in millionths."""

    image_id: int
    sha256: bytes
    confidence: int


def create_label_quality_job(
    session: Session, actor: Actor, version_id: int | None = None, uuid: UUID | None = None
) -> Job:
    """Create a job that checks all labels; while one is active, that one is returned.

    Args:
        version_id: The version whose features to use; that in use when not given.
        uuid: The caller's id for the job; a new one when not given.
    Raises:
        NotFound, Gone: There is no such version.
        Invalid: There are too few labels.
        Conflict: Another job has this id.
    """
    version = registry.hold_version(session, version_id or registry.current_version(session).id)
    active = (Job.kind == JobKind.LABEL_QUALITY) & Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None)
    existing = session.scalar(select(Job).where(active)) or session.scalar(select(Job).where(Job.uuid == uuid))
    if existing is not None:
        return _same_job(session, existing.uuid)
    choose_contents(session)
    job = Job(
        uuid=uuid or uuid4(),
        kind=JobKind.LABEL_QUALITY,
        name="Check the labels",
        state=JobState.QUEUED,
        user_id=actor.user_id,
        model_version_id=version.id,
    )
    if not jobs.insert_job(session, job):
        return _same_job(session, job.uuid)
    session.add(Training(job_id=job.id, parameters={}))
    session.flush()
    session.refresh(job)
    return job


def _same_job(session: Session, uuid: UUID) -> Job:
    job = jobs.get_job(session, uuid)
    if job.kind != JobKind.LABEL_QUALITY:
        raise IdTaken(f"Job {uuid} exists and does something else. Choose a new id.")
    return job


def choose_contents(session: Session) -> list[Content]:
    """Everything labelled as one of the classes, each content once.

    Raises:
        Invalid: It is too little to say anything.
    """
    contents = [one for one in datasets.find_labelled(session, None).contents if one.label in CLASSES]
    counts = {name: sum(one.label == name for one in contents) for name in CLASSES}
    if min(counts.values()) < MIN_EACH:
        there = ", ".join(f"{n} of {name}" for name, n in counts.items())
        raise Invalid(
            f"There are too few labels to check: expected at least {MIN_EACH} of each class; got {there}. Label"
            " more pictures, or upload labelled folders."
        )
    return contents


def find_uncertain(session: Session) -> list[UncertainImage]:
    """Unlabelled pictures of the newest jobs with the lowest confidence, the lowest first.

    Not those that are probably neither: people label them together.
    """
    newest = (
        select(Job.id, Job.upload_id, Job.threshold_milli)
        .where(Job.kind == JobKind.CLASSIFY, Job.deleted_at.is_(None), Job.n_done > 0)
        .order_by(Job.id.desc())
        .limit(JOBS_LOOKED_AT)
    )
    uncertain: dict[bytes, UncertainImage] = {}
    for job_id, upload_id, threshold_milli in session.execute(newest):
        rows = session.execute(
            select(Image.id, Image.sha256, Result.confidence)
            .join(Result, Result.image_id == Image.id)
            .join(Upload, Upload.id == Image.upload_id)
            .where(Result.job_id == job_id, Image.upload_id == upload_id, Result.confidence.is_not(None))
            .where(labels.human_label_of(Image).is_(None), ~is_probably_neither(threshold_milli))
            .order_by(Result.confidence, Result.image_id)
            .limit(DOUBTFUL_OF_JOB)
        )
        for image_id, sha256, confidence in rows:
            assert confidence is not None
            uncertain.setdefault(sha256, UncertainImage(image_id, sha256, confidence))
    return sorted(uncertain.values(), key=lambda image: image.confidence)


def list_unlabelled(session: Session, limit: int) -> set[bytes]:
    """Unlabelled contents of the newest jobs, up to a limit."""
    newest = select(Job.upload_id).where(Job.kind == JobKind.CLASSIFY, Job.deleted_at.is_(None), Job.n_done > 0)
    contents: set[bytes] = set()
    for upload_id in session.scalars(newest.order_by(Job.id.desc()).limit(JOBS_LOOKED_AT)).all():
        unlabelled = select(Image.sha256).where(Image.upload_id == upload_id, labels.human_label_of(Image).is_(None))
        contents |= set(session.scalars(unlabelled.order_by(Image.id).limit(limit - len(contents))))
    return contents


def list_some_contents(session: Session, n_each: int) -> dict[int, list[bytes]]:
    """Contents of the newest jobs that classified, by the job's number: up to a limit of each, from anywhere in it."""
    newest = select(Job.id, Job.upload_id, Job.n_total).where(
        Job.kind == JobKind.CLASSIFY, Job.deleted_at.is_(None), Job.n_done > 0
    )
    some: dict[int, list[bytes]] = {}
    for job_id, upload_id, n_total in session.execute(newest.order_by(Job.id.desc()).limit(JOBS_LOOKED_AT)):
        step = max(1, n_total // n_each)
        rows = select(Image.sha256).where(Image.upload_id == upload_id, Image.id % step == 0).limit(n_each)
        some[job_id] = list(session.scalars(rows))
    return some


def finish(
    session: Session,
    claim: Claim,
    version_id: int,
    n_labels: int,
    curve: Mapping[str, Any],
    suspects: Sequence[Mapping[str, Any]],
    wanted: Sequence[int],
) -> None:
    """End a study with its results, both or neither.

    Raises:
        LeaseLost: The claim is no longer valid; nothing was written.
    """
    claims.end(session, claim)
    session.add(
        LabelQualityReport(
            job_id=claim.job_id,
            version_id=version_id,
            n_labels=n_labels,
            curve=dict(curve),
            suspects=[dict(one) for one in suspects],
            wanted=list(wanted),
        )
    )


def find_newest_report(session: Session) -> LabelQualityReport | None:
    """The newest study there is."""
    alive = select(LabelQualityReport).join(Job, Job.id == LabelQualityReport.job_id).where(Job.deleted_at.is_(None))
    return session.scalar(alive.order_by(LabelQualityReport.job_id.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class Forecast:
    """How often a new head would be right, 0 to 1, give or take `half_width`; tried on `n_labels` labels."""

    accuracy: float
    half_width: float
    n_labels: int


def forecast(session: Session, version: ModelVersion, n_labels: int) -> Forecast | None:
    """The gain of a new head on a version's features; None when there is no report on them.

    Args:
        n_labels: How many labels it would be fitted on.
    """
    alike = (
        select(LabelQualityReport)
        .join(Job, Job.id == LabelQualityReport.job_id)
        .join(ModelVersion, ModelVersion.id == LabelQualityReport.version_id)
    )
    same_body = (ModelVersion.id == version.id) | (ModelVersion.body == version.body)
    newest = session.scalar(
        alike.where(Job.deleted_at.is_(None), same_body).order_by(LabelQualityReport.job_id.desc()).limit(1)
    )
    if newest is None:
        return None
    formula = newest.curve["formula"]
    wrong = formula["floor"] + formula["scale"] * max(n_labels, 1) ** -formula["exponent"]
    return Forecast(min(max(1 - wrong, 0.0), 1.0), newest.curve["half_width"], newest.n_labels)


def find_active(session: Session) -> Job | None:
    """The study that is under way."""
    active = (Job.kind == JobKind.LABEL_QUALITY) & Job.state.in_(ACTIVE_STATES) & Job.deleted_at.is_(None)
    return session.scalar(select(Job).where(active).limit(1))


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that is probably wrong.

    Attributes:
        label: What counted when the study was made.
        now: What counts by now.
        p_label: How likely the label is, 0 to 1, to a head that has not seen it.
    """

    image_id: int
    path: str
    label: str
    suggested: str
    now: str | None
    p_label: float


def list_suspects(session: Session, study: LabelQualityReport, is_open: bool = True) -> list[Suspect]:
    """The suspects of a study, most suspicious first, as far as the pictures are there.

    Args:
        is_open: Leave out those that were changed or confirmed since.
    """
    suspects = {int(one["image_id"]): one for one in study.suspects}
    rows: dict[int, Row[int, str, str | None, bool]] = {}
    for some in slices(suspects):
        query = (
            select(
                Image.id,
                Image.path,
                labels.human_label_of(Image).label("now"),
                labels.was_labelled_since(Image, study.created_at),
            )
            .join(Upload, Upload.id == Image.upload_id)
            .where(Image.id.in_(some), Upload.deleted_at.is_(None))
        )
        rows |= {row[0]: row for row in session.execute(query)}
    return [
        Suspect(image_id, rows[image_id][1], one["label"], one["suggested"], rows[image_id][2], one["p_label"])
        for image_id, one in suspects.items()
        if image_id in rows and not (is_open and (rows[image_id][3] or rows[image_id][2] != one["label"]))
    ]
