"""Unbiased labels: those given independently of a version's prediction.

Corrections are made where the version in use is wrong. Evaluated on such pictures it would score near zero, and any
candidate would win. So a label counts only if it comes from a folder or an audit, or if the content belongs to a job
that was confirmed as a whole, without any picture left out: there corrections are part of the whole.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from core.base.database import slices
from core.base.states import BatchKind, LabelSource
from core.evaluation import predictions
from core.labels import folder_labels
from core.labels.labels import person_label_of
from core.labels.undo import stands
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.review import LabelBatch
from core.orm.uploads import Image

UNBIASED_SOURCES = (LabelSource.FOLDER, LabelSource.AUDIT)
_PREDICTED = select(Prediction.sha256, Prediction.label)


def choose_unbiased(session: Session) -> dict[bytes, str]:
    """The contents of the test split with unbiased labels, and these labels; their split is stored for good."""
    labels = {content.sha256: content.label for content in predictions.choose_contents(session)}
    unbiased = find_unbiased(session, labels)
    return {sha256: label for sha256, label in labels.items() if sha256 in unbiased}


def find_unbiased(session: Session, labels: Mapping[bytes, str]) -> set[bytes]:
    """Those contents whose label is unbiased."""
    backed = _backed(session, labels)
    return backed | _in_whole_jobs(session, labels.keys() - backed)


def count_biased(session: Session, labels: Mapping[bytes, str]) -> int:
    """How many contents have a label that may depend on a version's prediction; folders' pending ones do not."""
    return len(labels) - len(find_unbiased(session, labels) | folder_labels.find_pending(session, labels))


def find_common(session: Session, *versions: int) -> dict[bytes, str]:
    """The contents that all these versions have predictions for, with their labels in the evaluation of the first."""
    asked = [
        {row.sha256: row.label for row in session.execute(_PREDICTED.where(Prediction.version_id == version))}
        for version in versions
    ]
    return {sha256: label for sha256, label in asked[0].items() if all(sha256 in one for one in asked)}


def _backed(session: Session, labels: Mapping[bytes, str]) -> set[bytes]:
    """Those of the contents whose label an unbiased source has given."""
    backed: set[bytes] = set()
    for some in slices(labels):
        by_source = Label.sha256.in_(some) & Label.source.in_(UNBIASED_SOURCES)
        unbiased = select(Label.sha256, Label.label).where(by_source, stands(Label))
        backed |= {row.sha256 for row in session.execute(unbiased) if row.label == labels[row.sha256]}
    return backed


def _in_whole_jobs(session: Session, contents: Collection[bytes]) -> set[bytes]:
    """Those of the contents that belong to a job that was confirmed as a whole, with every picture labelled."""
    inside: set[bytes] = set()
    for job in session.scalars(_confirmed_jobs()).all() if contents else ():
        good = (Image.upload_id == job.upload_id) & (Result.job_id == job.id) & Result.error_code.is_(None)
        of_job = select(Image.sha256).join(Result, Result.image_id == Image.id).where(good)
        if session.scalar(of_job.where(person_label_of(Image).is_(None)).limit(1)) is None:
            for some in slices(contents):
                inside |= set(session.scalars(of_job.where(Image.sha256.in_(some))))
    return inside


def _confirmed_jobs() -> Select[Job]:
    """Jobs that were confirmed as a whole, without an undo."""
    undo = aliased(LabelBatch)
    whole = LabelBatch.is_whole & (LabelBatch.kind == BatchKind.CONFIRM) & LabelBatch.finished_at.is_not(None)
    is_undone = select(undo.id).where(undo.undo_of_id == LabelBatch.id).exists()
    return select(Job).where(Job.id.in_(select(LabelBatch.job_id).where(whole, ~is_undone)), Job.deleted_at.is_(None))
