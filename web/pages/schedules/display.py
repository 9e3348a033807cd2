"""Schedules and their runs as the templates show them: facts and sentences for people."""

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
from web.pages.common.words import count, in_bytes, plural
from web.pages.schedules.form import KIND_WORDS, show_zoned

STATES = {
    RunState.WAITING: "Beginning",
    RunState.RUNNING: "Under way",
    RunState.EVALUATING: "Being judged",
    RunState.DONE: "Done",
    RunState.SKIPPED: "Skipped",
    RunState.FAILED: "Failed",
}
WHAT_LEARNS = {ALL: "the network itself, epoch by epoch", HEAD: "its last layer alone"}
Fact = tuple[str, str]


@dataclass(frozen=True)
class RunDisplay:
    """A run with its words; `chip` is the state whose colour it has."""

    run: Any
    who: str | None
    job: Any
    state: str
    chip: str
    why: str
    outcome: str

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.run.state in OPEN_RUN_STATES


@dataclass(frozen=True)
class ScheduleDisplay:
    """A schedule with its words, the next five times and its last run."""

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
        run, view.who, view.job, STATES[state], chip, _why(view, zone), run.outcome or "It has not ended yet."
    )


def _why(view: RunView, zone: str) -> str:
    """Why it ran, and whether it was late."""
    run = view.run
    if view.who is not None or run.user_id is not None:
        return f"{view.who or 'Somebody'} said “run now”"
    due = show_zoned(cron.in_zone(run.due_at, zone))
    if run.n_due > 1:
        more = plural(run.n_due - 1, "time")
        return f"Late: it was due on {due}, and {more} more before anybody was there to begin it; it ran once for all"
    return f"Late: it was due on {due}, and nobody was there to begin it" if run.is_late else f"Due on {due}"


def describe(kind: ScheduleKind, told: Mapping[str, Any]) -> list[Fact]:
    """What a schedule does, as facts."""
    match kind:
        case ScheduleKind.RETRAIN:
            return _describe_retrain(told)
        case ScheduleKind.CLASSIFY:
            facts = [("Reads", told["source"]), ("Model", told["model"] or "the version in use")]
            threshold = "that of the model" if told["threshold"] is None else f"{told['threshold']:.10g}"
            labels = "yes" if told["labelled"] else "no"
            return [*facts, ("Threshold", threshold), ("Folder names are labels", labels)]
        case ScheduleKind.CLEAN_UP:
            return _describe_clean_up(told)


def _describe_retrain(told: Mapping[str, Any]) -> list[Fact]:
    data = "everything labelled" if told["uploads"] is None else plural(len(told["uploads"]), "chosen upload")
    since = f", labels since {told['labels_since']}" if told["labels_since"] else ""
    facts = [
        ("Trains", told["network"]),
        ("Starts from", "the version in use" if told["start_from"] == IN_USE else "anew"),
        ("Learns from", data + since),
        ("New labels needed", count(told["min_new_labels"])),
        ("What learns", WHAT_LEARNS[told["training"].get("what", ALL)]),
        *(
            (name.replace("_", " ").capitalize(), f"{value}")
            for name, value in told["training"].items()
            if name != "what"
        ),
    ]
    if told["outcome"] != PROMOTE:
        return [*facts, ("Then", "keeps the new version as a candidate")]
    gate = (
        f"promotes the new version if it is right on {100 * told['min_gain']:.10g} points more of the pictures that"
        f" judge, McNemar's test says p < {told['max_p']:.10g}, and no class is worse by more than"
        f" {100 * told['max_class_loss']:.10g} points; else keeps it as a candidate"
    )
    return [*facts, ("Then", gate)]


def _describe_clean_up(told: Mapping[str, Any]) -> list[Fact]:
    facts = []
    if told["older_than_days"] is not None:
        facts.append(("Deletes", f"jobs that ended more than {told['older_than_days']:.10g} days ago"))
    if told["below_bytes"] is not None:
        facts.append(("Deletes", f"the oldest jobs while pictures have more than {in_bytes(told['below_bytes'])}"))
    keeps = "what runs, and what a schedule trains on"
    return [*facts, ("Keeps", f"{keeps}, and labelled pictures" if told["keep_labelled"] else keeps)]


def describe_details(kind: ScheduleKind, details: Mapping[str, Any]) -> list[Fact]:
    """What a run found, as facts."""
    facts: list[Fact] = []
    if "n_new_labels" in details:
        facts.append(("New labels", count(details["n_new_labels"])))
    if kind == ScheduleKind.RETRAIN and "started_from" in details:
        start = details["started_from"]
        facts.append(("Started from", f"version {start}" if start else "anew"))
    if details.get("pictures"):
        facts.append(("Pictures", ", ".join(f"{count(n)} {name}" for name, n in details["pictures"].items())))
    if details.get("parts"):
        parts = [f"{count(details['parts'][part])} for {part}" for part in Split if part in details["parts"]]
        facts.append(("Of them", ", ".join(parts)))
    if details.get("note"):
        facts.append(("Note", details["note"]))
    if "n_files" in details:
        facts.append(("New files", count(details["n_files"])))
    if "n_known" in details:
        facts.append(("Known already", count(details["n_known"])))
    if "n_left" in details:
        facts += [("Jobs deleted", count(details["n_jobs"])), ("Given back", in_bytes(details["n_bytes"]))]
        facts.append(("Pictures that are left", in_bytes(details["n_left"])))
    return facts
