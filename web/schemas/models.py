"""Model versions and the history of deployments."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from web.schemas.common import Input, NetworkName, VersionNumber, old_name


class RollbackIn(Input, json_schema_extra={"examples": [{"in_use": 7}]}):
    in_use: VersionNumber | None = Field(
        None, description="The version to roll back from; with it, a repeated call does not roll back twice"
    )


class ModelOut(BaseModel):
    version: int
    network: NetworkName
    digest: str
    in_use: bool
    n_new_labels: int = Field(description="Pictures labelled since it was trained")
    created_at: datetime
    manifest: dict[str, Any] = Field(
        examples=[{"network": "efficientnet-lite0", "classes": ["cat", "dog"], "threshold": 0.8}]
    )


class ModelList(BaseModel):
    items: list[ModelOut]
    next: str | None = None


class ThresholdQuery(Input):
    max_error: float = Field(gt=0, lt=1, description="The largest share of wrong labels: 0.01 for one in a hundred")


class ThresholdOut(BaseModel):
    """The lowest threshold at which at most `max_error` of the labels are wrong.

    It was found on the `n_images` pictures of the version's validation split: `n_labelled` of them get a label there,
    `n_wrong` a wrong one. `error_low` and `error_high` are the exact interval of `error` (Clopper and Pearson);
    `error_high` is at most `max_error`.
    """

    version: int
    digest: str = Field(description="SHA-256 of the version's weights")
    max_error: float
    threshold: float
    coverage: float = Field(description="Share of the pictures that get a label")
    error: float = Field(description="Share of wrong ones among the labels")
    error_low: float
    error_high: float
    confidence_level: float
    split: str
    n_images: int
    n_labelled: int
    n_wrong: int
    data_sha256: str | None = Field(description="Digest of the contents that the version was made with")


class DeploymentOut(BaseModel):
    id: int
    version: int
    reason: str = Field(examples=["promoted"])
    user: str | None = Field(description="Name of the user; null if no user did it")
    who: str | None = old_name("user")
    created_at: datetime


class PromotionOut(DeploymentOut):
    warning: str | None = Field(
        description="What spoke against it: worse than the version that was in use, or compared on few pictures"
    )


class PromotionCheckOut(BaseModel):
    """A version next to the one in use. `warning` is null if nothing speaks against promoting it."""

    version: int
    in_use: int | None = Field(description="The version in use; null if it is the same, or if there is none")
    n_images: int = Field(description="Test pictures that both were evaluated on")
    accuracy: float | None = Field(description="On these pictures; null without any")
    accuracy_in_use: float | None
    p_value: float = Field(description="McNemar's test, two-sided")
    is_better: bool = Field(description="Right more often on enough pictures, and not by chance")
    summary: str = Field(description="Both on the same pictures, in a sentence; empty if `in_use` is null")
    warning: str | None


class DeploymentList(BaseModel):
    items: list[DeploymentOut]
    next: str | None = None
