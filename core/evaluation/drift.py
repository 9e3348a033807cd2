"""Drift: the results of each job, compared with what is expected of its version.

histogram ─► confidence, shares ─┐
labels    ─► share corrected    ─┼─► one line for each job, newest first
audits    ─► accuracy, interval ─┘
"""

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from core.base.manifest import Manifest, metrics_of
from core.base.network_catalog import CLASSES
from core.base.states import JobKind, JobState
from core.evaluation import label_quality
from core.labels.labels import person_label_of
from core.orm.evaluation import LabelQualityReport
from core.orm.jobs import Job
from core.orm.models import ModelVersion
from core.orm.results import HistogramBin, Result
from core.orm.review import Audit
from core.orm.uploads import Image
from core.review import audits
from core.review.audits import AuditView
from core.training.splits import Split

USUALLY_UNLIKE = (
    0.05  # of pictures like those that were labelled: by how `model.evaluation.label_quality.share_unfamiliar` is made
)
MANY = 50  # good results: with fewer, shares are chance


@dataclass(frozen=True, slots=True)
class JobFit:
    """How well a version fits the pictures of a job that it classified.

    Attributes:
        shares: Of its good results, by label at the version's own threshold, `unsure` among them.
        confidence: The mean.
        expected_unsure: The share that was unsure in the evaluation of the version; None: unknown.
        corrected: Share of its pictures that a person labelled differently from the model's likelier class.
            None: not counted.
        audit: Its newest audit with labels.
        unlike: Share of its pictures that are further from every labelled one than `USUALLY_UNLIKE` of these are from
            each other, by the newest label quality report; None: the report does not have this job.
    """

    uuid: UUID
    name: str
    finished_at: datetime | None
    version_id: int
    n: int
    shares: dict[str, float]
    confidence: float
    expected_unsure: float | None
    corrected: float | None
    audit: AuditView | None
    unlike: float | None

    @property
    def is_less_sure(self) -> bool:
        """Whether clearly more is unsure than expected: twice as much, and more than chance would explain."""
        expected = self.expected_unsure
        if expected is None or self.n < MANY:
            return False
        chance = 3 * math.sqrt(max(expected * (1 - expected), 1e-4) / self.n)
        return self.shares["unsure"] > max(2 * expected, expected + chance)

    @property
    def is_unlike(self) -> bool:
        """Whether clearly more pictures are unlike the labelled ones than usual."""
        return self.unlike is not None and self.n >= MANY and self.unlike > 4 * USUALLY_UNLIKE


def describe(session: Session, job: Job, counts_corrected: bool = True) -> JobFit | None:
    """How well a version fits the pictures of one job; None before it has results, or when it does not classify.

    Args:
        counts_corrected: Whether to read the label of each picture, which takes a while for 100,000.
    """
    return _describe(session, job, label_quality.find_newest_report(session), counts_corrected)


def _describe(
    session: Session, job: Job, study: LabelQualityReport | None, counts_corrected: bool = True
) -> JobFit | None:
    if job.kind != JobKind.CLASSIFY or not job.n_done or job.model_version_id is None:
        return None
    version = session.get_one(ModelVersion, job.model_version_id)
    threshold_milli = round(float(version.manifest.get("threshold", 0.5)) * 1000)
    counts = dict.fromkeys((*CLASSES, "unsure"), 0)
    total = 0.0
    bins = select(HistogramBin.class_index, HistogramBin.bin, HistogramBin.n).where(HistogramBin.job_id == job.id)
    for class_index, bin_, n in session.execute(bins):
        counts[CLASSES[class_index] if bin_ >= threshold_milli else "unsure"] += n
        total += n * min(bin_ + 0.5, 1000) / 1000
    n_good = sum(counts.values())
    if not n_good:
        return None
    return JobFit(
        uuid=job.uuid,
        name=job.name,
        finished_at=job.finished_at,
        version_id=version.id,
        n=n_good,
        shares={name: n / n_good for name, n in counts.items()},
        confidence=total / n_good,
        expected_unsure=_expected(version.manifest),
        corrected=_count_corrected(session, job) / n_good if counts_corrected else None,
        audit=_newest_audit(session, job),
        unlike=_find_unlike(study, job),
    )


def list_jobs(session: Session, limit: int) -> list[JobFit]:
    """The newest jobs that are done, the newest first."""
    done = (Job.kind == JobKind.CLASSIFY) & (Job.state == JobState.DONE) & Job.deleted_at.is_(None)
    newest = session.scalars(select(Job).where(done).order_by(Job.id.desc()).limit(limit)).all()
    study = label_quality.find_newest_report(session)
    fits = (_describe(session, job, study) for job in newest)
    return [fit for fit in fits if fit is not None]


def _expected(manifest: Manifest) -> float | None:
    unsure = metrics_of(manifest, Split.TEST).get("unsure")
    return None if unsure is None else float(unsure)


def _count_corrected(session: Session, job: Job) -> int:
    """Pictures that a person labelled differently from the likelier class.

    Asked picture by picture: joined with all labels, SQLite would go through all results once for each label.
    """
    word = person_label_of(Image)
    labels = (
        select(Result.class_index, word.label("word"))
        .join(Image, Image.id == Result.image_id)
        .where(Image.upload_id == job.upload_id, Result.job_id == job.id, Result.class_index.is_not(None))
        .subquery()
    )
    called = case(dict(enumerate(CLASSES)), value=labels.c.class_index)
    return session.scalars(select(func.count()).where(labels.c.word != called)).one()


def _newest_audit(session: Session, job: Job) -> AuditView | None:
    rows = session.scalars(select(Audit).where(Audit.job_id == job.id).order_by(Audit.id.desc()).limit(5))
    views = (audits.describe_audit(session, audit, job.threshold_milli) for audit in rows)
    return next((view for view in views if view.n_judged), None)


def _find_unlike(study: LabelQualityReport | None, job: Job) -> float | None:
    share = study.curve.get("unlike", {}).get(str(job.id)) if study else None
    return None if share is None else float(share)
