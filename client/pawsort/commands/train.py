"""`pawsort train`: from the shell, all the way to a new model version."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.status import Status

from pawsort.api.errors import ClientError, RequestFailed
from pawsort.connect import connect, server_options
from pawsort.runs.classify import name_of, shown_name
from pawsort.runs.train import TrainingRun
from pawsort.sending.sources import Skipped

SHOWN_SKIPPED = 10
KEEP, DISCARD, LEAVE = "keep", "discard", "leave"
WORDS = {
    "reading": "choosing pictures",
    "decoding": "reading pictures",
    "preparing": "preparing the network",
    "training": "training",
    "validating": "measuring the epoch",
    "judging": "judging the network",
}


@click.command("train")
@click.argument("folders", nargs=-1, metavar="[FOLDER…]", type=click.Path(exists=True, path_type=Path))
@click.option("--all-labels", is_flag=True, help="Train on everything that is labelled on the server; no folders then.")
@click.option("--network", metavar="N", help="Which network; the default one unless given.")
@click.option("--epochs", type=int, metavar="E", help="How many at most.")
@click.option("--steps-per-epoch", type=int, metavar="S", help="As many as show every picture once unless given.")
@click.option("--batch-size", type=int, metavar="B", help="Pictures in each step.")
@click.option("--learning-rate", type=float, metavar="R", help="The highest one.")
@click.option("--augmentation", metavar="A", help="How pictures are varied: none, light or strong.")
@click.option("--seed", type=int, metavar="S", help="Of everything random.")
@click.option("--early-stopping", type=int, metavar="E", help="End after so many epochs without progress.")
@click.option(
    "--start-from",
    type=int,
    metavar="V",
    help="Start from the weights of this version. Unless given: seed-cnn anew, efficientnet-lite0 from its newest one.",
)
@click.option(
    "--head-only",
    "what",
    flag_value="head",
    default=None,
    help="Fit a new head alone, in seconds, on what the version in use sees of the pictures.",
)
@click.option("--name", metavar="N", help="What the job is called; the folder's name unless given.")
@click.option(
    "--on-interrupt",
    type=click.Choice([KEEP, DISCARD, LEAVE]),
    help="What Ctrl-C does to the training: end it and keep its best epoch, end it without, or leave it running while"
    " the server does. On a terminal it asks unless given, else it leaves it.",
)
@server_options
def command(
    folders: tuple[Path, ...],
    all_labels: bool,
    name: str | None,
    on_interrupt: str | None,
    server: str | None,
    token: str | None,
    **parameters: Any,
) -> int:
    """Train a network on labelled folders: cats/, dogs/ and, to be turned away, neither/; or on what is labelled.

    What is left out is chosen to suit the amount of data. The version that comes of it is a candidate: `pawsort
    promote` puts it into use. The exit code is 0 when there is one.
    """
    if all_labels == bool(folders):
        raise click.UsageError("Name folders to train on, or say --all-labels for everything labelled on the server.")
    given = {key: value for key, value in parameters.items() if value is not None}
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    # The training wants the memory: one process is enough for what else may be asked meanwhile.
    with connect(server, token, console.print, inference_processes=1) as client:
        shown = Shown(console)
        run = TrainingRun(client, given, shown)
        try:
            with shown.status:
                if all_labels:
                    job = run.run_on_all(name or "everything labelled")
                else:
                    job = run.run(folders, shown_name(name or name_of(folders)))
        except KeyboardInterrupt:
            if run.job is None:
                raise
            job = _interrupted(run, run.job, on_interrupt or _ask(), shown)
        finally:
            _tell_skipped(console, run.skipped)
        if job["state"] != "done":
            raise ClientError(job["error"] or f"The training was {job['state']}.")
        click.echo(_summary(client.get_model(job["model"])))
    return 0


def _ask() -> str:
    """What to do with the training after Ctrl-C."""
    if not sys.stdin.isatty():
        return LEAVE
    question = f"End the training and {KEEP} its best epoch, {DISCARD} it, or {LEAVE} it running?"
    return str(click.prompt(question, type=click.Choice([KEEP, DISCARD, LEAVE]), default=KEEP, err=True))


def _interrupted(run: TrainingRun, job: str, wish: str, shown: "Shown") -> dict[str, Any]:
    """Do with the training what was wished; the job, if it ends with a version after all.

    Raises:
        KeyboardInterrupt: It does not.
    """
    if wish == LEAVE:
        shown.tell(f"The training goes on without this command, while the server runs: job {job}.")
        raise KeyboardInterrupt
    with suppress(RequestFailed), shown.status:  # it may have ended at this very moment
        ended = run.stop(job, keep_best=wish == KEEP)
        if ended["state"] == "done":
            return ended
    shown.tell(f"The training was stopped: job {job}. Its page can take it up again.")
    raise KeyboardInterrupt


class Shown:
    """The display of a training: a line for each epoch, and one that changes for what is happening now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name, self._n_sent, self._n_files = "", 0, 0
        self.status = Status("checking the parameters", console=console)

    def sending(self, name: str, total: int) -> None:
        self._name, self._n_files = name, total
        self.sent(0)

    def sent(self, count: int) -> None:
        self._n_sent += count
        self._say(f"sending {self._name}: {self._n_sent:,} of {self._n_files:,} files")

    def found(self, data: dict[str, Any]) -> None:
        classes = ", ".join(f"{n:,} {name}" for name, n in data["by_class"].items())
        parts = ", ".join(f"{n:,} for {part}" for part, n in data["by_part"].items())
        left_out = (
            f"{data['n_duplicates']:,} duplicates, {data['n_unreadable']:,} unreadable,"
            f" {data['n_unlabelled']:,} without a label"
        )
        self.tell(f"Found {classes} ({parts}); left out: {left_out}.")
        if not data["problem"]:  # a problem repeats them
            for note in data["notes"]:
                self.tell(note, "yellow")

    def now(self, curve: dict[str, Any], state: str) -> None:
        said = WORDS.get(curve["phase"], "waiting for the training worker")
        steps = f", {curve['step']:,} of {curve['n_steps']:,}" if curve["n_steps"] else ""
        left = f"; about {_duration(curve['eta_s'])} left" if curve["eta_s"] else ""
        self._say(f"{said}{steps}{left}")

    def epoch(self, epoch: dict[str, Any], curve: dict[str, Any]) -> None:
        self.tell(
            f"epoch {epoch['number']} of {curve['parameters']['epochs']}: loss {epoch['loss']:.4f}, accuracy"
            f" {epoch['accuracy']:.4f}; validation {epoch['val_loss']:.4f}, {epoch['val_accuracy']:.4f};"
            f" {epoch['seconds']:.1f} s, {epoch['images_per_s']:,.0f} images/s"
        )

    def _say(self, text: str) -> None:
        self.status.update(text.replace("[", r"\["))

    def tell(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, markup=False)


def _summary(version: dict[str, Any]) -> str:
    manifest = version["manifest"]
    judged = manifest["metrics"]["judging"]
    return (
        f"Version {version['version']} ({version['network']}): accuracy {judged['accuracy']:.4f}"
        f" ({judged['accuracy_low']:.4f} to {judged['accuracy_high']:.4f}) on {judged['n_images']:,} pictures that it"
        f" has not seen; threshold {manifest['threshold']:.3f}.\n"
        f"Put it into use: pawsort promote {version['version']}"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _tell_skipped(console: Console, skipped: list[Skipped]) -> None:
    for one in skipped[:SHOWN_SKIPPED]:
        console.print(f"Skipped {one.path}: {one.reason}", style="yellow", markup=False)
    if len(skipped) > SHOWN_SKIPPED:
        console.print(f"… and {len(skipped) - SHOWN_SKIPPED} more.", style="yellow", markup=False)
