"""Training jobs in SQL: what they learn from, what they refuse, and how they are claimed, recorded and ended."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from core.base.clock import db_now
from core.base.database import Database
from core.base.errors import Conflict, ErrorCode, Gone, Invalid, LeaseLost, NotFound
from core.base.leases import MAX_ATTEMPTS
from core.base.states import JobState
from core.cleanup import deletion
from core.cleanup.purge import purge_all
from core.jobs import job_states, jobs, retry
from core.labels import labels
from core.labels.labels import NewLabel
from core.orm.jobs import Chunk, Job
from core.orm.training import EpochRow, Training, TrainingUpload
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import claims, progress, training_jobs
from core.training.claims import Claim, NextStep
from core.uploads import uploads
from tests.support.actors import as_owner
from tests.support.factories import (
    make_job,
    make_labelled,
    make_manifest,
    make_training,
    make_upload,
    make_version,
    run_epochs,
    run_job,
)

pytestmark = pytest.mark.usefixtures("version")

EPOCH = {
    "loss": 0.5,
    "accuracy": 0.8,
    "val_loss": 0.6,
    "val_accuracy": 0.7,
    "learning_rate": 1e-3,
    "seconds": 10.0,
    "images_per_s": 100.0,
}


def create(db: Database, upload: UUID | None, **given: Any) -> UUID:
    uuid = uuid4()
    with db.write() as session:
        training_jobs.create_training_job(session, as_owner(session), uuid, given, None if upload is None else [upload])
    return uuid


def claim(db: Database, uuid: UUID, lease_s: float = 60.0) -> Claim | None:
    with db.write() as session:
        return claims.claim_training(session, jobs.get_job(session, uuid).id, None, lease_s)


def must_claim(db: Database, uuid: UUID, lease_s: float = 60.0) -> Claim:
    claimed = claim(db, uuid, lease_s)
    assert claimed is not None
    return claimed


def record(db: Database, held: Claim, number: int) -> None:
    with db.write() as session:
        claims.record_epoch(session, held, EPOCH | {"number": number}, f"{held.blob_prefix}{number}")


def get_job(db: Database, uuid: UUID) -> Job:
    with db.read() as session:
        return jobs.get_job(session, uuid)


def n_rows(db: Database, table: type) -> int:
    with db.read() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def test_an_upload_for_training_classifies_nothing(db: Database, blobs: Blobs) -> None:
    create(db, make_labelled(db, blobs))
    assert n_rows(db, Chunk) == 0


def test_what_would_be_trained_on_is_counted_by_content(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(
        db,
        blobs,
        n_each=30,
        more={"pets/cats/copy.jpg": b"cat 3", "pets/empty/x.jpg": b"x", "pets/dogs/empty": b"", "pets/neither/n": b"n"},
    )
    run_job(db, make_job(db, upload), {"pets/cats/5.jpg": ErrorCode.TRUNCATED})
    with db.read() as session:
        found = training_jobs.preview_data(session, as_owner(session), [upload])
    assert found.by_class == {"cat": 29, "dog": 30, "neither": 1}
    assert (found.n_files, found.n_duplicates, found.n_unreadable, found.n_unlabelled) == (63, 1, 2, 1)
    assert (sum(found.by_part.values()), len(found.contents)) == (59, 60)
    assert any("name none of the classes" in note and "empty" in note for note in found.notes)


def test_people_outrank_folders_in_what_is_trained_on(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs, n_each=30)
    with db.write() as session:
        image = session.scalars(select(Image.id).where(Image.path == "pets/cats/1.jpg")).one()
        labels.add_labels(session, None, [NewLabel(image, "dog")])
    with db.read() as session:
        assert training_jobs.preview_data(session, as_owner(session), [upload]).by_class == {
            "cat": 29,
            "dog": 31,
            "neither": 0,
        }


def test_everything_labelled_counts_corrections_of_uploads_without_folders(db: Database, blobs: Blobs) -> None:
    make_labelled(db, blobs, n_each=20)
    plain = make_upload(db, blobs, files={"photos/a.jpg": b"a cat", "photos/b.jpg": b"not said"})
    with db.write() as session:
        image = session.scalars(select(Image.id).where(Image.path == "photos/a.jpg")).one()
        labels.add_labels(session, None, [NewLabel(image, "cat")])
    with db.read() as session:
        assert training_jobs.preview_data(session, as_owner(session), None).by_class == {
            "cat": 21,
            "dog": 20,
            "neither": 0,
        }
        assert training_jobs.preview_data(session, as_owner(session), [plain]).by_class["cat"] == 1


def test_folders_that_differ_only_in_case_are_one_class_and_are_named(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs, n_each=20, more={"pets/Cats/1.jpg": b"one more"})
    with db.read() as session:
        found = training_jobs.preview_data(session, as_owner(session), [upload])
    assert found.by_class["cat"] == 21
    assert any('"pets/Cats" and "pets/cats" differ only in case' in note for note in found.notes)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"pets/birds/1.jpg": b"bird"}, "no labelled pictures.*birds"),
        ({f"pets/cats/{n}.jpg": b"%d" % n for n in range(50)}, "All 50 pictures are of the class cat.*dogs"),
        ({"a/cats/1": b"1", "a/cats/2": b"2", "a/dogs/3": b"3"}, "got 2 of cat, 1 of dog. Add some of cat and dog"),
        ({f"a/{c}s/{n}": c.encode() for c in ("cat", "dog") for n in range(50)}, "got 1 of cat, 1 of dog"),
    ],
)
def test_data_that_teaches_nothing_gets_a_sentence_and_leaves_nothing(
    db: Database, blobs: Blobs, files: dict[str, bytes], sentence: str
) -> None:
    upload = make_upload(db, blobs, files=files, labelled=True)
    with pytest.raises(Invalid, match=sentence):
        create(db, upload)
    assert (n_rows(db, Job), n_rows(db, Training), n_rows(db, TrainingUpload)) == (0, 0, 0)
    with db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    purge_all(db, blobs)
    assert list(blobs.list("uploads/")) == []


def test_uploads_that_are_not_there_or_not_whole_are_refused(db: Database, blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        create(db, uuid4())
    with pytest.raises(Conflict, match="still arriving"):
        create(db, make_upload(db, blobs, labelled=True, is_complete=False))
    with pytest.raises(Invalid, match="data: expected"), db.write() as session:
        training_jobs.create_training_job(session, as_owner(session), uuid4(), {}, [])


def test_a_version_of_another_network_or_size_is_no_start(db: Database, blobs: Blobs, version: int) -> None:
    upload = make_labelled(db, blobs)
    create(db, upload, network="seed-cnn", start_from=version)
    with pytest.raises(NotFound, match="no model version 9"):
        create(db, upload, network="seed-cnn", start_from=9)
    with db.write() as session:
        other = training_jobs.registry.add_version(session, make_manifest("another"))
        larger = training_jobs.registry.add_version(session, make_manifest(weights=b"larger") | {"side_px": 96})
    with pytest.raises(Invalid, match="is one of another"):
        create(db, upload, network="seed-cnn", start_from=other.id)
    with pytest.raises(Invalid, match="takes pictures of 96 px"):
        create(db, upload, network="seed-cnn", start_from=larger.id)


def test_creating_a_training_twice_gives_the_same_job(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    uuid = make_training(db, upload)
    with db.write() as session:
        assert training_jobs.create_training_job(session, as_owner(session), uuid, {}, [upload]).uuid == uuid
    classifies = make_job(db, upload)
    with pytest.raises(Conflict, match="classifies"), db.write() as session:
        training_jobs.create_training_job(session, as_owner(session), classifies, {}, [upload])
    assert n_rows(db, Training) == 1


def test_one_worker_at_a_time_has_a_training(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    first = must_claim(db, uuid)
    assert claim(db, uuid) is None
    assert get_job(db, uuid).state == JobState.RUNNING
    with db.write() as session:
        session.execute(update(Training).values(lease_until=db_now(-1)))
    second = must_claim(db, uuid)
    assert second.fence == first.fence + 1
    with pytest.raises(LeaseLost):
        record(db, first, 1)
    record(db, second, 1)
    assert n_rows(db, EpochRow) == 1


def test_the_lease_is_kept_and_what_happens_is_said(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    held, before = must_claim(db, uuid, lease_s=-1.0), get_job(db, uuid).revision
    with db.read() as session:
        assert claims.list_waiting(session, 10) == [held.job_id]
    with db.write() as session:
        assert claims.beat(session, held, 60, "training", 3, 80) == NextStep.CONTINUE
    with db.read() as session:
        assert claims.list_waiting(session, 10) == []
        view = progress.describe_training(session, jobs.get_job(session, uuid))
    assert (view.phase, view.step, view.n_steps) == ("training", 3, 80)
    assert get_job(db, uuid).revision == before + 1
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), uuid)
    with db.write() as session:
        assert claims.beat(session, held, 60, "training", 4, 80) == NextStep.STOP


def test_time_left_comes_from_the_latest_epochs(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs), epochs=5)
    held = must_claim(db, uuid)
    for number in (1, 2):
        record(db, held, number)
    with db.write() as session:
        claims.beat(session, held, 60, "training", 40, 80)
    with db.read() as session:
        view = progress.describe_training(session, jobs.get_job(session, uuid))
    assert view.eta_s == pytest.approx(25.0)
    assert [epoch.number for epoch in view.epochs] == [1, 2]


def test_a_finished_training_has_a_version_that_is_not_in_use(db: Database, blobs: Blobs, version: int) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        made = claims.finish(session, must_claim(db, uuid), make_manifest(weights=b"trained")).id
    job = get_job(db, uuid)
    assert (job.state, job.model_version_id) == (JobState.DONE, made)
    with db.read() as session:
        assert training_jobs.registry.current_version(session).id == version
    with pytest.raises(Conflict, match="is done"), db.write() as session:
        retry.retry_job(session, as_owner(session), uuid)


def test_a_training_that_never_finishes_an_epoch_is_failed_in_the_end(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    for _ in range(MAX_ATTEMPTS - 1):
        must_claim(db, uuid, lease_s=-1.0)
    record(db, must_claim(db, uuid, lease_s=-1.0), 1)  # an epoch between them: the count begins anew
    for _ in range(MAX_ATTEMPTS - 1):
        must_claim(db, uuid, lease_s=-1.0)
    assert claim(db, uuid) is None
    job = get_job(db, uuid)
    assert job.state == JobState.FAILED
    assert f"ended {MAX_ATTEMPTS} times" in (job.error or "")


def test_kills_do_not_fail_a_training_that_comes_further_each_time(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    for step in range(1, MAX_ATTEMPTS + 5):
        held = must_claim(db, uuid, lease_s=-1.0)
        with db.write() as session:
            claims.beat(session, held, -1.0, "training", step, 80)
    assert held.attempts == 1
    for _ in range(MAX_ATTEMPTS):  # and one that ends at the same step again and again is failed
        must_claim(db, uuid, lease_s=-1.0)
    assert claim(db, uuid) is None


def test_an_error_costs_a_training_an_attempt_and_a_pause(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        claims.release_after_error(session, must_claim(db, uuid))
    assert claim(db, uuid) is None
    with db.write() as session:
        session.execute(update(Training).values(ready_at=db_now()))
    assert must_claim(db, uuid).attempts == 2


def test_a_worker_that_is_asked_to_stop_gives_the_training_back(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        claims.release(session, must_claim(db, uuid))
    assert must_claim(db, uuid).attempts == 1


def test_a_cancelled_training_goes_on_when_retried(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    held = must_claim(db, uuid)
    record(db, held, 1)
    with db.write() as session:
        job_states.cancel_job(session, as_owner(session), uuid)
    assert claim(db, uuid) is None
    with db.write() as session:
        retry.retry_job(session, as_owner(session), uuid)
    with pytest.raises(LeaseLost):
        record(db, held, 2)
    record(db, must_claim(db, uuid), 2)
    assert n_rows(db, EpochRow) == 2


def test_the_reconciler_never_takes_a_training_for_a_finished_job(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    must_claim(db, uuid)
    with db.write() as session:
        assert job_states.list_finished_but_open(session) == []
        assert not job_states.finish_job(session, jobs.get_job(session, uuid).id)


def test_the_last_job_takes_its_upload_along_also_when_it_trains(db: Database, blobs: Blobs) -> None:
    upload = make_labelled(db, blobs)
    training, classifies = make_training(db, upload), make_job(db, upload)
    blobs.put(must_claim(db, training).blob_prefix + "1.npz", b"state")
    with pytest.raises(Conflict, match="belongs to a job"), db.write() as session:
        deletion.delete_upload(session, as_owner(session), upload)
    with db.read() as session:
        assert deletion.list_deleted_with(session, as_owner(session), jobs.get_job(session, training)) == []
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), classifies)
    with db.read() as session:
        assert uploads.get_upload(session, upload).deleted_at is None
        assert [
            one.uuid for one in deletion.list_deleted_with(session, as_owner(session), jobs.get_job(session, training))
        ] == [upload]
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), training)
    with pytest.raises(Gone), db.read() as session:
        uploads.get_upload(session, upload)
    purge_all(db, blobs)
    assert [*blobs.list("uploads/"), *blobs.list("trainings/")] == []
    assert (n_rows(db, Training), n_rows(db, TrainingUpload), n_rows(db, Image)) == (0, 0, 0)


def test_before_the_first_epoch_there_is_no_best_one_to_keep(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    with db.write() as session:
        assert training_jobs.keep_best(session, as_owner(session), uuid).state == JobState.CANCELLED


def test_a_training_that_shall_keep_its_best_epoch_says_so_until_it_ends(db: Database, blobs: Blobs) -> None:
    uuid = make_training(db, make_labelled(db, blobs))
    held = run_epochs(db, uuid, 2)
    with db.write() as session:
        assert training_jobs.keep_best(session, as_owner(session), uuid).state == JobState.RUNNING
    with db.write() as session:
        assert claims.beat(session, held, 60, "training", 3, 80) == NextStep.KEEP_BEST
        assert progress.describe_training(session, jobs.get_job(session, uuid)).keeps_best
        job_states.cancel_job(session, as_owner(session), uuid)
    with db.write() as session:
        assert claims.beat(session, held, 60, "training", 3, 80) == NextStep.STOP
        retry.retry_job(session, as_owner(session), uuid)
        assert not progress.describe_training(session, jobs.get_job(session, uuid)).keeps_best


def test_only_a_training_has_a_best_epoch(db: Database, blobs: Blobs, version: int) -> None:
    uuid = make_job(db, make_upload(db, blobs))
    with db.write() as session, pytest.raises(Invalid, match="only a training has epochs"):
        training_jobs.keep_best(session, as_owner(session), uuid)


def test_a_network_of_which_the_last_layers_are_trained_starts_from_its_newest_version(
    db: Database, blobs: Blobs
) -> None:
    newest = [make_version(db, "efficientnet-lite0", weights=weights) for weights in (b"old", b"new")][-1]
    with db.read() as session:
        parameters = training_jobs.check_parameters(session, {"network": "efficientnet-lite0"}, 1000)
    assert parameters.start_from == newest


def test_without_a_version_of_it_such_a_network_cannot_be_trained(db: Database) -> None:
    with db.read() as session, pytest.raises(NotFound, match="no model 'efficientnet-lite0'"):
        training_jobs.check_parameters(session, {"network": "efficientnet-lite0"}, 1000)
