"""Several jobs in one call: upload everything, and wait until all of them have ended."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from pawsort.api.errors import BadArchive
from pawsort.api.transport import Transport
from pawsort.operations.jobs import Jobs, has_ended
from pawsort.operations.references import new_id
from pawsort.operations.uploads import Uploads
from pawsort.schemas import Job
from pawsort.uploads.archive_kinds import is_archive
from pawsort.uploads.background_upload import BackgroundUpload
from pawsort.uploads.display import UploadDisplay
from pawsort.uploads.listed_files import name_of_list, walk_listed
from pawsort.uploads.sources import Found, SkippedPath, walk
from pawsort.workflows.archives import note_skipped
from pawsort.workflows.follow import follow_job
from pawsort.workflows.options import JobOptions, name_of
from pawsort.workflows.start import NothingToUpload, Start, check_paths, start_archive, start_files

DISCARDING_STARTS_S = 30.0
DISCARDING_PAUSE_S = 0.3


class Display(UploadDisplay, Protocol):
    """Shows the progress of uploads and jobs."""

    def show_classified(self, count: int, total: int) -> None: ...


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
        view, counts = self.views[job], self.views[job].counts
        n_results = counts.done + counts.failed
        return view.state == "done" and n_results == counts.n_images == self.expected.get(job, n_results)


class ClassificationRun:
    """One call of `pawsort classify`: folders and single files are one job, each archive is a job of its own."""

    def __init__(self, transport: Transport, options: JobOptions, display: Display) -> None:
        self._transport = transport
        self._jobs, self._uploads = Jobs(transport), Uploads(transport)
        self._options, self._display = options, display
        self.outcome = Outcome()

    def run(self, paths: Sequence[Path]) -> Outcome:
        """Upload everything, and wait until every job has ended.

        Raises:
            ClientError: One of the paths is an archive that the server does not unpack; nothing was uploaded.
        """
        check_paths(paths)
        archives = [path for path in paths if is_archive(path)]
        plain = [path for path in paths if path not in archives]
        # In the given order. Everything that is not an archive is uploaded in the place of the first such path.
        for path in paths:
            if path in archives:
                self._upload_archive(path)
            elif path is plain[0]:
                self._upload_files(name_of(plain), partial(walk, plain, self._options.everything))
        return self._finish()

    def run_list(self, paths: Sequence[Path]) -> Outcome:
        """Upload listed files, each under its own path, and wait until their job has ended."""
        self._upload_files(name_of_list(paths), partial(walk_listed, paths, self._options.everything))
        return self._finish()

    def run_source(self, source: str) -> Outcome:
        """Let the server classify a folder or bucket prefix that it may read, and wait until the job has ended."""
        options = self._options.of_model | ({} if self._options.name is None else {"name": self._options.name})
        self._add(self._uploads.import_folder(id=new_id(), source=source, **options))
        self._wait()
        (job,) = self.outcome.views.values()
        background = BackgroundUpload()
        if job.upload:
            note_skipped(self._uploads, job.upload, background)
        self._display.show_ignored(background.ignored)
        self._note(background)
        return self.outcome

    def _upload_files(self, name: str, find: Callable[[], Iterator[Found]]) -> None:
        try:
            start = start_files(self._transport, name, find, self._options, self._display)
        except NothingToUpload as error:
            self._note(error.background)
            return
        self._follow_upload(start)
        self.outcome.expected[start.job.id] = start.background.n_in_order

    def _upload_archive(self, path: Path) -> None:
        try:
            self._follow_upload(start_archive(self._transport, path, self._options, self._display))
        except BadArchive as error:
            self.outcome.broken.append(error.message)
            if error.job is not None and error.job not in self.outcome.views:
                self._add(self._jobs.get(error.job))

    def _follow_upload(self, start: Start) -> None:
        """Show how the job goes until all its files are sent."""
        self._add(start.job)
        try:
            for job in self._transport.iterate(follow_job(start.job.id, start.background)):
                self._show(job)
                if start.background.is_finished:
                    break
            start.background.check()
        finally:
            self._note(start.background)

    def _note(self, background: BackgroundUpload) -> None:
        self.outcome.skipped += background.skipped
        self.outcome.ignored += background.ignored

    def _add(self, job: Job) -> None:
        self.outcome.jobs.append(job.id)
        self.outcome.views[job.id] = job

    def _show(self, job: Job) -> None:
        self.outcome.views[job.id] = job
        counts = [view.counts for view in self.outcome.views.values()]
        self._display.show_classified(sum(one.done + one.failed for one in counts), sum(one.n_images for one in counts))

    def _finish(self) -> Outcome:
        self._wait()
        if self._options.discard_originals:
            self._wait_for_discarding()
        return self.outcome

    def _wait(self) -> None:
        for job in self.outcome.jobs:
            if not has_ended(self.outcome.views[job]):
                for view in self._transport.iterate(follow_job(job)):
                    self._show(view)

    def _wait_for_discarding(self) -> None:
        """Wait until the originals are gone: an instance started by this command would keep them until its next start.

        Does not wait long for originals that another job or a training still needs.
        """
        give_up_at = time.monotonic() + DISCARDING_STARTS_S
        left = [view.upload for view in self.outcome.views.values() if view.upload]
        while left:
            states = {upload: self._uploads.get(upload).originals for upload in left}
            left = [upload for upload, state in states.items() if state != "discarded"]
            if "being discarded" not in states.values() and time.monotonic() > give_up_at:
                self.outcome.undiscarded = left
                return
            time.sleep(DISCARDING_PAUSE_S)
