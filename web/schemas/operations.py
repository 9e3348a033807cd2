"""Health checks, and the queue: pauses, priorities, retries in bulk."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from core.jobs.control.pausing import Priority
from core.jobs.control.retry_failed import MOST
from web.schemas.common import Input

PriorityName = TypeAliasType("PriorityName", Literal["normal", "first", "before_all"])
PRIORITIES: dict[PriorityName, Priority] = {
    "normal": Priority.NORMAL,
    "first": Priority.FIRST,
    "before_all": Priority.BEFORE_ALL,
}
NAMES: dict[Priority, PriorityName] = {priority: name for name, priority in PRIORITIES.items()}


class PriorityIn(Input, json_schema_extra={"examples": [{"priority": "first"}]}):
    priority: PriorityName = Field(
        description="`first`: before the other jobs of the same person; `before_all`: before all jobs, for admins"
    )


class RetryIn(Input):
    jobs: list[UUID] | None = Field(None, max_length=MOST, description="Default: all jobs that failed")


class Refusal(BaseModel):
    id: UUID
    reason: str = Field(examples=["Job … is running. Wait until it has ended, or cancel it first."])


class RetryOut(BaseModel):
    retried: list[UUID]
    refused: list[Refusal]


class PauseOut(BaseModel):
    paused_since: datetime | None


class AliveOut(BaseModel):
    status: Literal["ok"]


class ReadyOut(BaseModel):
    """`checks` and `devices` are for those who have the token for monitoring, where the operator has set one."""

    status: Literal["ok", "not ready"]
    checks: dict[str, str] | None = Field(None, description="`ok`, or what is wrong with database, broker, …")
    devices: dict[str, list[str]] | None = Field(None, description="The devices of the workers, by queue")
