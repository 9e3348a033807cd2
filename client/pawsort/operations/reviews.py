"""Reviews: pictures handed out to people, and audits."""

from typing import Unpack

from pawsort.api.calls import Call, Stream, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.operations.references import JobReference, job_id, new_id
from pawsort.schemas import Audit, ReviewInput, ReviewPictures, ReviewProgress


class ReviewOperations:
    """Pictures to review, each handed out to one reviewer at a time."""

    @Operation
    def progress(self, job: JobReference) -> Call[ReviewProgress]:
        """Return how far the review of a job is."""
        return Call(ReviewProgress, "GET", f"/jobs/{job_id(job)}/review")

    @Operation
    def hand_out(self, job: JobReference, **options: Unpack[ReviewInput]) -> Call[ReviewPictures]:
        """Get pictures to review, and reserve them for two minutes."""
        return Call(ReviewPictures, "POST", f"/jobs/{job_id(job)}/review", json=options)


class Reviews(ReviewOperations, Group):
    """Pictures to review, each handed out to one reviewer at a time."""


class AsyncReviews(ReviewOperations, AsyncGroup):
    """Pictures to review, each handed out to one reviewer at a time."""


class AuditOperations:
    """Random samples, labelled without sight of the predictions: how often is the model right?"""

    @Operation
    def create(self, job: JobReference, *, size: int = 100) -> Call[Audit]:
        """Draw a random sample of a job that has ended."""
        return Call(Audit, "POST", f"/jobs/{job_id(job)}/audits", json={"id": new_id(), "size": size})

    @Listing
    def list(self, job: JobReference) -> Stream[Audit]:
        """Iterate over the audits of a job, newest first."""
        return pages(Audit, f"/jobs/{job_id(job)}/audits")

    @Operation
    def get(self, audit: str) -> Call[Audit]:
        """Return an audit with its result so far."""
        return Call(Audit, "GET", f"/audits/{audit}")


class Audits(AuditOperations, Group):
    """Random samples, labelled without sight of the predictions: how often is the model right?"""


class AsyncAudits(AuditOperations, AsyncGroup):
    """Random samples, labelled without sight of the predictions: how often is the model right?"""
