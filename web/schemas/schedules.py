"""Schedules and their runs. The parameters are checked by core/schedules/parameters.py."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from core.base.states import RunState, ScheduleKind
from core.schedules.parameters import DEFAULTS
from web.schemas.common import Input, old_name

Line = Annotated[str, StringConstraints(max_length=200)]
ShortText = Annotated[str, StringConstraints(max_length=500)]
RETRAIN_ON_SUNDAYS = {"name": "Retrain on Sundays", "kind": "retrain", "cron": "0 3 * * SUN"}
PARAMETERS = "By name, with these defaults. " + " ".join(
    f"{kind}: {', '.join(f'{name} ({value!r})' for name, value in values.items())}."
    for kind, values in DEFAULTS.items()
)


class ScheduleIn(Input, json_schema_extra={"examples": [RETRAIN_ON_SUNDAYS]}):
    name: ShortText
    kind: ScheduleKind
    cron: Line | None = Field(None, description="Minute, hour, day of the month, month, day of the week: `0 3 * * SUN`")
    time_zone: ShortText = Field("UTC", description="Time zone of the cron line, such as Europe/Berlin")
    every_n_labels: int | None = Field(
        None, description="Instead of a cron line, to retrain: after this many new labels"
    )
    parameters: dict[str, Any] = Field(default_factory=dict, description=PARAMETERS)
    is_on: bool = True


class SchedulePatch(Input, json_schema_extra={"examples": [{"is_on": False}]}):
    name: ShortText | None = None
    cron: Line | None = None
    time_zone: ShortText | None = None
    every_n_labels: int | None = None
    parameters: dict[str, Any] | None = Field(None, description="The parameters to change; null restores the default")
    is_on: bool | None = Field(None, description="false pauses, true resumes; runs missed while paused are not made up")
    revision: int | None = Field(
        None, description="The revision you have seen; refused (409) if the schedule has changed since"
    )


class RunOut(BaseModel):
    """`n_due`: how many due times it counts for; `user` started it with 'run now'; `details` depend on the kind."""

    id: int
    due_at: datetime
    n_due: int
    is_late: bool
    user: str | None
    who: str | None = old_name("user")
    state: RunState
    outcome: str
    job: UUID | None
    parameters: dict[str, Any]
    details: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None


class ScheduleOut(BaseModel):
    """`next_times` are the next five, in its time zone."""

    id: int
    name: str = Field(examples=[RETRAIN_ON_SUNDAYS["name"]])
    kind: ScheduleKind
    cron: str | None
    time_zone: str
    every_n_labels: int | None
    in_words: str
    next_times: list[datetime]
    parameters: dict[str, Any]
    is_on: bool
    next_run_at: datetime | None
    last_run: RunOut | None
    revision: int
    created_at: datetime


class SchedulePage(BaseModel):
    items: list[ScheduleOut]
    next: str | None


class RunPage(BaseModel):
    items: list[RunOut]
    next: str | None
