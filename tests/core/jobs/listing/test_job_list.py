"""The list of jobs: every order page by page, without gaps or repetitions; tags and models as filters."""

from uuid import UUID

import pytest
from sqlalchemy import update

from core.accounts import accounts
from core.base.database import Database
from core.base.errors import Invalid, OutdatedCursor
from core.base.states import JobState
from core.cleanup import deletion, purge
from core.jobs import jobs, progress
from core.jobs.listing import tags
from core.jobs.listing.job_filter import EVERY_JOB, JobFilter
from core.jobs.listing.job_list import JobSort, list_jobs, list_models
from core.orm.jobs import Job, JobTag
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_upload, make_version, run_job

pytestmark = pytest.mark.usefixtures("version")
NAMES = ("beach", "Attic", "beach", "cellar", "attic")
N_TOTAL = (3, 1, 3, 2, 0)
STATES = (JobState.DONE, JobState.RUNNING, JobState.CANCELLED, JobState.DONE, JobState.FAILED)


@pytest.fixture
def listed(db: Database, blobs: Blobs) -> list[UUID]:
    upload = make_upload(db, blobs, n_files=1)
    made = [make_job(db, upload, name=name) for name in NAMES]
    with db.write() as session:
        for uuid, n, state in zip(made, N_TOTAL, STATES, strict=True):
            session.execute(update(Job).where(Job.uuid == uuid).values(n_total=n, state=state))
    return made


def _walk(db: Database, sort: JobSort, wanted: JobFilter = EVERY_JOB, limit: int = 2) -> list[UUID]:
    found: list[UUID] = []
    cursor = None
    while True:
        with db.read() as session:
            page = list_jobs(session, cursor, limit, wanted, sort)
            found += [job.uuid for job in page.items]
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (JobSort.NEWEST, [4, 3, 2, 1, 0]),
        (JobSort.OLDEST, [0, 1, 2, 3, 4]),
        (JobSort.NAME, [1, 4, 0, 2, 3]),
        (JobSort.PICTURES, [2, 0, 3, 1, 4]),
        (JobSort.STATE, [1, 4, 2, 3, 0]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_every_order_shows_each_job_once_however_long_its_pages_are(
    db: Database, listed: list[UUID], sort: JobSort, order: list[int], limit: int
) -> None:
    assert _walk(db, sort, limit=limit) == [listed[n] for n in order]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ATTIC", [4, 1]),
        ("sea", [2, 0]),
        ("beach sea", [2, 0]),
        ("attic sea", []),
        ("ann", [3]),
        ("seed", [4, 3, 2, 1, 0]),
        ("100%", []),
    ],
)
def test_each_word_of_a_search_is_in_the_name_a_tag_the_person_or_the_network(
    db: Database, listed: list[UUID], search: str, found: list[int]
) -> None:
    with db.write() as session:
        for n in (0, 2):
            tags.set_tags(session, jobs.get_job(session, listed[n]), ["sea"])
        jobs.get_job(session, listed[3]).user_id = accounts.get_or_create_user(session, "Anna").id
    assert _walk(db, JobSort.NEWEST, JobFilter(search=search)) == [listed[n] for n in found]


def test_a_search_finds_the_jobs_of_a_version_by_its_number(db: Database, listed: list[UUID], version: int) -> None:
    assert _walk(db, JobSort.NEWEST, JobFilter(search=f"cellar {version}")) == [listed[3]]
    assert _walk(db, JobSort.NEWEST, JobFilter(search=f"cellar {version + 1}")) == []


def test_a_cursor_of_another_order_is_refused(db: Database, listed: list[UUID]) -> None:
    with db.read() as session:
        cursor = list_jobs(session, None, 2, sort=JobSort.NAME).next
        with pytest.raises(OutdatedCursor):
            list_jobs(session, cursor, 2, sort=JobSort.PICTURES)


def test_tags_of_several_jobs_are_added_and_removed(db: Database, listed: list[UUID]) -> None:
    with db.write() as session:
        some = [jobs.get_job(session, uuid) for uuid in listed[:3]]
        tags.set_tags(session, some[0], ["Sea", "old"])
        tags.change_tags(session, as_owner(session), some, add=["SEA "])
        tags.change_tags(session, as_owner(session), some[:2], remove=["old"])
        assert tags.list_tags(session) == ["sea"]
        assert [view.tags for view in progress.describe_all(session, some)] == [("sea",)] * 3
    assert _walk(db, JobSort.NAME, JobFilter(tag="SEA")) == [listed[1], listed[0], listed[2]]


def test_a_job_has_only_so_many_tags(db: Database, listed: list[UUID]) -> None:
    with db.write() as session:
        job = jobs.get_job(session, listed[0])
        tags.set_tags(session, job, [str(n) for n in range(tags.MAX_TAGS)])
        with pytest.raises(Invalid, match="at most 20, got 21"):
            tags.change_tags(session, as_owner(session), [job], add=["one more"])


def test_tags_go_with_their_job(db: Database, blobs: Blobs, listed: list[UUID]) -> None:
    with db.write() as session:
        tags.set_tags(session, jobs.get_job(session, listed[0]), ["sea"])
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), listed[0])
        assert tags.list_tags(session) == []
    purge.purge_all(db, blobs)
    with db.read() as session:
        assert session.query(JobTag).count() == 0


def test_jobs_are_found_by_version_and_by_network(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    first = make_job(db, upload)
    run_job(db, first)
    other = make_version(db, "efficientnet-lite0")
    second = make_job(db, upload)
    with db.write() as session:
        session.execute(update(Job).where(Job.uuid == second).values(model_version_id=other))
        assert list_models(session)[0].id == other
    assert _walk(db, JobSort.NEWEST, JobFilter(model=str(other))) == [second]
    assert _walk(db, JobSort.NEWEST, JobFilter(model="efficientnet-lite0")) == [second]
    assert _walk(db, JobSort.NEWEST, JobFilter(model="seed-cnn")) == [first]
