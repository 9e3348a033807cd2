"""Runs that classify what is new in a folder or bucket: its new files become an ordinary upload, with a job over it.

    source ─► files not taken in yet ─► pack ─► shards, each remembered with its files in one transaction ─► complete

Upload and job carry the id that the run chose, and what a shard holds is remembered together with the shard: a run that
was killed goes on where it was and takes nothing in twice.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import structlog
from sqlalchemy.orm import Session

from core.base.errors import Gone, LeaseLost, PawsortError, TooLarge
from core.base.states import ACTIVE_STATES, RunState
from core.formats.archives import File, SkippedEntry
from core.formats.shard_packing import PackedShard, pack
from core.formats.shards import index_shard
from core.ingest import imported_files, shard_rows, shard_storage
from core.ingest.imported_files import SourceFile
from core.ingest.shard_storage import Store
from core.jobs import classify_jobs
from core.jobs.progress import describe
from core.orm.jobs import Job
from core.orm.schedules import ScheduleRun
from core.schedules import runs, schedules
from core.schedules.runs import RunClaim
from core.uploads import shards, uploads
from worker.process.runtime import Runtime
from worker.schedules.import_sources import Source, SourceEntry, UnreadableFile

log = structlog.get_logger()

LOOKED_UP = 500  # files that are looked for in the database at a time
MAX_FILES = 1_000_000  # of one run: the rest comes with the next one


def advance(runtime: Runtime, claim: RunClaim, run: ScheduleRun) -> None:
    """Take a claimed run one step on: take files in, or say what came of the job.

    Raises:
        PawsortError: It cannot be carried out; the text says why.
        LeaseLost: The claim is no longer valid.
    """
    if run.state == RunState.WAITING:
        _Importer(runtime, claim, run).work()
    else:
        _look_at_job(runtime, claim, run)


def _look_at_job(runtime: Runtime, claim: RunClaim, run: ScheduleRun) -> None:
    with runtime.db.write() as session:
        job = session.get_one(Job, run.job_id)
        if job.deleted_at is None and job.state in ACTIVE_STATES:  # it was tried again since this run was found ready
            runs.release_run(session, claim)
            return
        if job.deleted_at is not None:
            outcome = f"{_files(run.details['n_files'])} came in; the job over them was deleted."
        else:
            view = describe(session, job)
            shares = ", ".join(f"{n} {name}" for name, n in {**view.by_label, "failed": view.n_failed}.items() if n)
            outcome = f"{_files(run.details['n_files'])} came in: {shares or 'none was classified'} ({job.state})."
        runs.end_run(session, claim, RunState.DONE, f"{outcome} {run.details.get('note', '')}".strip())


class _Importer:
    """One source on its way into one upload."""

    def __init__(self, runtime: Runtime, claim: RunClaim, run: ScheduleRun) -> None:
        self._runtime, self._claim, self._run = runtime, claim, run
        self._source = Source(run.parameters["source"], runtime.settings.import_root_list)
        settings = runtime.settings
        self._store = Store(runtime.db, runtime.blobs, runtime.tasks, settings.max_upload_bytes)
        self._max_image_bytes = settings.max_image_bytes
        self._next_seq = 0
        self._begun = False
        self._is_labelled = False
        self._seen: dict[str, SourceFile] = {}
        self._n_known = 0

    def work(self) -> None:
        """Take in what is new, then leave the run to its job; nothing new ends it."""
        note = ""
        try:
            for packed in pack(self._read_new()):
                self._keep(packed)
        except LeaseLost:
            raise
        except PawsortError as error:  # what has come in is classified all the same
            if not self._has_begun():
                raise
            note = f"Not all of it came in: {error.message} The next run goes on."
        self._finish(note)

    def _read_new(self) -> Iterator[File | SkippedEntry]:
        """The contents of new files, and what is skipped."""
        found = self._source.walk()
        n_files = 0
        while some := list(islice(found, LOOKED_UP)):
            files = [one for one in some if isinstance(one, SourceEntry)]
            with self._runtime.db.read() as session:
                new = imported_files.find_new(session, self._claim.schedule_id, [one.seen for one in files])
            self._n_known += len(files) - len(new)
            for one in some:
                if isinstance(one, SkippedEntry):
                    yield one
                elif one.seen in new:
                    n_files += 1
                    if n_files > MAX_FILES:
                        raise TooLarge(f"One run takes in {MAX_FILES} files.")
                    yield self._read(one)

    def _read(self, one: SourceEntry) -> File | SkippedEntry:
        if one.seen.n_bytes > self._max_image_bytes:
            data = None
        else:
            try:
                data = one.read(one.seen.n_bytes + 1)
            except UnreadableFile as reason:
                return SkippedEntry(one.path, str(reason))
        self._seen[one.path] = one.seen
        return File(one.path, data, one.seen.n_bytes)

    def _keep(self, packed: PackedShard) -> None:
        if packed.shard:
            self._begin()
            index = index_shard(io.BytesIO(packed.shard).read, max_image_bytes=self._max_image_bytes)
            seen = [self._seen.pop(entry.path) for entry in index.entries]

            def remember(session: Session) -> None:
                run = runs.hold_run(session, self._claim)
                imported_files.remember(session, self._claim.schedule_id, self._claim.run_id, seen)
                runs.note(run, n_files=run.details.get("n_files", 0) + len(seen))

            to = (self._store, self._run.work_uuid, self._next_seq)
            shard_storage.store_shard(*to, index, packed.shard, self._is_labelled, remember)
            self._next_seq += 1
        if packed.skipped and self._begun:
            with self._runtime.db.write() as session:
                upload = uploads.get_upload(session, self._run.work_uuid, lock=True)
                uploads.add_skipped(session, upload, [(one.path, one.reason) for one in packed.skipped])

    def _begin(self) -> None:
        """Make upload and job at the first new file; one that was killed finds both again."""
        if self._begun:
            return
        told, uuid = self._run.parameters, self._run.work_uuid
        with self._runtime.db.write() as session:
            schedule = schedules.get_schedule(session, self._claim.schedule_id)
            user_id = self._run.user_id or schedule.user_id
            upload = uploads.create_upload(session, uuid, user_id, self._source.name, told["labelled"])
            job, _ = classify_jobs.create_classify_job(
                session,
                uuid,
                uuid,
                user_id,
                model=told["model"],
                threshold=told["threshold"],
                name=schedule.name,
                default_threshold=self._runtime.settings.threshold,
            )
            self._next_seq = shards.next_seq(session, upload)
            self._is_labelled = upload.labelled
            runs.hold_run(session, self._claim).job_id = job.id
        self._begun = True

    def _has_begun(self) -> bool:
        with self._runtime.db.read() as session:
            return self._begun or runs.hold_run(session, self._claim).job_id is not None

    def _finish(self, note: str) -> None:
        fresh = self._source.n_fresh
        if fresh:
            note = f"{note} {_files(fresh, 'was', 'were')} still being written and come with the next run.".strip()
        has_begun = self._has_begun()
        with self._runtime.db.write() as session:
            if has_begun:  # before the run is locked, as everywhere: upload, job, run
                with suppress(Gone):  # then the job has been deleted, which is looked at next
                    shard_rows.complete_upload(session, self._run.work_uuid, partial=True)
                run = runs.hold_run(session, self._claim)
                runs.note(run, note=note, n_known=self._n_known)
                runs.leave_to_jobs(run, RunState.RUNNING)
                return
            outcome = f"Nothing is new: {_files(self._n_known, 'was', 'were')} known already. {note}".strip()
            runs.end_run(session, self._claim, RunState.DONE, outcome, n_files=0)


def _files(n: int, one: str = "", many: str = "") -> str:
    words = f"{n:,} file" if n == 1 else f"{n:,} files"
    return f"{words} {one if n == 1 else many}".strip()
