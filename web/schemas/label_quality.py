"""Label quality checks: suspects, and the labels worth adding."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from web.schemas.common import PersonsLabel, VersionNumber


class StudyIn(BaseModel):
    id: UUID | None = Field(
        None, description="The id of the job, so that a repeated call starts nothing twice; default: a new one"
    )
    version: VersionNumber | None = Field(
        None, description="The version whose features are used; default: the version in use"
    )


class SuspectOut(BaseModel):
    image_id: int
    path: str
    label: PersonsLabel
    suggested: PersonsLabel
    now: PersonsLabel | None
    p_label: float


class StudyOut(BaseModel):
    """`curve`: measured points, and the expected accuracy now, with `more` added labels, and with twice as many."""

    version: int
    created_at: datetime
    n_labels: int
    curve: dict[str, Any]
    suspects: list[SuspectOut] = Field(
        description="Most suspicious first, without those that people have already checked"
    )
    wanted: list[int] = Field(description="Images worth labelling next: of low confidence, and unlike each other")
