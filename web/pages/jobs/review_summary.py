"""What the page of a job shows about its review."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from core.orm.jobs import Job
from core.review import audits
from core.review.audits import SIZES, AuditView

AUDITS_SHOWN = 5


@dataclass(frozen=True)
class ReviewSummary:
    """The newest audits, and for a new one the possible sizes and an id, so that two clicks draw only one."""

    audits: list[AuditView]
    sizes: tuple[int, ...] = SIZES
    new_id: UUID = field(default_factory=uuid4)


def summarise_review(session: Session, job: Job) -> ReviewSummary:
    """The review of a job, without counting its rows."""
    newest = audits.list_audits(session, job, limit=AUDITS_SHOWN).items
    return ReviewSummary([audits.describe_audit(session, audit, job.threshold_milli) for audit in newest])
