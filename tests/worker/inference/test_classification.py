"""One chunk, from claim to record, over a real database and a real blob store; only the network is a stand-in."""

import io
from itertools import groupby
from pathlib import PurePosixPath
from uuid import UUID

import pytest
from PIL import Image as Picture
from sqlalchemy import select, update

from core.base.config import Settings
from core.base.database import Database
from core.base.leases import MAX_ATTEMPTS
from core.base.states import ChunkState, JobState
from core.jobs import job_states, jobs, progress
from core.jobs.progress import JobView
from core.jobs.result_filter import ResultFilter
from core.jobs.results import list_results
from core.models import registry
from core.orm.jobs import Chunk
from core.orm.uploads import Image, Shard
from core.storage.blobs import Blobs
from core.storage.buckets import RETRIES
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_manifest, make_upload, read_results
from tests.support.fakes import FakeClassifier, FakeRuntime
from worker.inference import chunk_results, classification, next_chunk


def grey(level: int) -> bytes:
    data = io.BytesIO()
    Picture.new("RGB", (20, 10), (level, level, level)).save(data, "PNG")
    return data.getvalue()


FILES = {"p/dark.png": grey(10), "p/broken.png": grey(90)[:40], "p/bright.png": grey(240), "p/empty.png": b""}


def make_version(db: Database) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])


def view(db: Database, job: UUID) -> JobView:
    with db.read() as session:
        return progress.describe(session, jobs.get_job(session, job))


def labels_of(db: Database, job: UUID) -> dict[str, str | None]:
    return {row.path: row.label or row.error_code for row in read_results(db, job)}


def test_bad_images_fail_alone_and_answers_stay_with_their_images(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES), threshold=0.8)
    classification.classify_next(runtime)
    assert labels_of(runtime.db, job) == {
        "p/dark.png": "cat",
        "p/broken.png": "truncated",
        "p/bright.png": "dog",
        "p/empty.png": "empty_file",
    }
    assert view(runtime.db, job).state == JobState.DONE


def test_alike_pictures_stand_together_in_the_order_of_looks(runtime: FakeRuntime, blobs: Blobs) -> None:
    greys = {f"p/{n}.png": grey(value) for n, value in enumerate((10, 200, 12, 198, 14))} | {"p/broken.png": b"no"}
    job = make_job(runtime.db, make_upload(runtime.db, blobs, greys))
    classification.classify_next(runtime)
    with runtime.db.read() as session:
        page = list_results(session, jobs.get_job(session, job), ResultFilter(sort="alike"), None, 10)
    kinds = [PurePosixPath(row.path).stem in ("0", "2", "4") for row in page.items]
    assert len(kinds) == 5
    assert len(list(groupby(kinds))) == 2, "dark ones beside dark ones"


def test_the_same_message_ten_times_changes_nothing(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    for _ in range(10):
        classification.classify_next(runtime)
    assert (view(runtime.db, job).n_done, view(runtime.db, job).n_failed) == (2, 2)


def test_a_message_that_finds_nothing_to_do_does_no_harm(runtime: FakeRuntime) -> None:
    classification.classify_ready(runtime)
    assert runtime.n_woken == 0


def test_one_message_is_enough_for_all_that_is_ready(runtime: FakeRuntime, blobs: Blobs) -> None:
    made = [make_job(runtime.db, make_upload(runtime.db, blobs, FILES)) for _ in range(3)]
    classification.classify_ready(runtime)
    assert {view(runtime.db, job).state for job in made} == {JobState.DONE}


def test_a_worker_that_has_worked_for_a_while_sends_the_message_again_and_ends_its_task(
    runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classification, "SLICE_S", 0.0)
    made = [make_job(runtime.db, make_upload(runtime.db, blobs, FILES)) for _ in range(2)]
    classification.classify_ready(runtime)
    assert [view(runtime.db, job).state for job in made] == [JobState.DONE, JobState.QUEUED]
    assert runtime.n_woken == 1


def test_results_of_a_slow_chunk_are_recorded_as_they_come(
    settings: Settings, blobs: Blobs, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_results, "RECORD_EVERY_S", 0.0)
    monkeypatch.setattr(next_chunk, "PIECE", 2)
    monkeypatch.setattr(FakeClassifier, "batch_size", 4)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        with db.read() as session:
            revision = jobs.get_job(session, job).revision
        seen.append((view(db, job).n_done, revision))

    make_version(db)
    job = make_job(db, make_upload(db, blobs, n_files=12))
    classification.classify_ready(FakeRuntime(settings, db, FakeClassifier(look)))
    n_done, revisions = zip(*seen, strict=True)
    assert n_done == (0, 0, 4)  # what comes last is recorded with the end of the chunk
    assert revisions[0] == revisions[1] < revisions[2]
    assert (view(db, job).state, view(db, job).n_done) == (JobState.DONE, 12)
    assert sum(view(db, job).by_label.values()) == 12


def test_a_chunk_that_was_lost_half_way_is_finished_by_another_worker_without_doing_anything_twice(
    settings: Settings, blobs: Blobs, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_results, "RECORD_EVERY_S", 0.0)
    monkeypatch.setattr(next_chunk, "PIECE", 2)
    monkeypatch.setattr(FakeClassifier, "batch_size", 2)
    calls: list[int] = []

    def stop_at_the_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise SystemExit(0)

    make_version(db)
    job = make_job(db, make_upload(db, blobs, n_files=8))
    with pytest.raises(SystemExit):
        classification.classify_ready(FakeRuntime(settings, db, FakeClassifier(stop_at_the_third)))
    assert view(db, job).n_done == 2
    calls.clear()
    classification.classify_ready(FakeRuntime(settings, db, FakeClassifier(lambda: calls.append(1))))
    assert (view(db, job).state, view(db, job).n_done, len(calls)) == (JobState.DONE, 8, 3)


def test_a_file_that_was_too_large_to_send_gets_its_code(runtime: FakeRuntime, blobs: Blobs, db: Database) -> None:
    job = make_job(db, make_upload(db, blobs, {"p/1.png": grey(10)}))
    with db.write() as session:
        session.execute(update(Image).values(declared_bytes=10**9))
    classification.classify_next(runtime)
    assert labels_of(db, job) == {"p/1.png": "too_many_bytes"}


def test_what_breaks_a_chunk_costs_an_attempt_and_not_the_worker(
    settings: Settings, blobs: Blobs, db: Database
) -> None:
    def break_down() -> None:
        raise MemoryError

    runtime = FakeRuntime(settings, db, FakeClassifier(break_down))
    make_version(db)
    job = make_job(db, make_upload(db, blobs, FILES))
    classification.classify_next(runtime)
    with db.read() as session:
        chunk = session.scalars(select(Chunk)).one()
    assert (chunk.state, chunk.attempts, chunk.error) == (ChunkState.READY, 1, "MemoryError: ")
    assert view(db, job).n_done == 0


def test_after_too_many_attempts_the_job_fails_with_a_sentence(settings: Settings, blobs: Blobs, db: Database) -> None:
    def break_down() -> None:
        raise RuntimeError("the network is upside down")

    runtime = FakeRuntime(settings, db, FakeClassifier(break_down))
    make_version(db)
    job = make_job(db, make_upload(db, blobs, FILES))
    with db.write() as session:
        session.execute(update(Chunk).values(attempts=MAX_ATTEMPTS - 1))
    classification.classify_next(runtime)
    failed = view(db, job)
    assert failed.state == JobState.FAILED
    assert "upside down" in (failed.error or "")


def test_a_chunk_that_kills_its_workers_again_and_again_fails_its_job(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    with runtime.db.write() as session:
        session.execute(update(Chunk).values(attempts=MAX_ATTEMPTS))
    classification.classify_next(runtime)
    assert view(runtime.db, job).state == JobState.FAILED
    assert "worker died" in (view(runtime.db, job).error or "")


def test_a_shard_whose_bytes_are_gone_fails_the_job_with_a_sentence(runtime: FakeRuntime, blobs: Blobs) -> None:
    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    with runtime.db.read() as session:
        blobs.delete(session.scalars(select(Shard.blob_key)).all())
    classification.classify_next(runtime)
    assert view(runtime.db, job).state == JobState.FAILED
    assert "blob store has no" in (view(runtime.db, job).error or "")


def test_a_job_that_is_cancelled_meanwhile_takes_nothing(settings: Settings, blobs: Blobs, db: Database) -> None:
    job: UUID

    def cancel() -> None:
        with db.write() as session:
            job_states.cancel_job(session, as_owner(session), job)

    make_version(db)
    job = make_job(db, make_upload(db, blobs, FILES))
    classification.classify_next(FakeRuntime(settings, db, FakeClassifier(cancel)))
    assert (view(db, job).state, view(db, job).n_done) == (JobState.CANCELLED, 0)


def test_a_worker_that_is_asked_to_stop_frees_its_chunk_at_once(settings: Settings, blobs: Blobs, db: Database) -> None:
    def stop() -> None:
        raise SystemExit(0)

    make_version(db)
    make_job(db, make_upload(db, blobs, FILES))
    with pytest.raises(SystemExit):
        classification.classify_next(FakeRuntime(settings, db, FakeClassifier(stop)))
    with db.read() as session:
        chunk = session.scalars(select(Chunk)).one()
    assert (chunk.state, chunk.attempts) == (ChunkState.READY, 0)


def test_from_the_third_claim_on_images_are_decoded_in_a_child_with_the_same_labels(
    runtime: FakeRuntime, blobs: Blobs
) -> None:
    upload = make_upload(runtime.db, blobs, FILES)
    here, there = make_job(runtime.db, upload), make_job(runtime.db, upload)
    with runtime.db.write() as session:
        there_id = jobs.get_job(session, there).id
        session.execute(update(Chunk).where(Chunk.job_id == there_id).values(attempts=2))
    classification.classify_ready(runtime)
    assert labels_of(runtime.db, there) == labels_of(runtime.db, here)


def test_a_store_that_is_away_costs_a_chunk_no_attempt(
    runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_version(runtime.db)
    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setitem(RETRIES, "max_retries", 0)
    monkeypatch.setattr(classification, "RETRY_S", 0.0)
    runtime.__dict__["blobs"] = Blobs("s3://bucket/away")
    for _ in range(MAX_ATTEMPTS + 1):
        classification.classify_next(runtime)
    with runtime.db.read() as session:
        chunk = session.scalars(select(Chunk)).one()
        assert (chunk.state, chunk.attempts) == (ChunkState.READY, 0)
    runtime.__dict__["blobs"] = blobs
    classification.classify_next(runtime)
    assert view(runtime.db, job).state == JobState.DONE
