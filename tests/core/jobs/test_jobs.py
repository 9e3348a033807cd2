"""The life of a job: from receiving to its end, cancelled, retried, deleted."""

import io
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from core.base.database import Database
from core.base.errors import Conflict, ErrorCode, Gone, Invalid, NotFound
from core.base.leases import MAX_ATTEMPTS
from core.base.states import JobState
from core.cleanup import deletion, purge
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.jobs import chunks, classify_jobs, job_states, jobs, progress, results, retry
from core.jobs.listing import job_list
from core.jobs.progress import JobView
from core.jobs.result_filter import ResultFilter
from core.orm.jobs import Chunk
from core.orm.results import HistogramBin, Result
from core.orm.uploads import Image, Shard
from core.storage.blobs import Blobs, shard_key
from core.uploads import uploads
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_tar, make_upload, read_results, run_job
from tests.support.soundness import check_counters

pytestmark = pytest.mark.usefixtures("version")


def view(db: Database, uuid: UUID) -> JobView:
    with db.read() as session:
        return progress.describe(session, jobs.get_job(session, uuid))


def add_shard(db: Database, blobs: Blobs, upload: UUID, seq: int, n_files: int = 3) -> list[int]:
    tar = make_tar({f"more/{seq}-{n}.jpg": b"not a picture %d" % n for n in range(n_files)})
    key = shard_key(upload, seq)
    blobs.put(key, tar)
    index = index_shard(io.BytesIO(tar).read, max_image_bytes=2**20)
    with db.write() as session:
        return shard_rows.add_shard(session, as_owner(session), upload, seq, index, key, 2**40).chunk_ids


def test_a_job_over_a_complete_upload_is_queued_and_ends_done(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=5))
    assert (view(db, job).state, view(db, job).n_total) == (JobState.QUEUED, 5)
    run_job(db, job)
    done = view(db, job)
    assert (done.state, done.n_done, done.n_failed) == (JobState.DONE, 5, 0)
    assert done.finished_at is not None


def test_chunks_run_while_the_upload_is_still_arriving(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=4, is_complete=False)
    job = make_job(db, upload)
    run_job(db, job)
    assert (view(db, job).state, view(db, job).n_done) == (JobState.RECEIVING, 4)
    add_shard(db, blobs, upload, 1)
    assert view(db, job).n_total == 7
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, 2)
    assert view(db, job).state == JobState.RUNNING
    run_job(db, job)
    assert (view(db, job).state, view(db, job).n_done) == (JobState.DONE, 7)


def test_completing_an_upload_ends_a_job_that_has_nothing_left_to_do(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, is_complete=False)
    job = make_job(db, upload)
    run_job(db, job)
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, 1)
    assert view(db, job).state == JobState.DONE


def test_creating_a_job_twice_gives_the_same_job(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    job = make_job(db, upload)
    with db.write() as session:
        again, chunk_ids = classify_jobs.create_classify_job(session, as_owner(session), job, upload)
    assert again.uuid == job
    assert chunk_ids == []
    assert view(db, job).n_total == 4


def test_a_jobs_id_cannot_be_used_for_another_upload(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    other = make_upload(db, blobs)
    with pytest.raises(Conflict, match="another upload"), db.write() as session:
        classify_jobs.create_classify_job(session, as_owner(session), job, other)


def test_any_number_of_jobs_run_over_one_upload(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    first, second = make_job(db, upload), make_job(db, upload, threshold=0.99)
    run_job(db, first)
    run_job(db, second)
    assert view(db, first).by_label == {"cat": 4, "dog": 0, "unsure": 0}
    assert view(db, second).by_label == {"cat": 0, "dog": 0, "unsure": 4}


def test_moving_the_threshold_changes_counts_without_new_results(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs), threshold=0.5)
    run_job(db, job, default=(0.2, 0.7))
    assert view(db, job).by_label == {"cat": 0, "dog": 4, "unsure": 0}
    with db.write() as session:
        jobs.update_job(session, as_owner(session), job, threshold=0.701)
    assert view(db, job).by_label == {"cat": 0, "dog": 0, "unsure": 4}


def test_the_requests_threshold_wins_over_the_settings_and_the_versions(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    given, default, own = uuid4(), uuid4(), uuid4()
    with db.write() as session:
        classify_jobs.create_classify_job(
            session, as_owner(session), given, upload, threshold=0.6, default_threshold=0.7
        )
        classify_jobs.create_classify_job(session, as_owner(session), default, upload, default_threshold=0.7)
        classify_jobs.create_classify_job(session, as_owner(session), own, upload)
    assert [view(db, job).threshold for job in (given, default, own)] == [0.6, 0.7, 0.8]


def test_a_threshold_out_of_range_gets_a_sentence(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    with pytest.raises(Invalid, match="from 0 to 1"), db.write() as session:
        classify_jobs.create_classify_job(session, as_owner(session), uuid4(), upload, threshold=1.5)


def test_a_cancelled_job_keeps_its_results_and_takes_no_more(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, is_complete=False)
    job = make_job(db, upload)
    run_job(db, job)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    assert add_shard(db, blobs, upload, 1) == []
    run_job(db, job)
    assert (view(db, job).state, view(db, job).n_done) == (JobState.CANCELLED, 4)


def test_a_job_that_has_ended_cannot_be_cancelled(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    with pytest.raises(Conflict, match="can no longer be cancelled"), db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)


def test_retrying_classifies_failed_images_again_and_leaves_the_others_alone(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=3))
    run_job(db, job, {"photos/1.jpg": ErrorCode.TRUNCATED})
    assert (view(db, job).n_done, view(db, job).n_failed) == (2, 1)
    with db.write() as session:
        _, chunk_ids = retry.retry_job(session, as_owner(session), job)
    assert len(chunk_ids) == 1
    assert (view(db, job).state, view(db, job).n_failed) == (JobState.RUNNING, 0)
    run_job(db, job, default=(0.1, 0.9))
    assert [row.label for row in read_results(db, job)] == ["cat", "dog", "cat"]
    assert (view(db, job).state, view(db, job).n_done, view(db, job).n_failed) == (JobState.DONE, 3, 0)


def test_retrying_a_cancelled_job_goes_on_with_what_came_meanwhile(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs, n_files=2, is_complete=False)
    job = make_job(db, upload)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), job)
    add_shard(db, blobs, upload, 1, n_files=3)
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, 2)
        retry.retry_job(session, as_owner(session), job)
    run_job(db, job)
    assert (view(db, job).state, view(db, job).n_done, view(db, job).n_total) == (JobState.DONE, 5, 5)


def test_retrying_a_job_without_failures_changes_nothing(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    with db.write() as session:
        _, chunk_ids = retry.retry_job(session, as_owner(session), job)
    assert chunk_ids == []
    assert view(db, job).state == JobState.DONE


def test_counters_equal_what_counting_rows_gives(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=6), threshold=0.8)
    run_job(
        db,
        job,
        {"photos/0.jpg": ErrorCode.TRUNCATED, "photos/1.jpg": (0.8, 0.2), "photos/2.jpg": (0.799999, 0.2)},
        default=(0.1, 0.9),
    )
    shown = view(db, job)
    with db.read() as session:
        found = jobs.get_job(session, job)
        counted = {
            label: len(results.list_results(session, found, ResultFilter(label=label), None, 100).items)
            for label in ("cat", "dog", "unsure")
        }
    assert shown.by_label == counted == {"cat": 1, "dog": 3, "unsure": 1}
    assert (shown.n_done, shown.n_failed) == (5, 1)


def test_what_is_probably_neither_is_counted_at_every_threshold(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs, n_files=6), threshold=0.8)
    said = {
        "photos/0.jpg": (0.0, 0.03),
        "photos/1.jpg": (0.42, 0.05),
        "photos/2.jpg": (0.25, 0.25),  # exactly half is not more than half
        "photos/3.jpg": ErrorCode.TRUNCATED,
        "photos/4.jpg": (0.1, 0.6),
    }
    run_job(db, job, said)
    for threshold, expected in ((0.8, 2), (0.421, 2), (0.42, 1), (0.03, 0)):
        with db.write() as session:
            jobs.update_job(session, as_owner(session), job, threshold=threshold)
        with db.read() as session:
            found = jobs.get_job(session, job)
            listed = results.list_results(session, found, ResultFilter(neither="probable"), None, 100).items
        shown = view(db, job)
        assert (shown.n_probably_neither, len(listed)) == (expected, expected)
        assert sum(shown.by_label.values()) == shown.n_done
        assert all(row.is_probably_neither for row in listed)
    check_counters(db, str(job))


def test_every_change_that_a_poller_can_see_moves_the_revision(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    seen = [view(db, job).revision]
    run_job(db, job)
    seen.append(view(db, job).revision)
    with db.write() as session:
        jobs.update_job(session, as_owner(session), job, name="another name")
    seen.append(view(db, job).revision)
    assert seen == sorted(set(seen))


def test_jobs_are_listed_newest_first_page_by_page(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    made = [make_job(db, upload) for _ in range(5)]
    listed, cursor = [], None
    while True:
        with db.read() as session:
            page = job_list.list_jobs(session, cursor, limit=2)
        listed += [job.uuid for job in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert listed == made[::-1]


def test_an_unknown_job_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound), db.read() as session:
        jobs.get_job(session, uuid4())


def test_a_deleted_job_is_gone_and_its_id_is_not_used_again(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    job, other = make_job(db, upload), make_job(db, upload)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    with pytest.raises(Gone), db.read() as session:
        jobs.get_job(session, job)
    with pytest.raises(Gone), db.write() as session:
        classify_jobs.create_classify_job(session, as_owner(session), job, upload)
    assert view(db, other).state == JobState.QUEUED


def test_the_last_job_takes_its_upload_along(db: Database, blobs: Blobs) -> None:
    upload = make_upload(db, blobs)
    first, second = make_job(db, upload), make_job(db, upload)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), first)
    with db.read() as session:
        uploads.get_upload(session, upload)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), second)
    with pytest.raises(Gone), db.read() as session:
        uploads.get_upload(session, upload)


def test_purging_removes_rows_and_bytes_and_keeps_other_jobs(db: Database, blobs: Blobs) -> None:
    kept = make_job(db, make_upload(db, blobs))
    deleted = make_job(db, make_upload(db, blobs, n_files=300 // 2))
    run_job(db, kept)
    run_job(db, deleted)
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), deleted)
    assert purge.purge_all(db, blobs) == 2
    assert purge.purge_all(db, blobs) == 0
    with db.read() as session:
        n_rows = {table: session.query(table).count() for table in (Result, Chunk, Image, Shard, HistogramBin)}
    assert n_rows == {Result: 4, Chunk: 1, Image: 4, Shard: 1, HistogramBin: 1}
    assert len(list(blobs.list("uploads/"))) == 1
    assert list(purge.find_orphans(db, blobs, older_than=2e9)) == []


def test_a_running_jobs_worker_finds_nothing_to_record_after_a_delete(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    with db.read() as session:
        chunk_id = chunks.list_ready(session, 1)[0]
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    with db.write() as session:
        assert chunks.claim_chunk(session, chunk_id, None, 60) is None


def test_a_retry_has_attempts_again_and_suspects_stay_suspects(db: Database, blobs: Blobs) -> None:
    job = make_job(db, make_upload(db, blobs))
    with db.write() as session:
        session.execute(update(Chunk).values(attempts=MAX_ATTEMPTS))
        job_states.fail_job(session, jobs.get_job(session, job).id, "The store did not answer.")
    with db.write() as session:
        _, (chunk_id,) = retry.retry_job(session, as_owner(session), job)
        claim = chunks.claim_chunk(session, chunk_id, None, 60)
    assert claim is not None
    assert claim.attempts == 3
