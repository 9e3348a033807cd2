"""Handing over a job, and everything that a person made."""

from uuid import UUID

import pytest

from core.accounts import accounts, people
from core.accounts.rights import Role
from core.base.database import Database
from core.base.errors import Forbidden, Invalid, NotFound
from core.cleanup import deletion
from core.jobs import handover, jobs
from core.models import registry
from core.schedules import schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from core.uploads import uploads, usage
from core.uploads.usage import NO_QUOTA, Quota
from tests.support.actors import as_owner, as_person
from tests.support.factories import make_job, make_manifest, make_upload

DATABASES = ("sqlite",)  # nothing here depends on the kind


@pytest.fixture
def upload(db: Database, blobs: Blobs) -> UUID:
    """An upload of Ada's; Bob is a member, and Vera a viewer."""
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
        accounts.get_or_create_user(session, "bob")
        accounts.get_or_create_user(session, "vera").role = Role.VIEWER
    return make_upload(db, blobs, by="ada")


def owners(db: Database, job: UUID, upload: UUID) -> tuple[str, str]:
    with db.read() as session:
        names = accounts.list_names(session)
        found = jobs.get_job(session, job).user_id, uploads.get_upload(session, upload).user_id
    first, second = (names[one] for one in found if one)
    return first, second


def test_a_job_takes_its_upload_along_and_the_usage_too(db: Database, upload: UUID) -> None:
    job = make_job(db, upload, by="ada")
    with db.write() as session:
        ada, bob = as_person(session, "ada"), as_person(session, "bob")
        usage.set_quota(session, as_owner(session), bob.user_id, Quota(n_images=1))
        handover.hand_over_job(session, as_owner(session), job, "bob")
    assert owners(db, job, upload) == ("bob", "bob")
    with db.write() as session:
        assert usage.read_usage(session, ada.user_id, NO_QUOTA).n_images == 0
        assert usage.read_usage(session, bob.user_id, NO_QUOTA).n_images == 4
        with pytest.raises(Forbidden):
            deletion.delete_job(session, ada, job)
        deletion.delete_job(session, bob, job)


def test_an_upload_of_a_third_person_stays_with_that_person(db: Database, upload: UUID) -> None:
    job = make_job(db, upload)
    with db.write() as session:
        handover.hand_over_job(session, as_owner(session), job, "bob")
    assert owners(db, job, upload) == ("bob", "ada")


def test_everything_of_a_person_is_handed_over_at_once(db: Database, upload: UUID) -> None:
    job = make_job(db, upload, by="ada")
    with db.write() as session:
        people.set_role(session, as_owner(session), "ada", Role.ADMIN)
        new = NewSchedule("Clean", "clean_up", "0 3 * * *", parameters={"older_than_days": 9})
        schedule = schedules.create_schedule(session, as_person(session, "ada"), new, [])
        assert handover.hand_over_all(session, as_owner(session), "ada", "bob") == 1
        session.refresh(schedule)
        assert schedule.user_id == as_person(session, "bob").user_id
    assert owners(db, job, upload) == ("bob", "bob")


@pytest.mark.parametrize(("to", "why"), [("vera", "is a viewer"), ("gone", "is disabled")])
def test_who_cannot_change_it_cannot_own_it(db: Database, upload: UUID, to: str, why: str) -> None:
    job = make_job(db, upload, by="ada")
    with db.write() as session:
        accounts.get_or_create_user(session, "gone")
        people.disable(session, as_owner(session), "gone")
        with pytest.raises(Invalid, match=why):
            handover.hand_over_job(session, as_owner(session), job, to)


def test_only_an_admin_hands_over_and_only_to_somebody(db: Database, upload: UUID) -> None:
    job = make_job(db, upload, by="ada")
    with db.write() as session:
        with pytest.raises(Forbidden, match="Only admins can change what other people made"):
            handover.hand_over_job(session, as_person(session, "ada"), job, "bob")
        with pytest.raises(NotFound, match="no person named 'eve'"):
            handover.hand_over_job(session, as_owner(session), job, "eve")
