"""Model versions and the history of deployments."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from web.schemas.common import Input, VersionNumber


class RollbackIn(Input):
    in_use: VersionNumber | None = Field(
        None, description="The version to roll back from; with it, a repeated call does not roll back twice"
    )


class ModelOut(BaseModel):
    version: int
    network: str
    digest: str
    in_use: bool
    n_new_labels: int = Field(description="Pictures labelled since it was trained")
    created_at: datetime
    manifest: dict[str, Any]


class ModelList(BaseModel):
    items: list[ModelOut]
    next: str | None = None


class DeploymentOut(BaseModel):
    id: int
    version: int
    reason: str
    who: str | None = Field(description="Name of the user; null if no user did it")
    created_at: datetime


class DeploymentList(BaseModel):
    items: list[DeploymentOut]
    next: str | None = None
