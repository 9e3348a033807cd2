"""Trainings: their data, parameters and start. `train` of the client uploads a folder as well."""

from collections.abc import Sequence
from typing import Literal, Unpack

from pawsort.api.calls import Call
from pawsort.api.operation import AsyncGroup, Group, Operation
from pawsort.operations.references import new_id
from pawsort.schemas import Job, TrainingData, TrainingParameters, TrainingParametersInput


class TrainingOperations:
    """Trainings of new versions."""

    @Operation
    def preview(self, uploads: Sequence[str] | Literal["all"] = "all") -> Call[TrainingData]:
        """Return what a training on these uploads, or on everything labelled, would learn from."""
        return Call(TrainingData, "POST", "/training-jobs/preview", json={"data": uploads})

    @Operation
    def check(self, **parameters: Unpack[TrainingParametersInput]) -> Call[TrainingParameters]:
        """Check parameters; returns all of them, with defaults filled in."""
        return Call(TrainingParameters, "POST", "/training-jobs/parameters", json=parameters)

    @Operation
    def start(
        self,
        uploads: Sequence[str] | Literal["all"] = "all",
        *,
        name: str | None = None,
        **parameters: Unpack[TrainingParametersInput],
    ) -> Call[Job]:
        """Train on complete uploads, or on everything labelled."""
        body = {"id": new_id(), "data": uploads, **parameters}
        return Call(Job, "POST", "/training-jobs", json=body | ({"name": name} if name else {}))


class Trainings(TrainingOperations, Group):
    """Trainings of new versions."""


class AsyncTrainings(TrainingOperations, AsyncGroup):
    """Trainings of new versions."""
