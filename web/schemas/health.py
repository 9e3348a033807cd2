"""Answers of the health checks."""

from typing import Literal

from pydantic import BaseModel, Field


class AliveOut(BaseModel):
    status: Literal["ok"]


class ReadyOut(BaseModel):
    """`checks` and `devices` are for those who have the token for monitoring, where the operator has set one."""

    status: Literal["ok", "not ready"]
    checks: dict[str, str] | None = Field(None, description="`ok`, or what is wrong with database, broker, …")
    devices: dict[str, list[str]] | None = Field(None, description="The devices of the workers, by queue")
