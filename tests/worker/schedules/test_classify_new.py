"""Runs that take in what is new in a folder or bucket: each file once, links never, whatever is killed."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore
from sqlalchemy import func, select, update

from core.base.clock import db_now
from core.base.config import Settings
from core.base.database import Database
from core.base.errors import Invalid, Unavailable
from core.base.states import RunState
from core.cleanup import deletion
from core.formats.archives.entries import SkippedEntry
from core.ingest import imported_files, shard_storage
from core.jobs import jobs
from core.orm.jobs import Job
from core.orm.labels import Label
from core.orm.schedules import ImportedFile, ScheduleRun
from core.orm.uploads import Image, Upload
from core.schedules import due_runs, schedules
from core.schedules.schedules import NewSchedule
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import draw_picture, run_job
from tests.support.fakes import FakeRuntime
from worker.maintenance import reconcile
from worker.schedules import classify_new, import_sources, run_loop

LONG_AGO_S = 3600


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "incoming" / "photos"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def settings(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"import_roots": f"{folder.parent}, s3://bucket/in"})


def put(folder: Path, name: str, seed: int = 0, age_s: float = LONG_AGO_S) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(draw_picture(seed))
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def add_schedule(runtime: FakeRuntime, source: Path | str, **more: Any) -> int:
    with runtime.db.write() as session:
        wanted = NewSchedule("incoming", "classify", "0 * * * *", parameters={"source": str(source)} | more)
        return schedules.create_schedule(session, as_owner(session), wanted, runtime.settings.import_root_list).id


def run(runtime: FakeRuntime, schedule: int) -> ScheduleRun:
    """A run as far as it comes without a worker that classifies."""
    with runtime.db.write() as session:
        due_runs.run_now(session, as_owner(session), schedule)
    return work(runtime)


def work(runtime: FakeRuntime) -> ScheduleRun:
    run_loop.work_on_runs(runtime)
    with runtime.db.read() as session:
        return session.scalars(select(ScheduleRun).order_by(ScheduleRun.id.desc()).limit(1)).one()


def classify(runtime: FakeRuntime, schedule: int) -> ScheduleRun:
    """A run from start to end."""
    begun = run(runtime, schedule)
    if begun.state == RunState.RUNNING:
        run_job(runtime.db, begun.work_uuid)
    return work(runtime)


def paths(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(Image.path).order_by(Image.path)))


def test_new_files_become_an_upload_with_a_job_over_it(runtime: FakeRuntime, folder: Path) -> None:
    for name in ("b.jpg", "a/1.jpg", "a/.DS_Store", "@eaDir/1.jpg", "@eaDir/2.jpg"):
        put(folder, name)
    begun = run(runtime, add_schedule(runtime, folder))
    assert begun.state == RunState.RUNNING
    assert paths(runtime.db) == ["photos/a/1.jpg", "photos/b.jpg"]
    with runtime.db.read() as session:
        job = jobs.get_job(session, begun.work_uuid)
    assert (job.name, job.n_total, job.state) == ("incoming", 2, "queued")
    assert runtime.n_woken == 1
    run_job(runtime.db, begun.work_uuid)
    ended = work(runtime)
    assert (ended.state, ended.outcome) == (
        RunState.DONE,
        "2 files were imported: 2 cat (done). 2 entries of systems and tools left out"
        " (a file of a network drive, a system file).",
    )


def test_a_store_that_is_away_at_the_first_file_only_delays_the_import(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = add_schedule(runtime, folder)
    put(folder, "a.jpg")

    def fail(*_: object) -> None:
        raise Unavailable("The blob store does not answer.")

    with monkeypatch.context() as away:
        away.setattr(Blobs, "put", fail)
        assert run(runtime, schedule).state == RunState.WAITING
    with runtime.db.write() as session:
        session.execute(update(ScheduleRun).values(lease_until=db_now()))
    goes_on = work(runtime)
    assert (goes_on.state, goes_on.attempts) == (RunState.RUNNING, 0)
    assert paths(runtime.db) == ["photos/a.jpg"]
    run_job(runtime.db, goes_on.work_uuid)
    assert work(runtime).outcome == "1 file was imported: 1 cat (done)."


def test_only_what_is_new_or_changed_comes_in_the_next_time(runtime: FakeRuntime, folder: Path) -> None:
    schedule = add_schedule(runtime, folder)
    kept, changed = put(folder, "kept.jpg", 1), put(folder, "changed.jpg", 2)
    classify(runtime, schedule)
    assert classify(runtime, schedule).outcome == "No new files: 2 files were imported before."
    put(folder, "new.jpg", 3)
    put(folder, changed.name, 4, age_s=LONG_AGO_S / 2)
    assert classify(runtime, schedule).outcome == "2 files were imported: 2 cat (done)."
    assert paths(runtime.db) == ["photos/changed.jpg", "photos/changed.jpg", "photos/kept.jpg", "photos/new.jpg"]
    assert kept.exists()


def test_a_file_that_may_still_be_written_comes_with_the_next_run(runtime: FakeRuntime, folder: Path) -> None:
    schedule = add_schedule(runtime, folder)
    fresh = put(folder, "fresh.jpg", age_s=1)
    assert "1 file was still being written" in classify(runtime, schedule).outcome
    os.utime(fresh, (time.time() - LONG_AGO_S,) * 2)
    assert classify(runtime, schedule).outcome.startswith("1 file was imported")


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(runtime: FakeRuntime, folder: Path) -> None:
    path = put(folder, "a.jpg")
    source = import_sources.Source(str(folder), runtime.settings.import_root_list)
    (found,) = source.walk()
    assert isinstance(found, import_sources.SourceEntry)
    path.write_bytes(b"something else")
    with pytest.raises(import_sources.UnreadableFile, match="being changed"):
        found.read(1000)


def test_links_and_devices_are_skipped_and_named_and_nothing_outside_is_read(
    runtime: FakeRuntime, folder: Path, tmp_path: Path
) -> None:
    put(tmp_path, "secret/s.jpg", 9)
    put(folder, "a.jpg")
    (folder / "link.jpg").symlink_to(tmp_path / "secret" / "s.jpg")
    (folder / "linked").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe.jpg")
    begun = run(runtime, add_schedule(runtime, folder))
    assert paths(runtime.db) == ["photos/a.jpg"]
    with runtime.db.read() as session:
        upload = session.scalars(select(Upload).where(Upload.uuid == begun.work_uuid)).one()
    assert {(one["path"], one["reason"][:15]) for one in upload.skipped} == {
        ("photos/link.jpg", "a symbolic link"),
        ("photos/linked", "a symbolic link"),
        ("photos/pipe.jpg", "a device or ano"),
    }


def test_of_two_files_whose_names_are_shown_alike_the_one_that_was_taken_is_remembered(
    runtime: FakeRuntime, folder: Path
) -> None:
    taken, other = put(folder, "\\xff.jpg"), folder / os.fsdecode(b"\xff.jpg")
    other.write_bytes(taken.read_bytes() + b"more")
    os.utime(other, (time.time() - LONG_AGO_S,) * 2)
    run(runtime, add_schedule(runtime, folder))
    assert paths(runtime.db) == ["photos/\\xff.jpg"]
    with runtime.db.read() as session:
        assert session.scalars(select(ImportedFile.n_bytes)).all() == [taken.stat().st_size]


def test_folders_that_lead_deeper_and_deeper_are_skipped_and_named(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_sources, "MAX_DEPTH", 2)
    put(folder, "1/2/a.jpg")
    put(folder, "1/2/3/b.jpg")
    found = list(import_sources.Source(str(folder), runtime.settings.import_root_list).walk())
    assert [(one.path, type(one)) for one in found] == [
        ("photos/1/2/a.jpg", import_sources.SourceEntry),
        ("photos/1/2/3", SkippedEntry),
    ]


def test_a_folder_that_cannot_be_read_is_named_in_characters_that_every_database_keeps(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(_: str, dir_fd: int, onerror: Callable[[OSError], None]) -> Iterator[Any]:
        yield ".", [], [], dir_fd
        onerror(PermissionError(errno.EACCES, "Permission denied", os.fsdecode(b"\xff")))

    monkeypatch.setattr(os, "fwalk", walk)
    (skipped,) = import_sources.Source(str(folder), runtime.settings.import_root_list).walk()
    assert skipped == SkippedEntry("photos/\\xff", "a folder that cannot be read (Permission denied)")


def test_a_folder_that_becomes_a_link_after_it_was_listed_leads_nowhere(
    runtime: FakeRuntime, folder: Path, tmp_path: Path
) -> None:
    put(folder, "sub/a.jpg")
    put(tmp_path, "secret/a.jpg", 9)
    found = next(iter(import_sources.Source(str(folder), runtime.settings.import_root_list).walk()))
    assert isinstance(found, import_sources.SourceEntry)
    (folder / "sub").rename(folder / "was")
    (folder / "sub").symlink_to(tmp_path / "secret")
    with pytest.raises(import_sources.UnreadableFile, match="cannot be read"):
        found.read(1000)


def test_a_source_that_the_operator_no_longer_allows_fails_with_a_sentence(
    runtime: FakeRuntime, folder: Path, tmp_path: Path
) -> None:
    schedule = add_schedule(runtime, folder)
    runtime.settings = runtime.settings.model_copy(update={"import_roots": str(tmp_path / "elsewhere")})
    ended = run(runtime, schedule)
    assert (ended.state, "no longer in a folder that this server may read" in ended.outcome) == (RunState.FAILED, True)


def test_a_folder_that_is_gone_fails_the_run_with_a_sentence(runtime: FakeRuntime, folder: Path) -> None:
    schedule = add_schedule(runtime, folder)
    folder.rmdir()
    ended = run(runtime, schedule)
    assert (ended.state, "cannot be read (No such file or directory)" in ended.outcome) == (RunState.FAILED, True)


def test_folder_names_are_labels_where_the_schedule_says_so(runtime: FakeRuntime, folder: Path) -> None:
    put(folder, "cats/1.jpg")
    run(runtime, add_schedule(runtime, folder, labelled=True))
    with runtime.db.read() as session:
        assert session.scalars(select(Label.label)).all() == ["cat"]


def test_a_file_over_the_limit_is_named_and_not_read(runtime: FakeRuntime, folder: Path) -> None:
    put(folder, "a.jpg")
    huge = folder / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(runtime.settings.max_image_bytes + 1)
    os.utime(huge, (1, 1))
    run(runtime, add_schedule(runtime, folder))
    with runtime.db.read() as session:
        image = session.scalars(select(Image).where(Image.path == "photos/huge.jpg")).one()
    assert (image.n_bytes, image.declared_bytes) == (0, runtime.settings.max_image_bytes + 1)


def test_what_was_killed_between_two_shards_goes_on_and_takes_nothing_in_twice(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(600):
        put(folder, f"{n:03}.jpg", n % 7)
    schedule, real, n_stored = add_schedule(runtime, folder), shard_storage.store_shard, [0]

    def store_and_die(*args: Any) -> Any:
        added = real(*args)
        n_stored[0] += 1
        if n_stored[0] in (1, 2):
            raise Killed
        return added

    monkeypatch.setattr(shard_storage, "store_shard", store_and_die)
    for start in (run, lambda *_: work(runtime)):
        with pytest.raises(Killed):
            start(runtime, schedule)
        let_the_lease_run_out(runtime)
    assert work(runtime).state == RunState.RUNNING
    assert paths(runtime.db) == [f"photos/{n:03}.jpg" for n in range(600)]
    with runtime.db.read() as session:
        assert session.scalars(select(func.count()).select_from(Job)).one() == 1
        assert session.scalars(select(Upload)).one().n_shards == 3
        assert session.scalars(select(func.count()).select_from(ImportedFile)).one() == 600


def let_the_lease_run_out(runtime: FakeRuntime) -> None:
    with runtime.db.write() as session:
        session.execute(update(ScheduleRun).values(lease_until=db_now(-1)))


def test_a_worker_that_wakes_up_after_its_lease_stores_nothing(
    runtime: FakeRuntime, folder: Path, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.jpg")
    real = shard_storage.store_shard

    def lose_the_lease(*args: Any) -> Any:
        with runtime.db.write() as session:
            session.execute(update(ScheduleRun).values(fence=ScheduleRun.fence + 1))
        return real(*args)

    monkeypatch.setattr(shard_storage, "store_shard", lose_the_lease)
    run(runtime, add_schedule(runtime, folder))
    assert (paths(runtime.db), list(blobs.list("uploads/"))) == ([], [])


def test_a_schedule_deleted_while_files_come_in_leaves_a_job_that_ends(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(300):
        put(folder, f"{n:03}.jpg", n % 7)
    schedule, real = add_schedule(runtime, folder), shard_storage.store_shard

    def delete_after_the_first(*args: Any) -> Any:
        added = real(*args)
        with runtime.db.write() as session:
            schedules.delete_schedule(session, as_owner(session), schedule)
        monkeypatch.setattr(shard_storage, "store_shard", real)
        return added

    monkeypatch.setattr(shard_storage, "store_shard", delete_after_the_first)
    ended = run(runtime, schedule)
    assert (ended.state, len(paths(runtime.db))) == (RunState.SKIPPED, 256)
    run_job(runtime.db, ended.work_uuid)
    with runtime.db.read() as session:
        assert jobs.get_job(session, ended.work_uuid).state == "done"


def test_an_upload_that_gets_too_large_is_finished_and_the_next_run_goes_on(
    runtime: FakeRuntime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classify_new, "MAX_FILES", 2)
    for n in range(3):
        put(folder, f"{n}.jpg", n)
    schedule = add_schedule(runtime, folder)
    assert "2 files were imported: 2 cat (done). Not all files were imported" in classify(runtime, schedule).outcome
    assert classify(runtime, schedule).outcome == "1 file was imported: 1 cat (done)."


def test_a_job_that_was_deleted_meanwhile_ends_the_run(runtime: FakeRuntime, folder: Path) -> None:
    put(folder, "a.jpg")
    begun = run(runtime, add_schedule(runtime, folder))
    with runtime.db.write() as session:
        deletion.delete_job(session, as_owner(session), begun.work_uuid)
    assert work(runtime).outcome == "1 file was imported; the job was deleted."


def test_what_a_deleted_schedule_took_in_is_forgotten(runtime: FakeRuntime, folder: Path) -> None:
    put(folder, "a.jpg")
    schedule = add_schedule(runtime, folder)
    classify(runtime, schedule)
    with runtime.db.write() as session:
        schedules.delete_schedule(session, as_owner(session), schedule)
    reconcile.delete_import_records(runtime)
    with runtime.db.read() as session:
        assert session.scalars(select(ImportedFile)).all() == []
        assert imported_files.forget_deleted(session) == 0


def test_objects_of_a_bucket_come_in_like_files(runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = MemoryStore()
    for n in range(3):
        bucket.put(f"2026/{n}.jpg", draw_picture(n))
    bucket.put("2026/empty.jpg", b"")
    monkeypatch.setattr(import_sources, "open_bucket", lambda place: bucket)
    monkeypatch.setattr(import_sources, "SETTLE_S", 0.0)
    schedule = add_schedule(runtime, "s3://bucket/in/pets/")
    run_job_outcome = classify(runtime, schedule).outcome
    assert run_job_outcome.startswith("4 files were imported")
    assert paths(runtime.db)[0] == "pets/2026/0.jpg"
    assert classify(runtime, schedule).outcome == "No new files: 4 files were imported before."


def test_a_stored_prefix_with_escapes_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_sources, "open_bucket", lambda place: pytest.fail(f"{place} was opened"))
    with pytest.raises(Invalid, match="no longer in a folder that this server may read"):
        list(import_sources.Source("s3://bucket/in/%2e%2e/secret", ["s3://bucket/in"]).walk())
