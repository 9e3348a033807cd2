"""Labels that may judge: those that were given whatever a version thought of the picture.

Whoever corrects looks at what the version in use got wrong. Judged on such pictures it would score near zero, and any
candidate would win. So a content judges only if a folder or an audit sample says of it what counts, or if it belongs to
a job that was confirmed as a whole and of which no picture was left out: there corrections are part of the whole.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from core.base.database import slices
from core.base.states import BatchKind, LabelSource
from core.evaluation import predictions
from core.labels.labels import person_label_of
from core.orm.evaluation import Prediction
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.review import LabelBatch
from core.orm.uploads import Image

HONEST_SOURCES = (LabelSource.FOLDER, LabelSource.AUDIT)
_JUDGED = select(Prediction.sha256, Prediction.label)


def choose_unbiased(session: Session) -> dict[bytes, str]:
    """The contents of the judging part that judge honestly, with what counts as said; their part is kept for good."""
    said = {content.sha256: content.label for content in predictions.choose_contents(session)}
    honest = find_unbiased(session, said)
    return {sha256: label for sha256, label in said.items() if sha256 in honest}


def find_unbiased(session: Session, said: Mapping[bytes, str]) -> set[bytes]:
    """Those contents whose label, as given, was said whatever a version thought of them."""
    backed = _backed(session, said)
    return backed | _in_whole_jobs(session, said.keys() - backed)


def count_biased(session: Session, said: Mapping[bytes, str]) -> int:
    """Of how many contents the label, as given, may come from what a version thought of them."""
    return len(said) - len(find_unbiased(session, said))


def find_common(session: Session, *versions: int) -> dict[bytes, str]:
    """The contents that all these versions were asked about, with what counted as said when the first one was."""
    asked = [
        {row.sha256: row.label for row in session.execute(_JUDGED.where(Prediction.version_id == version))}
        for version in versions
    ]
    return {sha256: label for sha256, label in asked[0].items() if all(sha256 in one for one in asked)}


def _backed(session: Session, said: Mapping[bytes, str]) -> set[bytes]:
    """Those of the contents of which an honest source says the same as what counts."""
    backed: set[bytes] = set()
    for some in slices(said):
        honest = select(Label.sha256, Label.label).where(Label.sha256.in_(some), Label.source.in_(HONEST_SOURCES))
        backed |= {row.sha256 for row in session.execute(honest) if row.label == said[row.sha256]}
    return backed


def _in_whole_jobs(session: Session, contents: Collection[bytes]) -> set[bytes]:
    """Those of the contents that belong to a job of which people said something of every picture, in one go."""
    found: set[bytes] = set()
    for job in session.scalars(_confirmed_jobs()).all() if contents else ():
        good = (Image.upload_id == job.upload_id) & (Result.job_id == job.id) & Result.error_code.is_(None)
        of_job = select(Image.sha256).join(Result, Result.image_id == Image.id).where(good)
        if session.scalar(of_job.where(person_label_of(Image).is_(None)).limit(1)) is None:
            for some in slices(contents):
                found |= set(session.scalars(of_job.where(Image.sha256.in_(some))))
    return found


def _confirmed_jobs() -> Select[Job]:
    """Jobs that somebody confirmed as a whole, and nobody took that back."""
    undo = aliased(LabelBatch)
    whole = LabelBatch.is_whole & (LabelBatch.kind == BatchKind.CONFIRM) & LabelBatch.finished_at.is_not(None)
    stands = ~select(undo.id).where(undo.undo_of_id == LabelBatch.id).exists()
    return select(Job).where(Job.id.in_(select(LabelBatch.job_id).where(whole, stands)), Job.deleted_at.is_(None))
