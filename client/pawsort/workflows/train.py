"""From labelled folders to a model version: upload them, show what there is to train on, follow the epochs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pawsort.api.errors import ClientError
from pawsort.api.transport import Transport
from pawsort.operations.jobs import Jobs
from pawsort.operations.references import new_id
from pawsort.operations.trainings import Trainings
from pawsort.operations.uploads import Uploads
from pawsort.schemas import Epoch, Epochs, Job, TrainingData
from pawsort.uploads.display import NoDisplay, UploadDisplay
from pawsort.uploads.shards import Shard
from pawsort.uploads.sources import SkippedPath, count_files, files_of, walk
from pawsort.uploads.transfer import check_quota, limits_of, upload_files
from pawsort.workflows.follow import follow_training
from pawsort.workflows.options import shown_name
from pawsort.workflows.start import check_paths


class DataDisplay(UploadDisplay, Protocol):
    """Shows an upload, and what there is to train on."""

    def show_data(self, data: TrainingData) -> None: ...


class Display(DataDisplay, Protocol):
    """Shows the progress of a training."""

    def show_phase(self, curve: Epochs) -> None: ...
    def show_epoch(self, epoch: Epoch, curve: Epochs) -> None: ...


class _NoDisplay(NoDisplay):
    def show_data(self, data: TrainingData) -> None:
        """Show nothing."""


NO_DISPLAY = _NoDisplay()


def start_training(
    transport: Transport,
    folders: Sequence[Path],
    parameters: Mapping[str, Any],
    name: str,
    *,
    everything: bool = False,
    display: DataDisplay = NO_DISPLAY,
    skipped: list[SkippedPath] | None = None,
) -> Job:
    """Upload labelled folders, and train on them.

    Args:
        everything: Send what systems and tools leave behind as well.
        skipped: Gets the paths that are not uploaded, and why.
    Raises:
        ClientError: The training was refused. Nothing of it stays on the server.
    """
    uploads, on_skip = Uploads(transport), (skipped if skipped is not None else []).append
    Trainings(transport).check(**parameters)
    check_paths(folders)
    counts = count_files(walk(folders, everything))
    display.show_ignored(counts.ignored)
    if counts.n_files == 0:
        raise ClientError(
            f"There are no files in {', '.join(map(str, folders))}. Name a folder that holds a folder of pictures"
            " for each class: cats and dogs."
        )
    upload, name = new_id(), shown_name(name)
    created = uploads.create(upload, name=name, labelled=True, for_training=True)
    check_quota(uploads, created, counts)

    def note(shard: Shard) -> None:
        display.add_uploaded(shard.n_files)

    try:
        display.start_upload(name, counts.n_files)
        files = files_of(walk(folders, everything), on_skip)
        upload_files(uploads, upload, files, limits_of(created), on_uploaded=note, on_skip=on_skip)
        return _start(transport, [upload], parameters, name, display)
    except (ClientError, KeyboardInterrupt):
        with suppress(ClientError):
            uploads.delete(upload)
        raise


def start_training_on_all(
    transport: Transport, parameters: Mapping[str, Any], name: str, display: DataDisplay = NO_DISPLAY
) -> Job:
    """Train on everything that is labelled on the server.

    Raises:
        ClientError: The training was refused.
    """
    Trainings(transport).check(**parameters)
    return _start(transport, "all", parameters, shown_name(name), display)


def _start(
    transport: Transport,
    uploads: list[str] | Literal["all"],
    parameters: Mapping[str, Any],
    name: str,
    display: DataDisplay,
) -> Job:
    trainings = Trainings(transport)
    data = trainings.preview(uploads)
    display.show_data(data)
    if data.problem:
        raise ClientError(data.problem)
    return trainings.start(uploads, name=name, **parameters)


@dataclass
class TrainingRun:
    """One call of `pawsort train`.

    Attributes:
        parameters: The given parameters, by name; the server fills in the others.
        everything: Whether what systems and tools leave behind is sent as well.
        job: The job's id, once there is one.
        skipped: Paths that were not uploaded, and why.
    """

    transport: Transport
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
        job = start_training(
            self.transport,
            folders,
            self.parameters,
            name,
            everything=self.everything,
            display=self.display,
            skipped=self.skipped,
        )
        return self._follow(job.id)

    def run_on_all(self, name: str) -> Job:
        """Train on everything that is labelled on the server, and wait for the end. Returns the ended job.

        Raises:
            ClientError: The training was refused.
        """
        return self._follow(start_training_on_all(self.transport, self.parameters, name, self.display).id)

    def stop(self, job: str, keep_best: bool) -> Job:
        """End a training early, and optionally keep its best epoch so far as a version. Returns the ended job."""
        Jobs(self.transport).cancel(job, keep_best=keep_best)
        return self._follow(job)

    def _follow(self, job: str) -> Job:
        """Show a training until it ends. Returns the ended job."""
        self.job = job
        for view, curve in self.transport.iterate(follow_training(job)):  # noqa: B007 (the last ones)
            self._show(curve)
        if view.state == "failed" and not curve.items:
            Jobs(self.transport).delete(job)
        return view

    def _show(self, curve: Epochs) -> None:
        for epoch in curve.items[self._n_shown :]:
            self.display.show_epoch(epoch, curve)
        self._n_shown = len(curve.items)
        self.display.show_phase(curve)
