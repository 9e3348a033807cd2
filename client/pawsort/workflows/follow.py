"""Following a job: its results while they come, its end."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pawsort.api.calls import PAGE_SIZE, Flow, Item, NextEvent, Pause, Stream, ask
from pawsort.api.decoding import decode
from pawsort.api.errors import ClientError, JobFailed, NotFound
from pawsort.operations.jobs import JobOperations, has_ended, list_changes, results_page
from pawsort.operations.uploads import files_page
from pawsort.schemas import Epoch, Epochs, Job, Result
from pawsort.uploads.background_upload import BackgroundUpload

FIRST_PAUSE_S = 0.02  # a single picture takes no longer
GROWTH = 1.5
BUSY_PAUSE_S = 0.3
LONGEST_PAUSE_S = 2.0


class Pauses:
    """Pauses between questions: they begin short and grow, less far while something happens."""

    def __init__(self) -> None:
        self.seconds = FIRST_PAUSE_S

    def after(self, changed: bool) -> Pause:
        """Return the next pause."""
        pause = Pause(self.seconds)
        self.seconds = min(self.seconds * GROWTH, BUSY_PAUSE_S if changed else LONGEST_PAUSE_S)
        return pause


class JobWatch:
    """A job as it changes: asked for at first, since small jobs end soon, and then told by the server's events.

    It keeps asking while files are sent, whose end the server does not know, and where no events arrive.
    """

    def __init__(self, job: str, background: BackgroundUpload | None = None) -> None:
        self._job, self._background = job, background
        self._events = list_changes(job)
        self._pauses = Pauses()
        self._last: Job | None = None
        self._may_listen, self._has_heard = True, False
        self._has_changed = True

    def next(self) -> Flow[Job]:
        """Return the job: the first time at once, then after a pause or with the next event."""
        view = yield from (self._listen() if self._is_listening() else self._ask())
        self._has_changed, self._last = view != self._last, view
        return view

    def _is_listening(self) -> bool:
        is_sending = self._background is not None and not self._background.is_finished
        is_running = self._last is not None and not has_ended(self._last)
        return self._may_listen and is_running and not is_sending and self._pauses.seconds >= BUSY_PAUSE_S

    def _ask(self) -> Flow[Job]:
        if self._last is not None:
            yield self._pauses.after(self._has_changed)
        return (yield from JobOperations.get.within(self._job))

    def _listen(self) -> Flow[Job]:
        try:
            view: Job = yield NextEvent(self._events)
        except ClientError:  # the stream has ended; one that said nothing is not opened again
            self._may_listen, self._has_heard = self._has_heard, False
            view = yield from self._ask()
        else:
            self._has_heard = True
        return view


def follow_job(job: str, background: BackgroundUpload | None = None) -> Stream[Job]:
    """Yield a job until it has ended: as it is now, and again and again."""
    watch = JobWatch(job, background)
    while True:
        view = yield from watch.next()
        yield Item(view)
        if _is_over(view, background):
            return


def follow_training(job: str) -> Stream[tuple[Job, Epochs]]:
    """Yield a training with its epochs, every few seconds until it has ended: no event announces an epoch."""
    pauses = Pauses()
    while True:
        view, curve = yield from _ask_training(job)
        yield Item((view, curve))
        if has_ended(view):
            return
        yield pauses.after(changed=False)


def follow_epochs(job: str) -> Stream[Epoch]:
    """Yield the epochs of a training while they come, as `follow_training` does."""
    pauses, n_given = Pauses(), 0
    while True:
        view, curve = yield from _ask_training(job)
        for epoch in curve.items[n_given:]:
            yield Item(epoch)
        n_given = len(curve.items)
        if has_ended(view):
            return
        yield pauses.after(changed=False)


def _ask_training(job: str) -> Flow[tuple[Job, Epochs]]:
    """The job first: of one that has ended, no epoch is missing then."""
    view = yield from JobOperations.get.within(job)
    curve = yield from JobOperations.epochs.within(job)
    return view, curve


def wait_for_job(job: str, background: BackgroundUpload | None = None) -> Flow[Job]:
    """Wait until a job has ended.

    Raises:
        JobFailed: It has failed.
    """
    watch = JobWatch(job, background)
    view = yield from watch.next()
    while not _is_over(view, background):
        view = yield from watch.next()
    if view.state == "failed":
        raise JobFailed(view.error or f"Job {job} has failed.", job)
    return view


def follow_results(job: str, background: BackgroundUpload | None = None) -> Stream[Result]:
    """Yield the results of a job in the order of the upload, each once it and all before it are there."""
    window, watch = _Window(), JobWatch(job, background)
    n_seen = -1
    while True:
        view = yield from watch.next()
        is_over = _is_over(view, background)
        n_results = view.counts.done + view.counts.failed
        if n_results == n_seen and not is_over:
            continue
        n_seen = n_results
        while True:
            results = yield from ask(results_page(job, window.results))
            n_ready = len(results["items"])
            files: Mapping[str, Any] = {"items": [], "next": None}
            if not is_over:
                files = yield from ask(files_page(view.upload, window.files))
                n_ready = window.count_ready(results["items"], files["items"], _n_in_order(view, background))
            for result in results["items"][window.n_given : n_ready]:
                yield Item(decode(Result, result))
            window.n_given = max(n_ready, window.n_given)
            is_whole = is_over or (n_ready == PAGE_SIZE and files["next"] is not None)
            if results["next"] is None or not is_whole:
                break
            window = _Window(results["next"], files["next"], window.n_before + n_ready)
        if is_over:
            return


@dataclass
class _Window:
    """One page of the results, and of the files that they belong to: both lists have the same order.

    Attributes:
        results: The cursor of the page in the list of results.
        files: The cursor of the page in the list of files.
        n_before: How many files come before it.
        n_given: How many results of it were yielded.
    """

    results: str | None = None
    files: str | None = None
    n_before: int = 0
    n_given: int = 0

    def count_ready(self, results: list[Any], files: list[Any], n_in_order: int) -> int:
        """Count the results at the beginning of the page before which none is missing."""
        n_ready = 0
        for result, file in zip(results, files[: max(n_in_order - self.n_before, 0)], strict=False):
            if result["image_id"] != file["image_id"]:
                break
            n_ready += 1
        return n_ready


def _n_in_order(view: Job, background: BackgroundUpload | None) -> int:
    """How many files have arrived without a gap. Shards of others arrive in any order until the upload is complete."""
    if view.state != "receiving":
        return sys.maxsize
    return 0 if background is None else background.n_in_order


def _is_over(view: Job, background: BackgroundUpload | None) -> bool:
    """Whether a job and its upload have ended. Raises the error that ended the upload."""
    if background is not None:
        background.check()
    return has_ended(view) and (background is None or background.is_finished)


def wait_until_there(job: str, background: BackgroundUpload) -> Flow[Job]:
    """Wait for a job that begins with the first files of an archive."""
    pauses = Pauses()
    while True:
        is_finished = background.is_finished
        try:
            return (yield from JobOperations.get.within(job))
        except NotFound:
            if is_finished:
                background.check()
                raise
        yield pauses.after(True)
