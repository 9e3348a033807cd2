"""Training jobs: their data, parameters and epochs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, Field, WithJsonSchema
from typing_extensions import TypeAliasType

from core.base.network_catalog import TRAINABLE
from web.schemas.common import Input, Name, OneOf


class TrainingDataIn(Input):
    data: Literal["all"] | Annotated[list[UUID], Field(max_length=1000)] = Field(
        description="Ids of complete uploads, or `all` for everything labelled"
    )


# Documented here, checked in core/training/parameters.py, which has a message for each wrong type or value.
TrainableNetwork = TypeAliasType("TrainableNetwork", Annotated[str, OneOf(TRAINABLE)])
Augmentation = TypeAliasType("Augmentation", Literal["none", "light", "strong"])
TrainedLayers = TypeAliasType("TrainedLayers", Literal["all", "head"])
AnyWhole = Annotated[Any, WithJsonSchema({"type": ["integer", "null"]})]
AnyNumber = Annotated[Any, WithJsonSchema({"type": ["number", "null"]})]


def _any_of(values: Iterable[str]) -> Any:
    return WithJsonSchema({"anyOf": [{"type": "string", "enum": list(values)}, {"type": "null"}]})


class TrainingParametersIn(Input):
    network: Annotated[Any, _any_of(TRAINABLE)] = None
    epochs: AnyWhole = None
    steps_per_epoch: AnyWhole = Field(
        None, description="Batches per epoch; default: as many as show every picture once"
    )
    batch_size: AnyWhole = None
    learning_rate: AnyNumber = None
    augmentation: Annotated[Any, _any_of(get_args(Augmentation.__value__))] = None
    seed: AnyWhole = None
    early_stopping: AnyWhole = Field(None, description="End after this many epochs without progress; 0: never")
    start_from: AnyWhole = Field(
        None,
        description="A version whose weights training starts from. Default: seed-cnn starts from scratch;"
        " efficientnet-lite0, whose last layers are trained, starts from its newest version",
    )
    what: Annotated[Any, _any_of(get_args(TrainedLayers.__value__))] = Field(
        None, description="all; or head: only a new head, in seconds, on the features of `start_from`"
    )


class TrainingJobIn(TrainingParametersIn, TrainingDataIn):
    id: UUID | None = Field(
        None, description="The id of the job, so that a repeated call starts nothing twice; default: a new one"
    )
    name: Name | None = None


class TrainingDataOut(BaseModel):
    """What would be trained on. `by_class` and `by_part` count each content once; `problem`: why it is impossible."""

    n_files: int
    by_class: dict[str, int]
    by_part: dict[str, int]
    n_duplicates: int
    n_unreadable: int
    n_unlabelled: int
    notes: list[str]
    problem: str | None


class TrainingParametersOut(BaseModel):
    network: TrainableNetwork
    epochs: int
    steps_per_epoch: int | None
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    seed: int
    early_stopping: int
    start_from: int | None
    what: TrainedLayers


class EpochOut(BaseModel):
    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_s: float
    created_at: datetime


class EpochList(BaseModel):
    """Progress of a training.

    `phase` is what happens now (reading, decoding, comparing, preparing, training, validating, judging), `step` of
    `n_steps` how far it is, and `phase_left_s` how long it will take. `eta_s` is the time left for all epochs. `found`
    describes the labelled pictures at the time when the job was created.
    """

    parameters: dict[str, Any]
    phase: str
    step: int
    n_steps: int
    eta_s: float | None
    phase_left_s: float | None
    found: dict[str, Any] | None
    items: list[EpochOut]
    next: None = None
