"""From a labelled folder to a model version: upload it, show what there is to train on, follow the epochs."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pawsort.api.answers import Epoch, Job, TrainingCurve, TrainingData
from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.operations.jobs import ENDED
from pawsort.operations.references import new_id
from pawsort.operations.uploads import Uploads
from pawsort.uploads.shards import Limits, Shard
from pawsort.uploads.sources import SkippedPath, count_files, files_of, walk
from pawsort.uploads.transfer import check_quota, limits_of, upload_files

PAUSE_S = 0.5


class Display(Protocol):
    """Shows the progress of a training."""

    def show_ignored(self, counts: Counter[str]) -> None: ...
    def start_upload(self, name: str, total: int) -> None: ...
    def add_uploaded(self, count: int) -> None: ...
    def show_data(self, data: TrainingData) -> None: ...
    def show_phase(self, curve: TrainingCurve) -> None: ...
    def show_epoch(self, epoch: Epoch, curve: TrainingCurve) -> None: ...


@dataclass
class TrainingRun:
    """One call of `pawsort train`.

    Attributes:
        parameters: The given parameters, by name; the server fills in the others.
        everything: Whether what systems and tools leave behind is sent as well.
        job: The job's id, once there is one.
        skipped: Paths that were not uploaded, and why.
    """

    client: PawsortClient
    parameters: dict[str, Any]
    display: Display
    everything: bool = False
    job: str | None = None
    skipped: list[SkippedPath] = field(default_factory=list)
    _n_shown: int = 0

    def run(self, folders: Sequence[Path], name: str) -> Job:
        """Upload the folders, train, wait for the end.

        Returns:
            The ended job. A job that failed before the end of its first epoch is deleted, together with its upload.
        Raises:
            ClientError: The training was refused. Nothing of it stays on the server.
        """
        self.client.check_training(self.parameters)
        counts = count_files(walk(folders, self.everything))
        self.display.show_ignored(counts.ignored)
        if counts.n_files == 0:
            raise ClientError(
                f"There are no files in {', '.join(map(str, folders))}. Name a folder that holds a folder of pictures"
                " for each class: cats and dogs."
            )
        upload = new_id()
        uploads = Uploads(self.client.transport)
        created = uploads.create(upload, name=name, labelled=True, for_training=True)
        check_quota(uploads, created, counts)
        try:
            self.display.start_upload(name, counts.n_files)
            self._upload(uploads, folders, upload, limits_of(created))
            self.job = self._start([upload], name)
        except (ClientError, KeyboardInterrupt):
            with suppress(ClientError):
                self.client.delete_upload(upload)
            raise
        return self.follow(self.job)

    def run_on_all(self, name: str) -> Job:
        """Train on everything that is labelled on the server, and wait for the end. Returns the ended job.

        Raises:
            ClientError: The training was refused.
        """
        self.client.check_training(self.parameters)
        self.job = self._start("all", name)
        return self.follow(self.job)

    def follow(self, job: str) -> Job:
        """Show a training until it ends. Returns the ended job."""
        etag = None
        while True:
            view, etag = self.client.poll_job(job, etag)
            if view is not None:
                curve = self.client.get_epochs(job)
                for epoch in curve["items"][self._n_shown :]:
                    self.display.show_epoch(epoch, curve)
                self._n_shown = len(curve["items"])
                self.display.show_phase(curve)
                if view["state"] in ENDED:
                    break
            time.sleep(PAUSE_S)
        if view["state"] == "failed" and not curve["items"]:
            self.client.delete_job(job)
        return view

    def stop(self, job: str, keep_best: bool) -> Job:
        """End a training early, and optionally keep its best epoch so far as a version. Returns the ended job."""
        self.client.cancel_job(job, keep_best)
        return self.follow(job)

    def _upload(self, uploads: Uploads, folders: Sequence[Path], upload: str, limits: Limits) -> None:
        on_skip = self.skipped.append
        files = files_of(walk(folders, self.everything), on_skip)
        upload_files(uploads, upload, files, limits, on_uploaded=self._on_uploaded, on_skip=on_skip)

    def _start(self, uploads: list[str] | Literal["all"], name: str) -> str:
        data = self.client.preview_training(uploads)
        self.display.show_data(data)
        if data["problem"]:
            raise ClientError(data["problem"])
        job = new_id()
        self.client.create_training(job, uploads, self.parameters | {"name": name})
        return job

    def _on_uploaded(self, shard: Shard) -> None:
        self.display.add_uploaded(shard.n_files)
