"""Label quality checks."""

from pawsort.api.calls import Call
from pawsort.api.operation import AsyncGroup, Group, Operation
from pawsort.operations.references import new_id
from pawsort.schemas import Job, LabelQuality


class LabelQualityOperations:
    """Jobs that find doubtful labels."""

    @Operation
    def check(self, *, version: int | None = None) -> Call[Job]:
        """Start a check of all labels; it changes nothing."""
        body = {"id": new_id()} | ({} if version is None else {"version": version})
        return Call(Job, "POST", "/studies", json=body)

    @Operation
    def newest(self) -> Call[LabelQuality]:
        """Return the result of the newest check."""
        return Call(LabelQuality, "GET", "/studies/newest")


class LabelQualityChecks(LabelQualityOperations, Group):
    """Jobs that find doubtful labels."""


class AsyncLabelQualityChecks(LabelQualityOperations, AsyncGroup):
    """Jobs that find doubtful labels."""
