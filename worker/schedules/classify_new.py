"""Runs that classify the new files of a folder or bucket, on a schedule or once, as an ordinary upload with a job.

    source ─► files not imported yet ─► pack ─► shards, each recorded with its files in one transaction ─► complete

Upload and job have the id that the run chose, and the files of a shard are recorded together with the shard. So a run
that was killed resumes where it was and imports no file twice. Nothing more is imported once the job is cancelled.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import BinaryIO

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor
from core.base.errors import Conflict, Gone, LeaseLost, PawsortError, Refused, TooLarge, Unavailable
from core.base.states import ACTIVE_STATES, RunState
from core.formats.archives.entries import File, SkippedEntry
from core.formats.shard_packing import PackedShard, ShardPacker
from core.formats.shards import index_shard
from core.ingest import imported_files, shard_rows, shard_storage
from core.ingest.imported_files import SourceFile
from core.ingest.shard_storage import Store
from core.jobs import classify_jobs
from core.jobs.progress import describe
from core.orm.jobs import Job
from core.orm.schedules import Schedule, ScheduleRun
from core.schedules import imports, runs
from core.schedules.runs import RunClaim
from core.uploads import shards, uploads
from core.uploads.usage import Quota
from worker.process.runtime import Runtime
from worker.schedules.import_sources import SETTLE_S, Source, SourceEntry, UnreadableFile

log = structlog.get_logger()

LOOKED_UP = 500  # files in one query
MAX_FILES = 1_000_000  # in one run; the next run imports the rest
MAX_WAITS = 24  # of an import for files that are still being written


def advance(runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor) -> None:
    """Take a claimed run one step further: import files, or record the result of the job.

    Raises:
        PawsortError: The run cannot be carried out; the text says why.
        LeaseLost: The claim is no longer valid.
    """
    if run.state == RunState.WAITING:
        _Importer(runtime, claim, run, actor).work()
    else:
        _record_result(runtime, claim, run)


def _record_result(runtime: Runtime, claim: RunClaim, run: ScheduleRun) -> None:
    with runtime.db.write() as session:
        job = session.get_one(Job, run.job_id)
        if job.deleted_at is None and job.state in ACTIVE_STATES:  # it has been retried since this run was found ready
            runs.release_run(session, claim)
            return
        if job.deleted_at is not None:
            outcome = f"{_files(run.details.get('n_files', 0), 'was', 'were')} imported; the job was deleted."
        else:
            view = describe(session, job)
            shares = ", ".join(f"{n} {name}" for name, n in {**view.by_label, "failed": view.n_failed}.items() if n)
            n_files = _files(run.details.get("n_files", 0), "was", "were")
            outcome = f"{n_files} imported: {shares or 'none was classified'} ({job.state})."
        runs.end_run(session, claim, RunState.DONE, f"{outcome} {run.details.get('note', '')}".strip())
        if session.get_one(Schedule, claim.schedule_id).is_import:
            imports.end_import(session, claim.schedule_id)


class _Importer:
    """Imports the new files of one source into one upload."""

    def __init__(self, runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor) -> None:
        self._runtime, self._claim, self._run, self._actor = runtime, claim, run, actor
        self._source = Source(run.parameters["source"], runtime.settings.import_root_list)
        settings = runtime.settings
        self._store = Store(
            runtime.db,
            runtime.blobs,
            runtime.tasks,
            settings.max_upload_bytes,
            actor,
            Quota.from_settings(settings),
        )
        self._max_image_bytes = settings.max_image_bytes
        with runtime.db.read() as session:
            self._schedule = session.get_one(Schedule, claim.schedule_id)
        self._next_seq = 0
        self._has_upload = False
        self._is_labelled = False
        self._identities: dict[str, SourceFile] = {}
        self._n_known = 0

    def work(self) -> None:
        """Import the new files, then let the run wait for its job. Without new files the run ends."""
        note = ""
        try:
            for packed in ShardPacker(self._runtime.blobs.open_file).pack(self._read_new()):
                self._store_shard(packed)
        except LeaseLost:
            raise
        except PawsortError as error:  # the files imported so far are classified all the same
            is_away = isinstance(error, Unavailable) and not isinstance(error, Refused)  # then the run waits
            if is_away or not (self._has_files() if self._schedule.is_import else self._has_job()):
                raise
            note = f"Not all files were imported: {error.message_for_people}"
            note += "" if self._schedule.is_import else " The next run continues."
        if not self._waits_for_fresh(note):
            self._finish(note)

    def _read_new(self) -> Iterator[File | SkippedEntry]:
        """The contents of new files, and skipped entries."""
        entries = self._source.walk()
        n_files = 0
        while batch := list(islice(entries, LOOKED_UP)):
            files = [entry for entry in batch if isinstance(entry, SourceEntry)]
            with self._runtime.db.read() as session:
                new = imported_files.find_new(session, self._claim.schedule_id, [entry.identity for entry in files])
            self._n_known += len(files) - len(new)
            for entry in batch:
                if isinstance(entry, SkippedEntry):
                    yield entry
                elif entry.identity in new:
                    n_files += 1
                    if n_files > MAX_FILES:
                        raise TooLarge(f"One run imports at most {MAX_FILES:,} files.")
                    yield self._read(entry)

    def _read(self, entry: SourceEntry) -> File | SkippedEntry:
        if entry.path in self._identities:  # names that are not UTF-8 are written out; the first one is remembered
            return SkippedEntry(entry.path, "a second file of the same path")
        if entry.identity.n_bytes > self._max_image_bytes:
            data = None
        else:
            try:
                data = entry.read(entry.identity.n_bytes + 1)
            except UnreadableFile as reason:
                return SkippedEntry(entry.path, str(reason))
        self._identities[entry.path] = entry.identity
        identity = entry.identity
        return File(entry.path, data, identity.n_bytes, modified_at=identity.mtime_ns // 10**9)

    def _store_shard(self, packed: PackedShard) -> None:
        if packed.shard:
            with packed.shard as tar:
                self._create_upload()
                self._check_job()
                self._store_tar(tar)
            self._next_seq += 1
        if packed.skipped and self._has_upload:
            with self._runtime.db.write() as session:
                upload = uploads.get_upload(session, self._run.work_uuid, lock=True)
                uploads.add_skipped(session, upload, [(entry.path, entry.reason) for entry in packed.skipped])

    def _store_tar(self, tar: BinaryIO) -> None:
        index = index_shard(tar.read, max_image_bytes=self._max_image_bytes)
        tar.seek(0)
        files = [self._identities.pop(entry.path) for entry in index.entries]

        def record(session: Session) -> None:
            run = runs.hold_run(session, self._claim)
            imported_files.remember(session, self._claim.schedule_id, self._claim.run_id, files)
            runs.note(run, n_files=run.details.get("n_files", 0) + len(files))

        target = (self._store, self._run.work_uuid, self._next_seq)
        shard_storage.store_shard(*target, index, tar, self._is_labelled, record)

    def _create_upload(self) -> None:
        """Create upload and job at the first new file. After a kill the same run finds both again."""
        if self._has_upload:
            return
        parameters, uuid = self._run.parameters, self._run.work_uuid
        with self._runtime.db.write() as session:
            upload = uploads.create_upload(session, self._actor, uuid, self._source.name, parameters["labelled"])
            job, _ = classify_jobs.create_classify_job(
                session,
                self._actor,
                uuid,
                uuid,
                model=parameters["model"],
                threshold=parameters["threshold"],
                name=self._schedule.name,
                default_threshold=self._runtime.settings.threshold,
            )
            self._next_seq = shards.next_seq(session, upload)
            self._is_labelled = upload.labelled
            runs.hold_run(session, self._claim).job_id = job.id
        self._has_upload = True

    def _check_job(self) -> None:
        """Import nothing more into a job that is cancelled, or for somebody who may not let the server read any more.

        Raises:
            Conflict, Forbidden: It is, or they may not.
        """
        with self._runtime.db.read() as session:
            runs.find_actor(session, self._run)
            state = session.scalar(select(Job.state).where(Job.uuid == self._run.work_uuid))
        if state not in ACTIVE_STATES:
            raise Conflict("its job was ended.")

    def _has_files(self) -> bool:
        with self._runtime.db.read() as session:
            return bool(runs.hold_run(session, self._claim).details.get("n_files"))

    def _waits_for_fresh(self, note: str) -> bool:
        """Let an import continue in a moment if files are still being written; a schedule has its next run."""
        n_waits = self._run.details.get("n_waits", 0)
        if note or not self._schedule.is_import or not self._source.n_fresh or n_waits >= MAX_WAITS:
            return False
        with self._runtime.db.write() as session:
            runs.postpone_run(session, self._claim, SETTLE_S, n_waits=n_waits + 1)
        return True

    def _has_job(self) -> bool:
        with self._runtime.db.read() as session:
            return self._has_upload or runs.hold_run(session, self._claim).job_id is not None

    def _finish(self, note: str) -> None:
        n_fresh = self._source.n_fresh
        if n_fresh:
            then = "left out" if self._schedule.is_import else "the next run will import them"
            unfinished = f"{_files(n_fresh, 'was', 'were')} still being written; {then}."
            note = f"{note} {unfinished}".strip()
        if ignored := self._source.ignored:
            n, kinds = ignored.total(), ", ".join(ignored)
            left_out = f"{n:,} {'entry' if n == 1 else 'entries'} of systems and tools left out ({kinds})."
            note = f"{note} {left_out}".strip()
        has_job = self._has_job()
        with self._runtime.db.write() as session:
            if has_job:  # rows are locked in the usual order: upload, job, run
                with suppress(Gone):  # the job has been deleted, which the next step records
                    self._show_to_user(session, note)
                    shard_rows.complete_upload(session, self._actor, self._run.work_uuid, partial=True)
                run = runs.hold_run(session, self._claim)
                runs.note(run, note=note, n_known=self._n_known)
                runs.leave_to_jobs(run, RunState.RUNNING)
                return
            outcome = f"No new files: {_files(self._n_known, 'was', 'were')} imported before. {note}".strip()
            runs.end_run(session, self._claim, RunState.DONE, outcome, n_files=0)

    def _show_to_user(self, session: Session, note: str) -> None:
        """An import has no page of its runs: what it left out is listed with the job."""
        if note and self._schedule.is_import:
            upload = uploads.get_upload(session, self._run.work_uuid, lock=True)
            uploads.add_skipped(session, upload, [(self._source.name, note)])


def _files(n: int, one: str = "", many: str = "") -> str:
    words = f"{n:,} file" if n == 1 else f"{n:,} files"
    return f"{words} {one if n == 1 else many}".strip()
