"""From paths to results: send what lies there, wait for the jobs, write their results to one file."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pawsort.api.errors import BadArchive
from pawsort.api.http_client import PawsortClient
from pawsort.sending.shards import Shard
from pawsort.sending.sources import Skipped, SourceFile, is_archive, walk
from pawsort.sending.upload import limits_of, new_id, send_files

ENDED = frozenset({"done", "cancelled", "failed"})
FIRST_PAUSE_S = 0.3
LONGEST_PAUSE_S = 2.0
LONGEST_NAME = 200
DISCARDING_BEGINS_S = 30.0


class Display(Protocol):
    """Who is told how far it has got."""

    def sending(self, name: str, total: int) -> None: ...
    def sent(self, count: int) -> None: ...
    def classified(self, count: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, the same for all jobs."""

    model: str | None = None
    threshold: float | None = None
    name: str | None = None
    discard_originals: bool = False


@dataclass(slots=True)
class Outcome:
    """What came of it.

    Attributes:
        jobs: Ids in the order of what was given.
        views: What the server last said of each.
        expected: How many images each must end with, where that is known here.
        skipped: What was not sent, and why.
        broken: A sentence for each archive that was only partly read.
        undiscarded: Uploads whose originals are discarded later, once nothing needs them.
    """

    jobs: list[str] = field(default_factory=list)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    undiscarded: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every image that was given has a result, be it an error result."""
        lost = any(skipped.lost for skipped in self.skipped)
        return not lost and not self.broken and all(self._has_all(job) for job in self.jobs)

    def _has_all(self, job: str) -> bool:
        view, counts = self.views[job], self.views[job]["counts"]
        n_results = int(counts["done"] + counts["failed"])
        return bool(view["state"] == "done" and n_results == counts["total"] == self.expected.get(job, n_results))


class Classification:
    """One call of `pawsort classify`: folders and loose files are one job, each archive is a job of its own."""

    def __init__(self, client: PawsortClient, wish: Wish, display: Display) -> None:
        self._client = client
        self._wish = wish
        self._display = display
        self._etags: dict[str, str | None] = {}
        self.outcome = Outcome()

    def run(self, paths: Sequence[Path]) -> Outcome:
        """Send everything, and wait until every job has ended."""
        archives = [path for path in paths if is_archive(path)]
        plain = [path for path in paths if path not in archives]
        # In the order given; all that is no archive goes where the first such path stands.
        for path in paths:
            if path in archives:
                self._send_archive(path)
            elif path is plain[0]:
                self._send_plain(plain)
        self._wait()
        if self._wish.discard_originals:
            self._wait_for_discarding()
        return self.outcome

    def _send_plain(self, paths: Sequence[Path]) -> None:
        n_files = sum(isinstance(item, SourceFile) for item in walk(paths))
        if n_files == 0:
            self.outcome.skipped += [item for item in walk(paths) if isinstance(item, Skipped)]
            return
        name = shown_name(self._wish.name or name_of(paths))
        upload, job = new_id(), new_id()
        discard = self._wish.discard_originals
        limits = limits_of(self._client.create_upload(upload, name, discard_originals=discard))
        view = self._client.create_job(job, upload, model=self._wish.model, threshold=self._wish.threshold, name=name)
        self._add(job, view)
        self._display.sending(name, n_files)
        sent = send_files(
            self._client,
            upload,
            self._sources(paths),
            limits,
            on_sent=self._on_sent,
            on_skip=self.outcome.skipped.append,
        )
        self.outcome.expected[job] = sent.n_files

    def _sources(self, paths: Sequence[Path]) -> Iterator[SourceFile]:
        for item in walk(paths):
            if isinstance(item, SourceFile):
                yield item
            else:
                self.outcome.skipped.append(item)

    def _on_sent(self, shard: Shard) -> None:
        self._display.sent(shard.n_files)
        self._look()

    def _send_archive(self, path: Path) -> None:
        self._display.sending(path.name, path.stat().st_size)
        job = new_id()
        wish = self._wish
        with path.open("rb") as file:
            body: Any = _Counted(file, self._display)
            try:
                view = self._client.send_archive(
                    job,
                    body,
                    name=shown_name(wish.name or path.name),
                    model=wish.model,
                    threshold=wish.threshold,
                    discard_originals=wish.discard_originals,
                )
            except BadArchive as error:
                self.outcome.broken.append(f"{path}: {error.message}")
                if error.job is None:
                    return
                # The file will not get any better: what arrived whole is all there is.
                self._client.finish_partial_upload(self._client.get_job(error.job)["upload"])
                view = self._client.get_job(error.job)
        self._add(view["id"], view)
        self._note_skipped(view)

    def _note_skipped(self, view: dict[str, Any]) -> None:
        upload = self._client.get_upload(view["upload"])
        self.outcome.skipped += [Skipped(one["path"], one["reason"]) for one in upload["skipped"]]

    def _add(self, job: str, view: dict[str, Any]) -> None:
        self.outcome.jobs.append(job)
        self.outcome.views[job] = view

    def _look(self) -> bool:
        """Ask for what has moved; whether anything has."""
        moved = False
        for job, view in self.outcome.views.items():
            if view["state"] in ENDED:
                continue
            fresh, self._etags[job] = self._client.poll_job(job, self._etags.get(job))
            if fresh is not None:
                self.outcome.views[job] = fresh
                moved = True
        counts = [view["counts"] for view in self.outcome.views.values()]
        self._display.classified(
            sum(count["done"] + count["failed"] for count in counts), sum(count["total"] for count in counts)
        )
        return moved

    def _wait(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            moved = self._look()
            if all(view["state"] in ENDED for view in self.outcome.views.values()):
                return
            pause_s = FIRST_PAUSE_S if moved else min(pause_s * 1.5, LONGEST_PAUSE_S)
            time.sleep(pause_s)

    def _wait_for_discarding(self) -> None:
        """Until the originals are gone: an instance of our own ends with us, and would keep them until its next start.

        Not for long where they have to wait, for another job over them or a training.
        """
        give_up_at = time.monotonic() + DISCARDING_BEGINS_S
        left = [view["upload"] for view in self.outcome.views.values()]
        while left:
            said = {upload: self._client.get_upload(upload)["originals"] for upload in left}
            left = [upload for upload, state in said.items() if state != "discarded"]
            if "being discarded" not in said.values() and time.monotonic() > give_up_at:
                self.outcome.undiscarded = left
                return
            time.sleep(FIRST_PAUSE_S)


class _Counted:
    """A file that tells how much of it has been read."""

    def __init__(self, file: BinaryIO, display: Display) -> None:
        self._file = file
        self._display = display
        self._told = 0

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        # A second try reads the same bytes again; they are told of once.
        new = self._file.tell() - self._told
        if new > 0:
            self._display.sent(new)
            self._told += new
        return block

    def seek(self, position: int) -> int:
        return self._file.seek(position)


def name_of(paths: Sequence[Path]) -> str:
    """What a job over these paths is called unless somebody says otherwise."""
    first = paths[0].resolve().name or "files"
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def shown_name(name: str) -> str:
    """A job's name: what the server takes, whatever the file system allowed."""
    return "".join(
        character if character.isprintable() else "?" for character in name.encode("utf-8", "replace").decode()
    )[:LONGEST_NAME]
