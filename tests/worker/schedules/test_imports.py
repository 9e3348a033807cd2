"""Imports of a source, once: a job at once, its files soon after, an end in each case."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import accounts, people
from core.accounts.accounts import OWNER
from core.accounts.rights import Role
from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Conflict, Forbidden, IdTaken, Invalid, NotFound
from core.base.states import JobState, RunState, UploadState
from core.jobs import job_states, jobs
from core.orm.jobs import Job
from core.orm.schedules import Schedule, ScheduleRun
from core.orm.uploads import Image, Upload
from core.schedules import imports, schedules
from core.schedules.imports import NewImport
from core.uploads import uploads
from tests.support.actors import as_owner, as_person
from tests.support.factories import draw_picture, run_job
from tests.support.fakes import FakeRuntime
from worker.schedules import run_loop
from worker.schedules.import_sources import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures that nobody writes to any more."""
    folder = tmp_path / "incoming" / "photos"
    folder.mkdir(parents=True)
    for n in range(2):
        put(folder, n, age_s=3600)
    return folder


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"import_roots": str(folder.parent)})


def put(folder: Path, n: int, age_s: float) -> None:
    path = folder / f"{n}.jpg"
    path.write_bytes(draw_picture(n))
    moment = path.stat().st_mtime - age_s
    os.utime(path, (moment, moment))


def begin(
    runtime: FakeRuntime, source: Path, uuid: UUID | None = None, name: str | None = None, by: str = OWNER
) -> UUID:
    uuid, roots = uuid or uuid4(), runtime.settings.import_root_list
    with runtime.db.write() as session:
        imports.create_import(session, as_person(session, by), uuid, NewImport(str(source)), roots, name)
    return uuid


def work(runtime: FakeRuntime) -> ScheduleRun:
    """What a maintenance worker does at a time; imports have threads of their own."""
    run_loop.work_on_runs(runtime)
    for thread in threading.enumerate():
        if thread.name == "long-run":
            thread.join()
    with runtime.db.read() as session:
        return session.scalars(select(ScheduleRun)).one()


def read_job(db: Database, uuid: UUID) -> Job:
    with db.read() as session:
        return jobs.get_job(session, uuid)


def test_the_job_is_there_at_once_and_ends_when_all_files_are_classified(runtime: FakeRuntime, folder: Path) -> None:
    uuid = begin(runtime, folder)
    assert begin(runtime, folder, uuid) == uuid
    assert (read_job(runtime.db, uuid).name, read_job(runtime.db, uuid).state) == ("photos", JobState.RECEIVING)
    work(runtime)
    run_job(runtime.db, uuid)
    assert (read_job(runtime.db, uuid).state, read_job(runtime.db, uuid).n_done) == (JobState.DONE, 2)
    assert work(runtime).state == RunState.DONE
    with runtime.db.read() as session:
        assert session.scalars(select(Schedule)).one().deleted_at is not None


def test_an_import_is_no_schedule_that_anybody_sees(runtime: FakeRuntime, folder: Path) -> None:
    begin(runtime, folder)
    with runtime.db.read() as session:
        assert schedules.list_schedules(session).items == []
        with pytest.raises(NotFound):
            schedules.get_schedule(session, session.scalars(select(Schedule.id)).one())


def test_a_file_that_is_still_being_written_is_waited_for(runtime: FakeRuntime, folder: Path) -> None:
    put(folder, 7, age_s=1)
    uuid = begin(runtime, folder)
    assert work(runtime).state == RunState.WAITING
    assert (read_job(runtime.db, uuid).state, read_job(runtime.db, uuid).n_total) == (JobState.RECEIVING, 2)
    put(folder, 7, age_s=3600)
    with runtime.db.write() as session:
        session.scalars(select(ScheduleRun)).one().ready_at = None
    assert work(runtime).state == RunState.RUNNING
    assert read_job(runtime.db, uuid).n_total == 3


def test_nothing_is_taken_in_once_the_job_is_cancelled(runtime: FakeRuntime, folder: Path) -> None:
    uuid = begin(runtime, folder)
    with runtime.db.write() as session:
        job_states.cancel_job(session, as_owner(session), uuid)
    assert work(runtime).state == RunState.FAILED
    assert read_job(runtime.db, uuid).state == JobState.CANCELLED
    with runtime.db.read() as session:
        assert session.scalars(select(Image.id)).all() == []
        assert session.scalars(select(Upload.state)).one() == UploadState.COMPLETE


@pytest.mark.parametrize("is_disabled", [True, False])
def test_nothing_more_is_taken_in_for_an_admin_who_was_shut_out(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch, is_disabled: bool
) -> None:
    with runtime.db.write() as session:
        accounts.get_or_create_user(session, "ada").role = Role.ADMIN
    uuid = begin(runtime, folder, by="ada")
    walk = Source.walk

    def walk_and_shut_out(source: Source) -> Iterator[Any]:
        yield from walk(source)
        with runtime.db.write() as session:
            if is_disabled:
                people.disable(session, as_owner(session), "ada")
            else:
                people.set_role(session, as_owner(session), "ada", Role.MEMBER)

    monkeypatch.setattr(Source, "walk", walk_and_shut_out)
    assert work(runtime).state == RunState.FAILED
    assert "acts as “ada”" in (read_job(runtime.db, uuid).error or "")
    with runtime.db.read() as session:
        assert session.scalars(select(Image)).all() == []


def test_a_source_that_cannot_be_read_fails_the_job_with_a_sentence(runtime: FakeRuntime, folder: Path) -> None:
    uuid = begin(runtime, folder)
    folder.rename(folder.with_name("elsewhere"))
    assert work(runtime).state == RunState.FAILED
    job = read_job(runtime.db, uuid)
    assert (job.state, "cannot be read" in str(job.error)) == (JobState.FAILED, True)


def test_a_quota_that_is_used_up_is_named_with_the_job(runtime: FakeRuntime, folder: Path) -> None:
    for n in range(2, 300):
        put(folder, n, age_s=3600)
    runtime.settings = runtime.settings.model_copy(update={"quota_images": 260})
    uuid = begin(runtime, folder)
    assert work(runtime).state == RunState.RUNNING
    assert read_job(runtime.db, uuid).n_total == 256
    with runtime.db.read() as session:
        (skipped,) = session.scalars(select(Upload)).one().skipped
    assert skipped["reason"].startswith("Not all files were imported:")


def test_only_who_may_use_schedules_lets_the_server_read_its_folders(runtime: FakeRuntime, folder: Path) -> None:
    roots = runtime.settings.import_root_list
    with pytest.raises(Forbidden), runtime.db.write() as session:
        imports.create_import(session, as_person(session, "ben"), uuid4(), NewImport(str(folder)), roots)


def test_an_id_is_used_once_and_a_folder_must_be_allowed(runtime: FakeRuntime, folder: Path, tmp_path: Path) -> None:
    uuid = begin(runtime, folder)
    with pytest.raises(Conflict, match="imports something else"):
        begin(runtime, folder.parent, uuid)
    with pytest.raises(Invalid, match="outside the folders"):
        begin(runtime, tmp_path)


def test_the_same_request_twice_at_one_moment_is_one_import(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uuid, new, roots = uuid4(), NewImport(str(folder)), runtime.settings.import_root_list
    create_upload = uploads.create_upload

    def be_slower(session: Session, *given: Any) -> Upload:
        monkeypatch.setattr(uploads, "create_upload", create_upload)
        imports.create_import(session, as_owner(session), uuid, new, roots)
        return create_upload(session, *given)

    monkeypatch.setattr(uploads, "create_upload", be_slower)
    with runtime.db.write() as session:
        assert imports.create_import(session, as_owner(session), uuid, new, roots).uuid == uuid
    with runtime.db.read() as session:
        assert session.scalars(select(ScheduleRun.work_uuid)).all() == [uuid]


def test_an_import_adds_nothing_to_an_upload_that_was_there(runtime: FakeRuntime, folder: Path) -> None:
    uuid = uuid4()
    with runtime.db.write() as session:
        uploads.create_upload(session, as_owner(session), uuid, "mine")
    with pytest.raises(IdTaken):
        begin(runtime, folder, uuid)
