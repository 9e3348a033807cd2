"""`pawsort train`: from labelled folders to a new model version."""

import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from pawsort.api.errors import ClientError, RequestFailed
from pawsort.connect import connect, server_options
from pawsort.console import StatusLine, Terminal
from pawsort.help import examples
from pawsort.schemas import Epoch, Epochs, Job, Model, PromotionCheck, TrainingData
from pawsort.terminal import show
from pawsort.uploads.progress import ignored_words, print_skipped
from pawsort.workflows.options import name_of
from pawsort.workflows.train import TrainingRun

SPLITS = {"judging": "test"}  # the server's name of the test split
KEEP, DISCARD, LEAVE = "keep", "discard", "leave"
PHASES = {
    "reading": "choosing pictures",
    "decoding": "reading pictures",
    "preparing": "preparing the network",
    "training": "training",
    "validating": "validating the epoch",
    "judging": "evaluating the network",
}


@click.command(
    "train",
    epilog=examples(
        "pawsort train pets --epochs 10", "pawsort train --all-labels --head-only", "pawsort train pets --seed 1 --json"
    ),
)
@click.argument("folders", nargs=-1, metavar="[FOLDER…]", type=click.Path(exists=True, path_type=Path))
@click.option("--all-labels", is_flag=True, help="Train on everything labelled on the server instead of on folders.")
@click.option("--network", metavar="N", help="Network to train. [default: the one in use]")
@click.option("--epochs", type=int, metavar="E", help="Maximum number of epochs.")
@click.option("--steps-per-epoch", type=int, metavar="S", help="Steps per epoch. [default: every picture once]")
@click.option("--batch-size", type=int, metavar="B", help="Pictures in each step.")
@click.option("--learning-rate", type=float, metavar="R", help="Highest learning rate.")
@click.option("--augmentation", metavar="A", help="Augmentation of the pictures: none, light or strong.")
@click.option("--seed", type=int, metavar="S", help="Seed of all random numbers.")
@click.option("--early-stopping", type=int, metavar="E", help="Stop after this many epochs without progress.")
@click.option(
    "--start-from",
    type=int,
    metavar="V",
    help="Start from the weights of this version. [default: from scratch for seed-cnn, the newest version of"
    " efficientnet-lite0]",
)
@click.option(
    "--head-only",
    "what",
    flag_value="head",
    default=None,
    help="Fit only a new head, in seconds, on the features of the version in use.",
)
@click.option(
    "--everything", is_flag=True, help="Send what systems and tools leave behind as well, such as recycle bins."
)
@click.option("--name", metavar="N", help="Name of the job. [default: the folder's name]")
@click.option(
    "--on-interrupt",
    type=click.Choice([KEEP, DISCARD, LEAVE]),
    help="What Ctrl-C does: end the training and keep its best epoch, end it without a version, or leave it running on"
    " the server. [default: ask on a terminal, otherwise leave]",
)
@server_options
def command(
    folders: tuple[Path, ...],
    all_labels: bool,
    everything: bool,
    name: str | None,
    on_interrupt: str | None,
    server: str | None,
    token: str | None,
    **parameters: Any,
) -> int:
    """Train a network on labelled folders (cats/, dogs/, and neither/ for pictures to reject), or on all labels.

    Options that are not given are chosen to suit the amount of data. The new version is a candidate: `pawsort promote`
    puts it into use. The exit code is 0 when there is a new version.
    """
    if all_labels == bool(folders):
        raise click.UsageError("Give folders to train on, or --all-labels for everything labelled on the server.")
    given = {key: value for key, value in parameters.items() if value is not None}
    console = Terminal()
    # Leave the memory to the training: one inference process is enough meanwhile.
    with connect(server, token, inference_processes=1) as client:
        display = TrainingDisplay(console)
        run = TrainingRun(client.transport, given, display, everything)
        try:
            with display.status:
                if all_labels:
                    job = run.run_on_all(name or "Everything labelled")
                else:
                    job = run.run(folders, name or name_of(folders))
        except KeyboardInterrupt:
            if run.job is None:
                raise
            job = _interrupted(run, run.job, on_interrupt or _ask(), display)
        finally:
            print_skipped(console, run.skipped)
        if job.state != "done" or job.version is None:
            raise ClientError(job.error or f"The training was {job.state}.")
        version, check = client.models.get(job.version), client.models.check_promotion(job.version)
    show({"job": job, "version": version, "promotion": check}, _summary(version, check))
    return 0


def _ask() -> str:
    """What to do with the training after Ctrl-C."""
    if not sys.stdin.isatty():
        return LEAVE
    question = f"End the training and {KEEP} its best epoch, {DISCARD} it, or {LEAVE} it running?"
    return str(click.prompt(question, type=click.Choice([KEEP, DISCARD, LEAVE]), default=KEEP, err=True))


def _interrupted(run: TrainingRun, job: str, action: str, display: "TrainingDisplay") -> Job:
    """End the training, or leave it running. Return the job if it ends with a version.

    Raises:
        KeyboardInterrupt: It does not end with a version.
    """
    if action == LEAVE:
        display.warn(f"The training continues on the server, as long as that runs: job {job}.")
        raise KeyboardInterrupt
    with suppress(RequestFailed), display.status:  # it may just have ended
        ended = run.stop(job, keep_best=action == KEEP)
        if ended.state == "done":
            return ended
    display.warn(f"The training was stopped: job {job}. It can be resumed on its page.")
    raise KeyboardInterrupt


class TrainingDisplay:
    """The progress of a training: a line for each epoch, and a changing one for the current phase."""

    def __init__(self, console: Terminal) -> None:
        self._console = console
        self._name, self._n_uploaded, self._n_files = "", 0, 0
        self.status = StatusLine(console, "checking the parameters")

    def show_ignored(self, counts: Counter[str]) -> None:
        if counts:
            self.warn(ignored_words(counts))

    def start_upload(self, name: str, total: int) -> None:
        self._name, self._n_files = name, total
        self.add_uploaded(0)

    def add_uploaded(self, count: int) -> None:
        self._n_uploaded += count
        self._set_status(f"uploading {self._name}: {self._n_uploaded:,} of {self._n_files:,} files")

    def show_data(self, data: TrainingData) -> None:
        classes = ", ".join(f"{n:,} {name}" for name, n in data.by_class.items())
        parts = ", ".join(f"{n:,} for {SPLITS.get(part, part)}" for part, n in data.by_part.items())
        left_out = (
            f"{data.n_duplicates:,} duplicates, {data.n_unreadable:,} unreadable, {data.n_unlabelled:,} without a label"
        )
        self.print(f"Found {classes} ({parts}); left out: {left_out}.")
        if not data.problem:  # a problem repeats the notes
            for note in data.notes:
                self.warn(note)

    def show_phase(self, curve: Epochs) -> None:
        phase = PHASES.get(curve.phase, "waiting for the training worker")
        steps = f", {curve.step:,} of {curve.n_steps:,}" if curve.n_steps else ""
        left = f"; about {_duration(curve.eta_s)} left" if curve.eta_s else ""
        self._set_status(f"{phase}{steps}{left}")

    def show_epoch(self, epoch: Epoch, curve: Epochs) -> None:
        self.print(
            f"epoch {epoch.number} of {curve.parameters['epochs']}: loss {epoch.loss:.4f}, accuracy"
            f" {epoch.accuracy:.4f}; validation {epoch.val_loss:.4f}, {epoch.val_accuracy:.4f};"
            f" {epoch.seconds:.1f} s, {epoch.images_per_s:,.0f} images/s"
        )

    def _set_status(self, text: str) -> None:
        self.status.update(text)

    def print(self, text: str) -> None:
        self._console.print(text)

    def warn(self, text: str) -> None:
        self._console.warn(text)


def _summary(version: Model, check: PromotionCheck) -> tuple[str, ...]:
    manifest = version.manifest
    test = manifest["metrics"]["judging"]  # the test split
    return (
        f"Version {version.version} ({version.network}): accuracy {test['accuracy']:.4f}"
        f" ({test['accuracy_low']:.4f} to {test['accuracy_high']:.4f}) on {test['n_images']:,} test pictures;"
        f" threshold {manifest['threshold']:.3f}.",
        check.warning or check.summary,
        f"Put it into use{' anyway' if check.warning else ''}: pawsort promote {version.version}",
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
