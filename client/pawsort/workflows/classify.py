"""From paths to results: upload the files, and wait until their jobs have ended."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from pawsort.api.answers import Job
from pawsort.api.errors import BadArchive, ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.operations.jobs import ENDED
from pawsort.operations.references import new_id
from pawsort.operations.uploads import Uploads
from pawsort.uploads.archive_kinds import find_unsupported, is_archive
from pawsort.uploads.ignored_names import is_kind
from pawsort.uploads.listed_files import name_of_list, walk_listed
from pawsort.uploads.shards import Shard
from pawsort.uploads.sources import Found, SkippedPath, count_files, files_of, walk
from pawsort.uploads.transfer import check_quota, limits_of, upload_files
from pawsort.workflows.follow import PAUSE_S, Pauses

LONGEST_NAME = 200
DISCARDING_STARTS_S = 30.0


class Display(Protocol):
    """Shows the progress. Counts are files, or bytes of an archive."""

    def show_ignored(self, counts: Counter[str]) -> None: ...
    def start_upload(self, name: str, total: int) -> None: ...
    def add_uploaded(self, count: int) -> None: ...
    def show_classified(self, count: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Options of `pawsort classify`, the same for all jobs. `names` is the encoding of names in archives."""

    model: str | None = None
    threshold: float | None = None
    name: str | None = None
    discard_originals: bool = False
    names: str | None = None
    everything: bool = False


@dataclass(slots=True)
class Outcome:
    """The jobs of one call, and what is not in them.

    Attributes:
        jobs: Ids, in the order of the given paths.
        views: The server's last answer for each job.
        expected: The number of images that each job must end with, where it is known.
        skipped: Paths that were not uploaded, and why.
        ignored: Files that systems and tools left behind and that were not sent, by kind.
        broken: A sentence for each archive that could be read only in part.
        undiscarded: Uploads whose originals are discarded later, once nothing needs them.
    """

    jobs: list[str] = field(default_factory=list)
    views: dict[str, Job] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    skipped: list[SkippedPath] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    undiscarded: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether every given image has a result; an error result counts."""
        lost = any(skipped.lost for skipped in self.skipped)
        return not lost and not self.broken and all(self._is_complete(job) for job in self.jobs)

    def _is_complete(self, job: str) -> bool:
        view, counts = self.views[job], self.views[job]["counts"]
        n_results = counts["done"] + counts["failed"]
        return view["state"] == "done" and n_results == counts["total"] == self.expected.get(job, n_results)


class Classification:
    """One call of `pawsort classify`: folders and single files are one job, each archive is a job of its own."""

    def __init__(self, client: PawsortClient, options: JobOptions, display: Display) -> None:
        self._client = client
        self._options = options
        self._display = display
        self._etags: dict[str, str | None] = {}
        self.outcome = Outcome()

    def run(self, paths: Sequence[Path]) -> Outcome:
        """Upload everything, and wait until every job has ended.

        Raises:
            ClientError: One of the paths is an archive that the server does not unpack; nothing was uploaded.
        """
        for path in paths:
            if kind := find_unsupported(path):
                raise ClientError(
                    f"{path}: {kind} archives are not supported. Unpack it and give the folder, or give a tar, a zip,"
                    " or a tar compressed with gzip, bzip2, xz or Zstandard. Nothing was uploaded."
                )
        archives = [path for path in paths if is_archive(path)]
        plain = [path for path in paths if path not in archives]
        # In the given order. Everything that is not an archive is uploaded in the place of the first such path.
        for path in paths:
            if path in archives:
                self._upload_archive(path)
            elif path is plain[0]:
                self._upload_files(name_of(plain), partial(walk, plain, self._options.everything))
        self._finish()
        return self.outcome

    def run_list(self, paths: Sequence[Path]) -> Outcome:
        """Upload listed files, each under its own path, and wait until their job has ended."""
        self._upload_files(name_of_list(paths), partial(walk_listed, paths, self._options.everything))
        self._finish()
        return self.outcome

    def _finish(self) -> None:
        self._wait()
        if self._options.discard_originals:
            self._wait_for_discarding()

    def run_source(self, source: str) -> Outcome:
        """Let the server classify a folder or bucket prefix that it may read, and wait until the job has ended."""
        options, job = self._options, new_id()
        view = self._client.import_source(
            job, source, model=options.model, threshold=options.threshold, name=options.name
        )
        self._add(job, view)
        self._wait()
        self._note_skipped(self.outcome.views[job])
        return self.outcome

    def _upload_files(self, name: str, find: Callable[[], Iterator[Found]]) -> None:
        skipped = self.outcome.skipped
        counts = count_files(find())
        self.outcome.ignored += counts.ignored
        if counts.n_files == 0:
            skipped += [item for item in find() if isinstance(item, SkippedPath)]
            return
        self._display.show_ignored(counts.ignored)
        name = shown_name(self._options.name or name)
        upload, job = new_id(), new_id()
        discard = self._options.discard_originals
        uploads = Uploads(self._client.transport)
        created = uploads.create(upload, name=name, discard_originals=discard)
        check_quota(uploads, created, counts)
        view = self._client.create_job(
            job, upload, model=self._options.model, threshold=self._options.threshold, name=name
        )
        self._add(job, view)
        self._display.start_upload(name, counts.n_files)
        totals = upload_files(
            uploads,
            upload,
            files_of(find(), skipped.append),
            limits_of(created),
            on_uploaded=self._on_uploaded,
            on_skip=skipped.append,
        )
        self.outcome.expected[job] = totals.n_files

    def _on_uploaded(self, shard: Shard) -> None:
        self._display.add_uploaded(shard.n_files)
        self._poll()

    def _upload_archive(self, path: Path) -> None:
        self._display.start_upload(path.name, path.stat().st_size)
        job = new_id()
        options = self._options
        with path.open("rb") as file:
            body: Any = _CountingReader(file, self._display)
            try:
                view = self._client.upload_archive(
                    job,
                    body,
                    name=shown_name(options.name or path.name),
                    model=options.model,
                    threshold=options.threshold,
                    discard_originals=options.discard_originals,
                    names=options.names,
                    everything=options.everything,
                )
            except BadArchive as error:
                self.outcome.broken.append(f"{path}: {error.message}")
                if error.job is None:
                    return
                # Uploading the same file again would not help. Go on with the files that arrived.
                self._client.finish_partial_upload(self._client.get_job(error.job)["upload"])
                view = self._client.get_job(error.job)
        self._add(view["id"], view)
        self._note_skipped(view)

    def _note_skipped(self, view: Job) -> None:
        upload = self._client.get_upload(view["upload"])
        ignored = Counter(one["reason"] for one in upload["skipped"] if is_kind(one["reason"]))
        if summary := view.get("skipped"):  # the list is cut, these numbers are not
            ignored = Counter({reason: n for reason, n in summary["by_reason"].items() if is_kind(reason)})
        self._display.show_ignored(ignored)
        self.outcome.ignored += ignored
        self.outcome.skipped += [
            SkippedPath(one["path"], one["reason"]) for one in upload["skipped"] if not is_kind(one["reason"])
        ]

    def _add(self, job: str, view: Job) -> None:
        self.outcome.jobs.append(job)
        self.outcome.views[job] = view

    def _poll(self) -> bool:
        """Ask for jobs that have changed. Return whether any has."""
        changed = False
        for job, view in self.outcome.views.items():
            if view["state"] in ENDED:
                continue
            answer, self._etags[job] = self._client.poll_job(job, self._etags.get(job))
            if answer is not None:
                self.outcome.views[job] = answer
                changed = True
        counts = [view["counts"] for view in self.outcome.views.values()]
        self._display.show_classified(
            sum(count["done"] + count["failed"] for count in counts), sum(count["total"] for count in counts)
        )
        return changed

    def _wait(self) -> None:
        pauses = Pauses()
        while True:
            changed = self._poll()
            if all(view["state"] in ENDED for view in self.outcome.views.values()):
                return
            time.sleep(pauses.after(changed).seconds)

    def _wait_for_discarding(self) -> None:
        """Wait until the originals are gone: an instance started by this command would keep them until its next start.

        Does not wait long for originals that another job or a training still needs.
        """
        give_up_at = time.monotonic() + DISCARDING_STARTS_S
        left = [view["upload"] for view in self.outcome.views.values()]
        while left:
            states = {upload: self._client.get_upload(upload)["originals"] for upload in left}
            left = [upload for upload, state in states.items() if state != "discarded"]
            if "being discarded" not in states.values() and time.monotonic() > give_up_at:
                self.outcome.undiscarded = left
                return
            time.sleep(PAUSE_S)


class _CountingReader:
    """A file that reports how much of it has been read."""

    def __init__(self, file: BinaryIO, display: Display) -> None:
        self._file = file
        self._display = display
        self._n_counted = 0

    def read(self, size: int) -> bytes:
        block = self._file.read(size)
        # A retry reads the same bytes again. Count them once.
        new = self._file.tell() - self._n_counted
        if new > 0:
            self._display.add_uploaded(new)
            self._n_counted += new
        return block

    def seek(self, position: int) -> int:
        return self._file.seek(position)


def name_of(paths: Sequence[Path]) -> str:
    """Return the default name of a job over these paths."""
    first = paths[0].resolve().name or "files"
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def shown_name(name: str) -> str:
    """Return the name as the server accepts it, whatever the file system allows."""
    return "".join(
        character if character.isprintable() else "?" for character in name.encode("utf-8", "replace").decode()
    )[:LONGEST_NAME]
