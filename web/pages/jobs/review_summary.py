"""What the page of a job says about reviewing it."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from core.orm.jobs import Job
from core.review import audits
from core.review.audits import SIZES, AuditView

AUDITS_SHOWN = 5


@dataclass(frozen=True)
class ReviewSummary:
    """The newest random samples, and what a new one needs: possible sizes, and an id, so that two clicks draw one."""

    audits: list[AuditView]
    sizes: tuple[int, ...] = SIZES
    new_id: UUID = field(default_factory=uuid4)


def summarise_review(session: Session, job: Job) -> ReviewSummary:
    """What there is of reviewing a job; nothing of it counts the job's rows."""
    newest = audits.list_audits(session, job, limit=AUDITS_SHOWN).items
    return ReviewSummary([audits.describe_audit(session, audit, job.threshold_milli) for audit in newest])
