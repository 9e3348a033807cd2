"""Model versions: which one is in use, how good each is."""

from pawsort.api.calls import NOTHING, Call, Stream, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.schemas import (
    ClassName,
    Comparison,
    Deployment,
    Difference,
    Job,
    Metrics,
    Model,
    PersonsLabel,
    Prediction,
    PredictionSort,
    Promotion,
    PromotionCheck,
    Threshold,
)


class ModelOperations:
    """Model versions: list, compare, promote them."""

    @Listing
    def list(self) -> Stream[Model]:
        """Iterate over the model versions, newest first."""
        return pages(Model, "/models")

    @Operation
    def get(self, version: int) -> Call[Model]:
        """Return a model version with its manifest."""
        return Call(Model, "GET", f"/models/{version}")

    @Operation
    def threshold(self, version: int, *, max_error: float) -> Call[Threshold]:
        """Return the threshold that keeps a promise: 0.01 for at most one wrong label in a hundred."""
        return Call(Threshold, "GET", f"/models/{version}/thresholds", {"max_error": max_error})

    @Operation
    def check_promotion(self, version: int) -> Call[PromotionCheck]:
        """Compare a version with the one in use; `warning` shows what speaks against promoting it."""
        return Call(PromotionCheck, "GET", f"/models/{version}/promotion")

    @Operation
    def promote(self, version: int) -> Call[Promotion]:
        """Put a version into use for new jobs."""
        return Call(Promotion, "POST", f"/models/{version}/promote")

    @Operation
    def roll_back(self, in_use: int) -> Call[Deployment]:
        """Restore the version used before `in_use`. Naming it keeps a repeated request from going back twice."""
        return Call(Deployment, "POST", "/models/rollback", json={"in_use": in_use})

    @Operation
    def delete(self, version: int) -> Call[None]:
        """Delete a version that was never used."""
        return Call(NOTHING, "DELETE", f"/models/{version}")

    @Listing
    def deployments(self) -> Stream[Deployment]:
        """Iterate over the history of which version was in use, newest first."""
        return pages(Deployment, "/deployments")

    @Operation
    def evaluate(self, version: int) -> Call[Job]:
        """Start an evaluation on the labelled test pictures."""
        return Call(Job, "POST", f"/models/{version}/judge")

    @Operation
    def metrics(self, version: int) -> Call[Metrics]:
        """Return the metrics of a version on the test pictures of now."""
        return Call(Metrics, "GET", f"/models/{version}/figures")

    @Listing
    def predictions(
        self,
        version: int,
        *,
        true: PersonsLabel | None = None,
        called: ClassName | None = None,
        sort: PredictionSort | None = None,
    ) -> Stream[Prediction]:
        """Iterate over the predictions of a version for test pictures."""
        return pages(Prediction, f"/models/{version}/judgements", {"true": true, "called": called, "sort": sort})

    @Operation
    def compare(self, version: int, other: int) -> Call[Comparison]:
        """Compare two versions on the same test pictures."""
        return Call(Comparison, "GET", f"/models/{version}/compare/{other}")

    @Listing
    def differences(self, version: int, other: int) -> Stream[Difference]:
        """Iterate over the test pictures for which two versions differ."""
        return pages(Difference, f"/models/{version}/compare/{other}/differences")


class Models(ModelOperations, Group):
    """Model versions: list, compare, promote them."""


class AsyncModels(ModelOperations, AsyncGroup):
    """Model versions: list, compare, promote them."""
