"""From a labelled folder to a model version: send it, show what is there to learn from, follow the epochs."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pawsort.api.errors import ClientError
from pawsort.api.http_client import PawsortClient
from pawsort.runs.classify import ENDED
from pawsort.sending.shards import Limits, Shard
from pawsort.sending.sources import Skipped, SourceFile, walk
from pawsort.sending.upload import limits_of, new_id, send_files

PAUSE_S = 0.5


class Display(Protocol):
    """Who is told how far it has got."""

    def sending(self, name: str, total: int) -> None: ...
    def sent(self, count: int) -> None: ...
    def found(self, data: dict[str, Any]) -> None: ...
    def now(self, curve: dict[str, Any], state: str) -> None: ...
    def epoch(self, epoch: dict[str, Any], curve: dict[str, Any]) -> None: ...


@dataclass
class TrainingRun:
    """One call of `pawsort train`.

    Attributes:
        parameters: What was asked for, by name; the server fills in the rest.
        job: The job's id, once there is one.
        skipped: What was not sent, and why.
    """

    client: PawsortClient
    parameters: dict[str, Any]
    display: Display
    job: str | None = None
    skipped: list[Skipped] = field(default_factory=list)
    _n_shown: int = 0

    def run(self, folders: Sequence[Path], name: str) -> dict[str, Any]:
        """Send the folders, train, wait for the end.

        Returns:
            The job as it ended. One that failed before its first epoch has ended is deleted, with what was sent.
        Raises:
            ClientError: It was refused; nothing of it stays on the server.
        """
        self.client.check_training(self.parameters)
        n_files = sum(isinstance(item, SourceFile) for item in walk(folders))
        if n_files == 0:
            raise ClientError(
                f"There are no files in {', '.join(map(str, folders))}. Name a folder that holds a folder of pictures"
                " for each class: cats and dogs."
            )
        upload = new_id()
        limits = limits_of(self.client.create_upload(upload, name, labelled=True))
        try:
            self.display.sending(name, n_files)
            self._send(folders, upload, limits)
            self.job = self._start([upload], name)
        except (ClientError, KeyboardInterrupt):
            with suppress(ClientError):
                self.client.delete_upload(upload)
            raise
        return self.follow(self.job)

    def run_on_all(self, name: str) -> dict[str, Any]:
        """Train on everything that is labelled on the server, wait for the end; the job as it ended.

        Raises:
            ClientError: It was refused.
        """
        self.client.check_training(self.parameters)
        self.job = self._start("all", name)
        return self.follow(self.job)

    def follow(self, job: str) -> dict[str, Any]:
        """Show a training until it ends; the job as it ended."""
        etag = None
        while True:
            view, etag = self.client.poll_job(job, etag)
            if view is not None:
                curve = self.client.get_epochs(job)
                for epoch in curve["items"][self._n_shown :]:
                    self.display.epoch(epoch, curve)
                self._n_shown = len(curve["items"])
                self.display.now(curve, view["state"])
                if view["state"] in ENDED:
                    break
            time.sleep(PAUSE_S)
        if view["state"] == "failed" and not curve["items"]:
            self.client.delete_job(job)
        return view

    def stop(self, job: str, keep_best: bool) -> dict[str, Any]:
        """End a training early, with its best epoch so far as a version or without; the job as it ended."""
        self.client.cancel_job(job, keep_best)
        return self.follow(job)

    def _send(self, folders: Sequence[Path], upload: str, limits: Limits) -> None:
        send_files(
            self.client, upload, self._sources(folders), limits, on_sent=self._on_sent, on_skip=self.skipped.append
        )

    def _start(self, uploads: list[str] | Literal["all"], name: str) -> str:
        data = self.client.preview_training(uploads)
        self.display.found(data)
        if data["problem"]:
            raise ClientError(data["problem"])
        job = new_id()
        self.client.create_training(job, uploads, self.parameters | {"name": name})
        return job

    def _sources(self, folders: Sequence[Path]) -> Iterator[SourceFile]:
        for item in walk(folders):
            if isinstance(item, SourceFile):
                yield item
            else:
                self.skipped.append(item)

    def _on_sent(self, shard: Shard) -> None:
        self.display.sent(shard.n_files)
