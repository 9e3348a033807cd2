"""How far the review of a job is, without reading every label each time.

Labels are only ever added, so what was counted up to one label stays true. A later count reads the contents that were
labelled since: what they were then, and what they are now.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple, Self

from sqlalchemy import ScalarSelect, case, func, select
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
FEW = 10_000  # labels, which are counted in about a tenth of a second


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
        """Whether so few labels are new that a page can wait until they are counted."""
        return _find_newest(session) - self._find_known(job).label_id <= FEW

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
    if label_id == known.label_id:
        return known
    after = _count(session, job, known.label_id, label_id, label_id)
    before = _count(session, job, known.label_id, label_id, known.label_id) if known.label_id else _Tally()
    return _Known(label_id, known.tally.changed(before, after))


def _count(session: Session, job: Job, after: int, until: int, as_of: int) -> _Tally:
    """Count the pictures whose contents people labelled after one label and until another one, as of a third one."""
    shown = case(
        (Result.confidence < job.threshold_milli * 1000, None),
        *((Result.class_index == index, name) for index, name in enumerate(CLASSES)),
    )
    is_new = (Label.id > after) & (Label.id <= until) & (Label.source != LabelSource.FOLDER)
    contents = select(Label.sha256).where(is_new).distinct().subquery()
    word: ScalarSelect[str | None] = person_label_of(Image, as_of)
    reviewed = (
        select(word.label("word"), shown.label("shown"), is_probably_neither(job.threshold_milli).label("is_neither"))
        .select_from(contents)
        .join(Image, Image.sha256 == contents.c.sha256)
        .join(Result, Result.image_id == Image.id)
        # Plus 0: no index, since few pictures have labels, and the job may have a million.
        .where(Image.upload_id + 0 == job.upload_id, Result.job_id == job.id, Result.error_code.is_(None))
        .where(word.is_not(None))
        .subquery()
    )
    was_unsure, was_neither = reviewed.c.shown.is_(None), reviewed.c.is_neither
    counted = (
        func.count(),
        func.count(case((was_unsure & ~was_neither, 1))),
        func.count(case((was_unsure & was_neither, 1))),
        func.count(case((reviewed.c.word != reviewed.c.shown, 1))),
    )
    return _Tally(*session.execute(select(*counted).select_from(reviewed)).one())
