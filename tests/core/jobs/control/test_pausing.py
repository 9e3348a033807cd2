"""Paused jobs wait, those that go first are claimed first, and failed ones are retried together."""

from uuid import UUID

import pytest
from sqlalchemy import update

from core.accounts import accounts, audit_list
from core.accounts.audit_list import AuditFilter
from core.accounts.rights import ROLE_RIGHTS, Actor, Role
from core.base.database import Database
from core.base.errors import Conflict, Forbidden
from core.base.states import JobState
from core.jobs import chunks, fair_share, job_states, jobs
from core.jobs.control import pausing, retry_failed
from core.jobs.control.pausing import Pause, Priority
from core.jobs.progress import describe
from core.operations import pauses
from core.orm.jobs import Job
from core.storage.blobs import Blobs
from core.training import claims
from core.training.claims import NextStep
from tests.support.factories import make_job, make_labelled, make_training, make_upload

LEASE_S = 60.0
pytestmark = pytest.mark.usefixtures("version")


def actor(db: Database, name: str | None = None, role: Role = Role.MEMBER) -> Actor:
    """A person; the owner of the installation, who made what factories make, by default."""
    with db.write() as session:
        user = accounts.get_or_create_user(session, name) if name else accounts.get_or_create_owner(session)
        return Actor(user.id, user.name, ROLE_RIGHTS[role], "session")


def order(db: Database) -> list[UUID]:
    """The jobs with work, in the order in which a worker would claim it."""
    with db.read() as session:
        return [session.get_one(Job, one.job_id).uuid for one in fair_share.list_candidates(session)]


def test_nothing_of_a_paused_job_is_claimed_until_it_is_resumed(db: Database, blobs: Blobs) -> None:
    ada, paused, other = actor(db), *(make_job(db, make_upload(db, blobs)) for _ in range(2))
    with db.read() as session:
        first = chunks.list_ready(session, 1)[0]
    with db.write() as session:
        pausing.pause_job(session, ada, paused)
    assert order(db) == [other]
    with db.write() as session:
        assert chunks.claim_chunk(session, first, None, LEASE_S) is None
        assert describe(session, jobs.get_job(session, paused)).pause is Pause.JOB
        pausing.resume_job(session, ada, paused)
    assert sorted(order(db), key=str) == sorted([paused, other], key=str)


def test_everything_can_be_paused_and_jobs_paused_themselves_stay_so(db: Database, blobs: Blobs) -> None:
    ada, first, second = actor(db), *(make_job(db, make_upload(db, blobs)) for _ in range(2))
    training = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        pausing.pause_job(session, ada, first)
        for _ in range(2):
            pauses.pause_everything(session, ada)
        assert describe(session, jobs.get_job(session, second)).pause is Pause.EVERYTHING
    assert order(db) == []
    with db.read() as session:
        assert claims.list_waiting(session, 10) == []
    with db.write() as session:
        pauses.resume_everything(session, ada)
    assert order(db) == [second]
    with db.read() as session:
        assert claims.list_waiting(session, 10) == [jobs.get_job(session, training).id]


def test_a_training_that_is_paused_stops_and_has_lost_no_attempt(db: Database, blobs: Blobs) -> None:
    admin, uuid = actor(db, role=Role.ADMIN), make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        claim = claims.claim_training(session, jobs.get_job(session, uuid).id, None, LEASE_S)
        assert claim is not None
    with db.write() as session:
        pausing.pause_job(session, admin, uuid)
        assert claims.beat(session, claim, LEASE_S, "training", 1, 80) is NextStep.STOP
    with db.write() as session:
        assert claims.claim_training(session, claim.job_id, None, LEASE_S) is None
        pausing.resume_job(session, admin, uuid)
        again = claims.claim_training(session, claim.job_id, None, LEASE_S)
        assert again is not None
        assert again.attempts == 1


def test_a_job_goes_before_its_users_other_jobs_and_only_an_admins_before_all(db: Database, blobs: Blobs) -> None:
    ada, admin = actor(db), actor(db, role=Role.ADMIN)
    own = [make_job(db, make_upload(db, blobs)) for _ in range(2)]
    others = make_job(db, make_upload(db, blobs))
    bob = actor(db, "bob")
    with db.write() as session:
        session.execute(update(Job).where(Job.uuid == others).values(user_id=bob.user_id))
        pausing.set_priority(session, ada, own[1], Priority.FIRST)
    assert [uuid for uuid in order(db) if uuid in own] == [own[1], own[0]]
    with pytest.raises(Forbidden, match="Only admins"), db.write() as session:
        pausing.set_priority(session, bob, others, Priority.BEFORE_ALL)
    for uuid in (own[0], others):
        with db.write() as session:
            pausing.set_priority(session, admin, uuid, Priority.BEFORE_ALL)
        assert order(db)[0] == uuid
        with db.write() as session:
            pausing.set_priority(session, admin, uuid, Priority.NORMAL)


def test_a_training_that_goes_first_is_named_first(db: Database, blobs: Blobs) -> None:
    admin, first, second = actor(db, role=Role.ADMIN), *(make_training(db, make_labelled(db, blobs)) for _ in range(2))
    with db.write() as session:
        assert claims.find_first(session) is None
        job = pausing.set_priority(session, admin, second, Priority.FIRST)
        assert claims.find_first(session) == job.id
        assert claims.list_waiting(session, 10) == [job.id, jobs.get_job(session, first).id]


def test_other_peoples_jobs_and_ended_ones_are_left_alone(db: Database, blobs: Blobs) -> None:
    ada, job = actor(db), make_job(db, make_upload(db, blobs))
    with pytest.raises(Forbidden), db.write() as session:
        pausing.pause_job(session, actor(db, "bob"), job)
    with db.write() as session:
        pausing.pause_job(session, ada, job)
        job_states.fail_job(session, jobs.get_job(session, job).id, "it failed")
    with pytest.raises(Conflict, match="is failed"), db.write() as session:
        pausing.resume_job(session, ada, job)
    with db.read() as session:
        assert not jobs.get_job(session, job).is_paused


def test_who_paused_resumed_cancelled_and_retried_a_job_or_let_it_go_first_is_recorded(
    db: Database, blobs: Blobs
) -> None:
    ada, one, two = actor(db), *(make_job(db, make_upload(db, blobs)) for _ in range(2))
    for change in (pausing.pause_job, pausing.pause_job, pausing.resume_job):  # the second one changes nothing
        with db.write() as session:
            change(session, ada, one)
    with db.write() as session:
        pausing.set_priority(session, ada, one, Priority.FIRST)
    for uuid in (one, two):
        with db.write() as session:
            job_states.cancel_job(session, ada, uuid)
    retry_failed.retry_all(db, ada, [one, two])
    entries = [(entry.action, entry.object_id) for entry in audit_list.iterate_entries(db, AuditFilter(user=ada.name))]
    before = [(action, str(one)) for action in ("job.pause", "job.resume", "job.priority")]
    of_both = [(action, str(uuid)) for action in ("job.cancel", "job.retry") for uuid in (one, two)]
    assert entries[::-1] == before + of_both


def test_all_failed_jobs_of_a_person_are_retried_and_the_others_named(db: Database, blobs: Blobs) -> None:
    ada, failed, running = actor(db), *(make_job(db, make_upload(db, blobs)) for _ in range(2))
    with db.write() as session:
        job_states.fail_job(session, jobs.get_job(session, failed).id, "it failed")
    with db.read() as session:
        assert retry_failed.list_failed(session, actor(db, "bob")) == []
        assert retry_failed.list_failed(session, ada) == [failed]
    retried = retry_failed.retry_all(db, ada, [failed, running])
    assert (retried.jobs, retried.n_chunks, list(retried.refused)) == ([failed], 1, [running])
    with db.read() as session:
        assert jobs.get_job(session, failed).state == JobState.RUNNING
