"""Label quality checks: suspects, and the labels worth adding."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class StudyIn(BaseModel):
    id: UUID | None = Field(None, description="The job's id: sent again, nothing happens twice; a new one if left out")
    version: int | None = Field(
        None, description="Whose features to look through; those of the version in use if left out"
    )


class SuspectOut(BaseModel):
    image_id: int
    path: str
    label: str
    suggested: str
    now: str | None
    p_label: float


class StudyOut(BaseModel):
    """`curve`: measured points, and what share would be right now, with `more` labels more, and with twice as many."""

    version: int
    created_at: datetime
    n_labels: int
    curve: dict[str, Any]
    suspects: list[SuspectOut] = Field(
        description="Most suspicious first; those that people have looked at are left out"
    )
    wanted: list[int] = Field(description="Images that would teach most: doubtful ones, unlike each other")
