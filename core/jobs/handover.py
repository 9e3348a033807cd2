"""Handing over what a person made: a job with its uploads, or everything, with schedules and webhooks for everybody.

Usage follows the uploads, whatever the quota of the new owner: an admin decides.
"""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.accounts import people
from core.accounts.audit_log import Action, record
from core.accounts.rights import ROLE_RIGHTS, Actor, Right, Role, check_right
from core.base.database import change
from core.base.errors import Invalid
from core.jobs import jobs
from core.orm.accounts import User
from core.orm.jobs import Job
from core.orm.schedules import Schedule
from core.orm.uploads import Upload
from core.orm.webhooks import WebhookEndpoint
from core.uploads import usage


def hand_over_job(session: Session, actor: Actor, uuid: UUID, to: str) -> Job:
    """Give a job to another person, and with it those of its uploads that had the same owner.

    Raises:
        Forbidden: The actor may not change what others made.
        NotFound, Gone: There is no such job, or no such person.
        Invalid: The person is disabled, or a viewer.
    """
    check_right(actor, Right.OTHERS)
    person = _get_recipient(session, to)
    job, uploads_ = jobs.lock_with_uploads(session, uuid)
    before = job.user_id
    job.user_id = person.id
    job.revision += 1
    for upload in uploads_:
        if upload.user_id == before:
            upload.user_id = person.id
            usage.move(session, before, person.id, upload.n_bytes, upload.n_images)
    record(session, actor, Action.OWNER_CHANGE, "job", uuid, name=job.name, before=before, after=person.id, to=to)
    session.flush()
    return job


def hand_over_all(session: Session, actor: Actor, name: str, to: str) -> int:
    """Give all jobs, uploads and schedules of a person to another one, and the webhooks for everybody's events.

    Webhooks for this person's own events stay: they are sent the events of what this person has.

    Returns:
        How many jobs there were.
    Raises:
        Forbidden, NotFound, Invalid: As `hand_over_job`.
    """
    check_right(actor, Right.OTHERS)
    giver, person = people.get_person(session, name), _get_recipient(session, to)
    there = (Upload.user_id == giver.id) & Upload.purged_at.is_(None)
    moved = update(Upload).where(there).values(user_id=person.id).returning(Upload.n_bytes, Upload.n_images)
    sizes = session.execute(moved.execution_options(synchronize_session=False)).all()
    given = {"user_id": person.id, "revision": Job.revision + 1}
    n_jobs = change(session, update(Job).where(Job.user_id == giver.id).values(given))
    change(session, update(Schedule).where(Schedule.user_id == giver.id).values(user_id=person.id))
    for_everybody = (WebhookEndpoint.user_id == giver.id) & WebhookEndpoint.is_for_everybody
    change(session, update(WebhookEndpoint).where(for_everybody).values(user_id=person.id))
    usage.move(session, giver.id, person.id, sum(one.n_bytes for one in sizes), sum(one.n_images for one in sizes))
    record(session, actor, Action.OWNER_CHANGE, "user", giver.id, name=name, after=person.id, to=to, n_jobs=n_jobs)
    return n_jobs


def list_recipients(session: Session) -> list[str]:
    """The names of people who can own something."""
    return [one.name for one in people.list_people(session) if _can_own(one)]


def _can_own(person: User) -> bool:
    return person.disabled_at is None and Right.SEND in ROLE_RIGHTS[Role(person.role)]


def _get_recipient(session: Session, name: str) -> User:
    person = people.get_person(session, name)
    if not _can_own(person):
        state = "disabled" if person.disabled_at else f"a {person.role}"
        raise Invalid(f"owner: expected a member or an admin; {name!r} is {state}.")
    return person
