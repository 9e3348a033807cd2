"""Everything at once: threads that send, classify, cancel, retry and delete at random; then the counts must be right.

Which thread comes first is left to chance, the verdict is not: the invariants hold for every order.
"""

import hashlib
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import ErrorCode, PawsortError
from core.base.states import ACTIVE_STATES, ChunkState, JobState
from core.cleanup import deletion, purge
from core.formats.shards import Entry, ShardIndex
from core.ingest import shard_rows
from core.jobs import chunks, classify_jobs, job_states, jobs, record_results, retry
from core.jobs.chunks import Claim
from core.jobs.record_results import Outcome
from core.orm.jobs import Chunk, Job
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard, Upload
from core.storage.blobs import Blobs
from core.uploads import uploads, usage
from core.uploads.usage import NO_QUOTA, Quota
from tests.support.actors import as_owner, as_person

pytestmark = pytest.mark.usefixtures("version")

THREADS = 6
STEPS = 120
N_UPLOADS = 6
SHARD_NUMBERS = 8
PEOPLE = ("maya", "noor")
QUOTAS = {"maya": Quota(n_images=60), "noor": NO_QUOTA}
LEASE_S = 60.0
NO_LEASE_S = -1.0  # runs out at once: a worker that was killed after its claim


class Crowd:
    """What the threads do to a few uploads and the jobs over them. Expected refusals are part of the game."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs
        self._uploads = [uuid4() for _ in range(N_UPLOADS)]
        self._jobs: list[UUID] = []
        self._start = threading.Barrier(THREADS)
        for number, uuid in enumerate(self._uploads):
            with db.write() as session:
                person = as_person(session, PEOPLE[number % len(PEOPLE)])
                usage.set_quota(session, as_owner(session), person.user_id, QUOTAS[person.name])
                uploads.create_upload(session, person, uuid, "crowd")
            self.create_job(uuid, uuid4())

    def run(self, seed: int) -> None:
        """One thread's share, which begins with a job of its own while all uploads are there."""
        chance = random.Random(seed)
        self.create_job(self._uploads[seed], uuid4())
        self._start.wait()
        for _ in range(STEPS):
            try:
                self._step(chance)
            except PawsortError:
                continue  # 404, 409, 410, a lost lease: right answers to requests that come at the wrong moment

    def _step(self, chance: random.Random) -> None:
        upload, job = chance.choice(self._uploads), chance.choice(self._jobs)
        what = chance.choices(
            ("shard", "work", "job", "complete", "cancel", "retry", "change", "delete", "purge"),
            (25, 40, 5, 2, 6, 12, 4, 2, 2),
        )[0]
        match what:
            case "shard":
                self.add_shard(upload, chance.randrange(SHARD_NUMBERS), chance)
            case "work":
                self.work(chance)
            case "job":
                self.create_job(upload, chance.choice((uuid4(), job)))
            case "complete":
                with self._db.write() as session:
                    shard_rows.complete_upload(
                        session, as_owner(session), upload, SHARD_NUMBERS, partial=chance.random() < 0.3
                    )
            case "purge":
                purge.purge_all(self._db, self._blobs)
            case _:
                self._change_job(what, job)

    def _change_job(self, what: str, job: UUID) -> None:
        with self._db.write() as session:
            match what:
                case "cancel":
                    job_states.cancel_job(session, as_owner(session), job)
                case "retry":
                    retry.retry_job(session, as_owner(session), job)
                case "change":
                    jobs.update_job(session, as_owner(session), job, threshold=0.5)
                case "delete":
                    deletion.delete_job(session, as_owner(session), job)

    def create_job(self, upload: UUID, job: UUID) -> None:
        with self._db.write() as session:
            classify_jobs.create_classify_job(session, as_owner(session), job, upload)
        self._jobs.append(job)

    def add_shard(self, upload: UUID, seq: int, chance: random.Random) -> None:
        """The same number has the same bytes, mostly."""
        variant = chance.random() < 0.1
        with self._db.write() as session:
            shard_rows.add_shard(
                session, as_owner(session), upload, seq, make_index(seq, variant), f"uploads/{upload}/{uuid4()}", 2**40
            )

    def work(self, chance: random.Random) -> None:
        """A worker's turn: claim something, then record, give back, or die."""
        with self._db.read() as session:
            waiting = [*chunks.list_ready(session, 20), *chunks.list_expired(session, 20)]
        if waiting:
            self.work_on(chance.choice(waiting), chance, dies=chance.random() < 0.2)

    def work_on(self, chunk_id: int, chance: random.Random, dies: bool = False) -> None:
        with self._db.write() as session:
            claim = chunks.claim_chunk(session, chunk_id, None, NO_LEASE_S if dies else LEASE_S)
        if claim is None:
            return
        outcomes = self._look_at(claim, chance)
        with self._db.write() as session:  # also the dead one tries: a process that only seemed dead
            if chance.random() < 0.1:
                chunks.release_chunk(session, claim)
            else:
                record_results.record(session, claim, outcomes)

    def _look_at(self, claim: Claim, chance: random.Random) -> list[Outcome]:
        with self._db.read() as session:
            images = chunks.list_to_classify(session, claim)
        return [
            Outcome(image.image_id, error_code=ErrorCode.TRUNCATED)
            if chance.random() < 0.2
            else Outcome(image.image_id, [p := round(chance.random(), 6), 1 - p])
            for image in images
        ]

    def finish(self) -> None:
        """What the reconciler and patient workers bring about in the end."""
        chance = random.Random(0)
        for uuid in self._uploads:
            try:
                with self._db.write() as session:
                    shard_rows.complete_upload(session, as_owner(session), uuid, partial=True)
            except PawsortError:
                continue
        while True:
            with self._db.write() as session:
                held = select(Chunk).where(Chunk.state == ChunkState.RUNNING)
                for chunk in session.scalars(held):
                    chunk.lease_until = db_now(NO_LEASE_S)
            with self._db.read() as session:
                waiting = [*chunks.list_ready(session, 1000), *chunks.list_expired(session, 1000)]
            if not waiting:
                break
            for chunk_id in waiting:
                self.work_on(chunk_id, chance)
        purge.purge_all(self._db, self._blobs)


def make_index(seq: int, variant: bool) -> ShardIndex:
    entries = tuple(
        Entry(f"{seq}/{n}.jpg", 512 * (2 * n + 1), 1, hashlib.sha256(b"%d %d" % (seq, n)).digest(), None)
        for n in range(seq + 1)
    )
    return ShardIndex(entries, 10_240, hashlib.sha256(b"%d %d" % (seq, variant)).digest())


def check_upload(db: Database, upload: Upload) -> None:
    with db.read() as session:
        shards = session.scalars(select(Shard).where(Shard.upload_id == upload.id)).all()
        n_images = session.scalar(select(func.count()).where(Image.upload_id == upload.id))
        live_jobs = select(Job.id).where(Job.upload_id == upload.id, Job.deleted_at.is_(None)).limit(1)
        assert (upload.deleted_at is None) == (session.scalar(live_jobs) is not None)
    if upload.deleted_at is not None:
        assert upload.purged_at is not None
        assert (shards, n_images) == ([], 0)
        return
    assert upload.n_shards == len(shards)
    assert upload.n_images == n_images == sum(shard.n_images for shard in shards)
    assert upload.n_bytes == sum(shard.n_bytes for shard in shards)


def check_usage(db: Database) -> None:
    """What people use is what their uploads have, whatever was refused, sent twice or deleted."""
    totals = select(Upload.user_id, func.sum(Upload.n_bytes), func.sum(Upload.n_images))
    with db.read() as session:
        found = session.execute(totals.where(Upload.purged_at.is_(None)).group_by(Upload.user_id)).all()
        counted = usage.list_usage(session, NO_QUOTA)
    expected = {user_id: (n_bytes, n_images) for user_id, n_bytes, n_images in found}
    assert {user_id: used[:2] for user_id, used in counted.items()} == dict.fromkeys(counted, (0, 0)) | expected


def check_job(db: Database, job: Job) -> None:
    with db.read() as session:
        found = session.scalars(select(Result).where(Result.job_id == job.id)).all()
        states = session.scalars(select(Chunk.state).where(Chunk.job_id == job.id)).all()
        bins = session.scalars(select(HistogramBin).where(HistogramBin.job_id == job.id)).all()
        upload = session.get_one(Upload, job.upload_id)
    if job.deleted_at is not None:
        assert job.purged_at is not None
        assert (found, states, bins) == ([], [], [])
        return
    assert job.n_failed == sum(one.error_code is not None for one in found)
    assert job.n_done == len(found) - job.n_failed
    assert {(one.class_index, one.bin): one.n for one in bins} == dict(
        Counter((one.class_index, (one.confidence or 0) // 1000) for one in found if one.error_code is None)
    )
    assert job.n_total == upload.n_images
    assert job.n_chunks == len(states) == upload.n_shards
    assert job.n_chunks_done == states.count(ChunkState.DONE)
    assert job.state in (JobState.DONE, JobState.CANCELLED)
    if job.state == JobState.DONE:
        assert job.n_chunks_done == job.n_chunks
        assert job.n_done + job.n_failed == job.n_total


def test_whatever_happens_at_once_the_counts_are_right_and_every_job_ends(db: Database, blobs: Blobs) -> None:
    crowd = Crowd(db, blobs)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(crowd.run, range(THREADS)))
    crowd.finish()
    with db.read() as session:
        all_uploads = session.scalars(select(Upload)).all()
        all_jobs = session.scalars(select(Job)).all()
    assert len(all_jobs) >= N_UPLOADS + THREADS
    for upload in all_uploads:
        check_upload(db, upload)
    check_usage(db)
    for job in all_jobs:
        check_job(db, job)
    assert not [job for job in all_jobs if job.state in ACTIVE_STATES]
