"""Following a job: its results while they come, its end."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pawsort.api.calls import PAGE_SIZE, Call, Flow, Item, Pause, Stream, ask
from pawsort.api.decoding import decode
from pawsort.api.errors import JobFailed, NotFound
from pawsort.operations.jobs import ENDED
from pawsort.schemas import Epoch, Epochs, Job, Result
from pawsort.uploads.background_upload import BackgroundUpload

SHORTEST_PAUSE_S = 0.03  # one picture takes twice as long
PAUSE_S = 0.3  # while results come
LONGEST_PAUSE_S = 2.0


class Pauses:
    """Pauses between questions: the first are very short, later ones short while something happens, else longer."""

    def __init__(self) -> None:
        self._seconds = SHORTEST_PAUSE_S

    def after(self, changed: bool) -> Pause:
        """Return the next pause."""
        pause = Pause(min(self._seconds, PAUSE_S) if changed else self._seconds)
        self._seconds = min(pause.seconds * 1.5, LONGEST_PAUSE_S)
        return pause


def get_job(job: str) -> Call[Job]:
    """The call for a job."""
    return Call(Job, "GET", f"/jobs/{job}")


def wait_for_job(job: str, background: BackgroundUpload | None = None) -> Flow[Job]:
    """Wait until a job has ended.

    Raises:
        JobFailed: It has failed.
    """
    pauses, last = Pauses(), None
    while True:
        view = yield from ask(get_job(job))
        if _has_ended(view, background):
            if view.state == "failed":
                raise JobFailed(view.error or f"Job {job} has failed.", job)
            return view
        yield pauses.after(view != last)
        last = view


def follow_results(job: str, background: BackgroundUpload | None = None) -> Stream[Result]:
    """Yield the results of a job in the order of the upload, each once it and all before it are there."""
    window, pauses = _Window(), Pauses()
    n_seen = -1
    while True:
        view = yield from ask(get_job(job))
        has_ended = _has_ended(view, background)
        n_results = view.counts.done + view.counts.failed
        if n_results == n_seen and not has_ended:
            yield pauses.after(False)
            continue
        n_seen = n_results
        while True:
            results = yield from ask(_page(f"/jobs/{job}/results", window.results))
            n_ready = len(results["items"])
            files: Mapping[str, Any] = {"items": [], "next": None}
            if not has_ended:
                files = yield from ask(_page(f"/uploads/{view.upload}/files", window.files))
                n_ready = window.count_ready(results["items"], files["items"], _n_in_order(view, background))
            for result in results["items"][window.n_given : n_ready]:
                yield Item(decode(Result, result))
            window.n_given = max(n_ready, window.n_given)
            is_whole = has_ended or (n_ready == PAGE_SIZE and files["next"] is not None)
            if results["next"] is None or not is_whole:
                break
            window = _Window(results["next"], files["next"], window.n_before + n_ready)
        if has_ended:
            return
        yield pauses.after(True)


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


def _page(path: str, cursor: str | None) -> Call[dict[str, Any]]:
    return Call(dict[str, Any], "GET", path, {"limit": PAGE_SIZE, "cursor": cursor})


def _n_in_order(view: Job, background: BackgroundUpload | None) -> int:
    """How many files have arrived without a gap. Shards of others arrive in any order until the upload is complete."""
    if view.state != "receiving":
        return sys.maxsize
    return 0 if background is None else background.n_in_order


def _has_ended(view: Job, background: BackgroundUpload | None) -> bool:
    """Whether a job has ended. Raises the error that ended its upload."""
    if background is not None:
        background.check()
    return view.state in ENDED and (background is None or background.is_finished)


def follow_epochs(job: str) -> Stream[Epoch]:
    """Yield the epochs of a training while they come."""
    pauses, n_given = Pauses(), 0
    while True:
        view = yield from ask(get_job(job))
        curve = yield from ask(Call(Epochs, "GET", f"/jobs/{job}/epochs"))
        for epoch in curve.items[n_given:]:
            yield Item(epoch)
        changed, n_given = len(curve.items) > n_given, len(curve.items)
        if view.state in ENDED:
            return
        yield pauses.after(changed)


def wait_until_there(job: str, background: BackgroundUpload) -> Flow[Job]:
    """Wait for a job that begins with the first files of an archive."""
    while True:
        is_finished = background.is_finished
        try:
            return (yield from ask(get_job(job)))
        except NotFound:
            background.check()
            if is_finished:
                raise
        yield Pause(PAUSE_S)
