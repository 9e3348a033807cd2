"""How far the review of a job is, without reading every label each time.

Labels are only ever added, so what was counted up to one label stays true. A later count reads the contents that were
labelled since: what they were then, and what they are now. Where these are many compared with the job, all of its
pictures are counted anew, since finding a labelled picture costs more than reading the next one.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, Self

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.network_catalog import CLASSES
from core.base.states import LabelSource
from core.jobs.confidence import UNSURE
from core.jobs.progress import JobView
from core.jobs.result_filter import is_probably_neither
from core.labels.labels import person_label_of
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.results import Result
from core.orm.uploads import Image

SETTLED_S = 60.0  # a label that was written longer ago is seen by every reader, whatever the order of the commits
JOBS_KEPT = 256
FEW = 10_000  # labels or pictures, which are counted in about a tenth of a second
DEARER = 4  # how many times as long as reading a picture it takes to find the pictures of a label


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """The progress of a job's review. All but `n_good` count pictures with or without a label by a person.

    `n_unsure_left` counts unsure pictures but those that are probably neither, which `n_neither_left` counts.
    `n_other` counts those that people label differently from the model; reviews start with the doubtful ones, so it
    does not show how often the model is right.
    """

    n_good: int
    n_reviewed: int
    n_unsure_left: int
    n_neither_left: int
    n_other: int


class _Tally(NamedTuple):
    """Of the pictures that people have labelled: all, unsure ones, those that are probably neither, corrected ones."""

    n_reviewed: int = 0
    n_unsure: int = 0
    n_neither: int = 0
    n_other: int = 0

    def changed(self, before: Self, after: Self) -> "_Tally":
        """This tally, once pictures that were counted as `before` are counted as `after`."""
        return _Tally(*(n - old + new for n, old, new in zip(self, before, after, strict=True)))


class _Known(NamedTuple):
    """A tally up to a label."""

    label_id: int
    tally: _Tally


NOTHING_KNOWN = _Known(0, _Tally())
_Key = tuple[int, int, int]  # a job, its revision, its threshold


class ReviewTallies:
    """The tallies that this process has made, by job."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Key, _Known] = OrderedDict()
        self._lock = Lock()

    def measure(self, session: Session, job: Job, view: JobView) -> ReviewProgress:
        """How far the review of a job is. Reads every label by a person the first time, and later those that are new.

        Args:
            view: The same job with its counts.
        """
        key, known = _key(job), self._find_known(job)
        settled = _advance(session, job, known, _find_settled(session))
        with self._lock:
            self._known[key] = settled
            self._known.move_to_end(key)
            while len(self._known) > JOBS_KEPT:
                self._known.popitem(last=False)
        now = _advance(session, job, settled, None).tally
        return ReviewProgress(
            n_good=view.n_done,
            n_reviewed=now.n_reviewed,
            n_unsure_left=view.by_label[UNSURE] - view.n_probably_neither - now.n_unsure,
            n_neither_left=view.n_probably_neither - now.n_neither,
            n_other=now.n_other,
        )

    def is_quick(self, session: Session, job: Job) -> bool:
        """Whether so little is to be read that a page can wait until it is counted."""
        n_new = _find_newest(session) - self._find_known(job).label_id
        return min(n_new, job.n_total) <= FEW

    def _find_known(self, job: Job) -> _Known:
        with self._lock:
            return self._known.get(_key(job), NOTHING_KNOWN)


def _key(job: Job) -> _Key:
    return job.id, job.revision, job.threshold_milli


def _find_newest(session: Session) -> int:
    return session.scalar(select(func.max(Label.id))) or 0


def _find_settled(session: Session) -> int:
    """The newest label that no open transaction can still precede."""
    is_settled = Label.created_at < db_now(-SETTLED_S)
    return session.scalar(select(Label.id).where(is_settled).order_by(Label.id.desc()).limit(1)) or 0


def _advance(session: Session, job: Job, known: _Known, until: int | None) -> _Known:
    """The tally up to a later label; None for all of today."""
    label_id = _find_newest(session) if until is None else max(until, known.label_id)
    n_new = label_id - known.label_id
    if n_new == 0:
        return known
    if n_new * DEARER >= job.n_total:
        return _Known(label_id, _count(session, job, label_id))
    contents = _contents_labelled(known.label_id, label_id)
    after = _count(session, job, label_id, contents)
    before = _count(session, job, known.label_id, contents) if known.label_id else _Tally()
    return _Known(label_id, known.tally.changed(before, after))


def _contents_labelled(after: int, until: int) -> Select[bytes]:
    """The contents that people labelled after one label and until another one."""
    is_new = (Label.id > after) & (Label.id <= until) & (Label.source != LabelSource.FOLDER)
    return select(Label.sha256).where(is_new).distinct()


def _count(session: Session, job: Job, as_of: int, contents: Select[bytes] | None = None) -> _Tally:
    """Count the labelled pictures of a job as of a label; only those with some contents, if these are given."""
    shown = case(
        (Result.confidence < job.threshold_milli * 1000, None),
        *((Result.class_index == index, name) for index, name in enumerate(CLASSES)),
    )
    word = person_label_of(Image, as_of).label("word")
    kind = word, shown.label("shown"), is_probably_neither(job.threshold_milli).label("is_neither")
    pictures = select(*kind).where(Result.job_id == job.id, Result.error_code.is_(None))
    if contents is None:
        pictures = pictures.select_from(Result).join(Image, Image.id == Result.image_id)
    else:
        some = contents.subquery()
        pictures = pictures.select_from(some).join(Image, Image.sha256 == some.c.sha256)
        # Plus 0: no index, since few pictures have labels, and the job may have a million.
        pictures = pictures.join(Result, Result.image_id == Image.id).where(Image.upload_id + 0 == job.upload_id)
    each = pictures.subquery()
    counted = session.execute(select(*each.c, func.count()).group_by(*each.c))
    return _tally([(row[0], row[1], bool(row[2]), row[3]) for row in counted if row[0] is not None])


def _tally(reviewed: Sequence[tuple[str, str | None, bool, int]]) -> _Tally:
    """Add up groups of pictures: their label, the one that the model shows, whether it is neither, and their number."""
    return _Tally(
        n_reviewed=sum(n for _, _, _, n in reviewed),
        n_unsure=sum(n for _, shown, is_neither, n in reviewed if shown is None and not is_neither),
        n_neither=sum(n for _, shown, is_neither, n in reviewed if shown is None and is_neither),
        n_other=sum(n for word, shown, _, n in reviewed if shown is not None and word != shown),
    )
