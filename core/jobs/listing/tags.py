"""Tags: short words that people give to jobs to find them again, in lower case."""

from collections.abc import Collection, Iterable, Sequence
from unicodedata import normalize

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor, check_owner
from core.base.database import change, slices
from core.base.errors import Invalid
from core.base.names import check_printable_name
from core.orm.jobs import Job, JobTag

MAX_TAG = 50  # characters
MAX_TAGS = 20  # of one job
SEPARATOR = ","  # in forms


def check_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are stored: in lower case, each once, sorted.

    Raises:
        Invalid: There are too many, or one is empty, too long, or has characters that a tag cannot have.
    """
    checked = sorted({check_printable_name(normalize("NFC", tag), MAX_TAG, "tag").lower() for tag in tags})
    if len(checked) > MAX_TAGS:
        raise Invalid(f"tags: expected at most {MAX_TAGS}, got {len(checked)}.")
    if separated := next((tag for tag in checked if SEPARATOR in tag), None):
        raise Invalid(f"tag: expected text without commas, got {separated!r}.")
    return checked


def find_tags(session: Session, job_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The tags of each of these jobs that has any, sorted."""
    found: dict[int, tuple[str, ...]] = {}
    for some in slices(job_ids):
        query = select(JobTag.job_id, JobTag.tag).where(JobTag.job_id.in_(some)).order_by(JobTag.tag)
        for job_id, tag in session.execute(query):
            found[job_id] = (*found.get(job_id, ()), tag)
    return found


def list_tags(session: Session) -> list[str]:
    """All tags of listed jobs, sorted."""
    listed = select(JobTag.tag).join(Job, Job.id == JobTag.job_id).where(Job.deleted_at.is_(None))
    return list(session.scalars(listed.distinct().order_by(JobTag.tag)))


def set_tags(session: Session, job: Job, tags: Iterable[str]) -> None:
    """Give a job these tags instead of those that it has.

    Raises:
        Invalid: As `check_tags`.
    """
    checked = check_tags(tags)
    change(session, delete(JobTag).where(JobTag.job_id == job.id))
    session.add_all(JobTag(job_id=job.id, tag=tag) for tag in checked)
    job.revision += 1


def change_tags(
    session: Session, actor: Actor, jobs: Sequence[Job], *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> None:
    """Add tags to several jobs, or remove them; what a job has or lacks already stays so.

    Raises:
        Forbidden: One of them is somebody else's.
        Invalid: As `check_tags`.
    """
    for job in jobs:
        check_owner(actor, job.user_id, f"job “{job.name}”")
    added, removed = set(check_tags(add)), set(check_tags(remove))
    before = find_tags(session, [job.id for job in jobs])
    for job in jobs:
        set_tags(session, job, set(before.get(job.id, ())) - removed | added)
