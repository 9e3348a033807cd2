"""Schedules and their runs as the templates show them, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.base import cron
from core.base.states import OPEN_RUN_STATES, RunState, ScheduleKind
from core.orm.schedules import Schedule
from core.schedules import due_times
from core.schedules.parameters import IN_USE, PROMOTE
from core.schedules.runs import RunView
from core.training.parameters import ALL, HEAD
from core.training.splits import Split
from web.pages.common.words import count, in_bytes, plural, split_name
from web.pages.schedules.form import KIND_WORDS, show_zoned

STATES = {
    RunState.WAITING: "Starting",
    RunState.RUNNING: "Running",
    RunState.EVALUATING: "Being evaluated",
    RunState.DONE: "Done",
    RunState.SKIPPED: "Skipped",
    RunState.FAILED: "Failed",
}
TRAINED_LAYERS = {ALL: "more than the last layer, epoch by epoch", HEAD: "only the last layer"}
Fact = tuple[str, str]


@dataclass(frozen=True)
class RunDisplay:
    """A run in words; `chip` is the job state whose colour it has."""

    run: Any
    who: str | None
    job: Any
    state: str
    chip: str
    why: str
    outcome: str

    @property
    def is_open(self) -> bool:
        """Whether the run has not ended yet."""
        return self.run.state in OPEN_RUN_STATES


@dataclass(frozen=True)
class ScheduleDisplay:
    """A schedule in words, with the next five times and its last run."""

    schedule: Schedule
    kind: str
    when: str
    next_times: list[str]
    last: RunDisplay | None
    facts: list[Fact]


def show_schedule(schedule: Schedule, last: RunView | None, now: datetime) -> ScheduleDisplay:
    """A schedule as pages show it."""
    when = due_times.describe(schedule.cron, schedule.every_n_labels)
    return ScheduleDisplay(
        schedule=schedule,
        kind=KIND_WORDS[ScheduleKind(schedule.kind)],
        when=f"{when} ({schedule.time_zone})" if schedule.cron else when,
        next_times=[show_zoned(moment) for moment in due_times.list_next(schedule, now)],
        last=None if last is None else show_run(last, schedule.time_zone),
        facts=describe(ScheduleKind(schedule.kind), schedule.parameters),
    )


def show_run(view: RunView, zone: str) -> RunDisplay:
    """A run as pages show it."""
    run, state = view.run, RunState(view.run.state)
    chip = {RunState.FAILED: "failed", RunState.DONE: "done", RunState.SKIPPED: "cancelled"}.get(state, "running")
    return RunDisplay(
        run, view.who, view.job, STATES[state], chip, _why(view, zone), run.outcome or "The run has not ended yet."
    )


def _why(view: RunView, zone: str) -> str:
    """The reason for a run, and whether it was late."""
    run = view.run
    if view.who is not None or run.user_id is not None:
        return f"Started by {view.who or 'a user'} with “Run now”"
    due = show_zoned(cron.in_zone(run.due_at, zone))
    if run.n_due > 1:
        more = plural(run.n_due - 1, "time")
        return f"Late: due on {due}, and {more} more before a worker was available; it ran once for all of them"
    return f"Late: due on {due}, when no worker was available" if run.is_late else f"Due on {due}"


def describe(kind: ScheduleKind, settings: Mapping[str, Any]) -> list[Fact]:
    """What a schedule does, as facts."""
    match kind:
        case ScheduleKind.RETRAIN:
            return _describe_retrain(settings)
        case ScheduleKind.CLASSIFY:
            facts = [("Source", settings["source"]), ("Model", settings["model"] or "the version in use")]
            threshold = (
                "the threshold of the model" if settings["threshold"] is None else f"{settings['threshold']:.10g}"
            )
            labels = "yes" if settings["labelled"] else "no"
            return [*facts, ("Threshold", threshold), ("Folder names are labels", labels)]
        case ScheduleKind.CLEAN_UP:
            return _describe_clean_up(settings)
        case ScheduleKind.BACK_UP:
            kept = f"the newest of the last {plural(settings['keep_daily'], 'day')}"
            return [("Keeps", f"{kept} and {plural(settings['keep_weekly'], 'week')}")]


def _describe_retrain(settings: Mapping[str, Any]) -> list[Fact]:
    data = "everything labelled" if settings["uploads"] is None else plural(len(settings["uploads"]), "selected upload")
    since = f", labels since {settings['labels_since']}" if settings["labels_since"] else ""
    facts = [
        ("Network", settings["network"]),
        ("Starts from", "the version in use" if settings["start_from"] == IN_USE else "from scratch"),
        ("Training data", data + since),
        ("New labels needed", count(settings["min_new_labels"])),
        ("What is trained", TRAINED_LAYERS[settings["training"].get("what", ALL)]),
        *(
            (name.replace("_", " ").capitalize(), f"{value}")
            for name, value in settings["training"].items()
            if name != "what"
        ),
    ]
    if settings["outcome"] != PROMOTE:
        return [*facts, ("Afterwards", "keeps the new version as a candidate")]
    gate = (
        f"promotes the new version if it is right on {100 * settings['min_gain']:.10g} points more test pictures,"
        f" McNemar's test gives p < {settings['max_p']:.10g}, and no class is worse by more than"
        f" {100 * settings['max_class_loss']:.10g} points; otherwise keeps it as a candidate"
    )
    return [*facts, ("Afterwards", gate)]


def _describe_clean_up(settings: Mapping[str, Any]) -> list[Fact]:
    facts = []
    if settings["older_than_days"] is not None:
        facts.append(("Deletes", f"jobs that ended more than {settings['older_than_days']:.10g} days ago"))
    if settings["below_bytes"] is not None:
        facts.append(("Deletes", f"the oldest jobs while pictures take more than {in_bytes(settings['below_bytes'])}"))
    keeps = "running jobs, and pictures that a schedule trains on"
    return [*facts, ("Keeps", f"{keeps}, and labelled pictures" if settings["keep_labelled"] else keeps)]


def describe_details(kind: ScheduleKind, details: Mapping[str, Any]) -> list[Fact]:
    """The details of a run, as facts."""
    facts: list[Fact] = []
    if "n_new_labels" in details:
        facts.append(("New labels", count(details["n_new_labels"])))
    if kind == ScheduleKind.RETRAIN and "started_from" in details:
        start = details["started_from"]
        facts.append(("Started from", f"version {start}" if start else "from scratch"))
    if details.get("pictures"):
        facts.append(("Pictures", ", ".join(f"{count(n)} {name}" for name, n in details["pictures"].items())))
    if details.get("parts"):
        parts = [
            f"{count(details['parts'][part])} for {split_name(part)}" for part in Split if part in details["parts"]
        ]
        facts.append(("Splits", ", ".join(parts)))
    if details.get("note"):
        facts.append(("Note", details["note"]))
    if "n_files" in details:
        facts.append(("New files", count(details["n_files"])))
    if "n_known" in details:
        facts.append(("Already known", count(details["n_known"])))
    if "n_left" in details:
        facts += [("Jobs deleted", count(details["n_jobs"])), ("Space freed", in_bytes(details["n_bytes"]))]
        facts.append(("Pictures left", in_bytes(details["n_left"])))
    return facts
