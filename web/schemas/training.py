"""Training jobs: their data, parameters and epochs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, WithJsonSchema

from web.schemas.common import Input, Name


class TrainingDataIn(Input):
    data: Literal["all"] | Annotated[list[UUID], Field(max_length=1000)] = Field(
        description="Ids of complete uploads, or `all` for everything that anybody labelled"
    )


# Not checked here, only documented: core/training/parameters.py has one sentence for each wrong type or value.
AnyText = Annotated[Any, WithJsonSchema({"type": ["string", "null"]})]
AnyWhole = Annotated[Any, WithJsonSchema({"type": ["integer", "null"]})]
AnyNumber = Annotated[Any, WithJsonSchema({"type": ["number", "null"]})]


class TrainingParametersIn(Input):
    network: AnyText = None
    epochs: AnyWhole = None
    steps_per_epoch: AnyWhole = Field(None, description="Batches in an epoch; as many as show every picture once")
    batch_size: AnyWhole = None
    learning_rate: AnyNumber = None
    augmentation: AnyText = Field(None, description="none, light or strong")
    seed: AnyWhole = None
    early_stopping: AnyWhole = Field(None, description="End after so many epochs without progress; 0: never")
    start_from: AnyWhole = Field(
        None,
        description="A version whose weights training starts from. If left out, seed-cnn begins anew, and"
        " efficientnet-lite0, of which the last layers learn, with its newest version",
    )
    what: AnyText = Field(
        None, description="all; or head: a new head alone, in seconds, on what the body of `start_from` sees"
    )


class TrainingJobIn(TrainingParametersIn, TrainingDataIn):
    id: UUID | None = Field(None, description="The job's id: sent again, nothing happens twice; a new one if left out")
    name: Name | None = None


class TrainingDataOut(BaseModel):
    """What would be trained on. `by_class` and `by_part` count contents, each once; `problem` says why it cannot be."""

    n_files: int
    by_class: dict[str, int]
    by_part: dict[str, int]
    n_duplicates: int
    n_unreadable: int
    n_unlabelled: int
    notes: list[str]
    problem: str | None


class TrainingParametersOut(BaseModel):
    network: str
    epochs: int
    steps_per_epoch: int | None
    batch_size: int
    learning_rate: float
    augmentation: str
    seed: int
    early_stopping: int
    start_from: int | None
    what: str


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
    """How far a training is.

    `phase` is what happens now (reading, decoding, comparing, preparing, training, validating, judging), `step` of
    `n_steps` how far that is and `phase_left_s` how long it still takes; `eta_s` is what is left of all epochs. `found`
    is what was there to learn from when the job was created.
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
