"""What is kept of a chunk beside its results: features as a blob, a heat map with each result."""

import io
import time
from collections.abc import Callable
from uuid import UUID, uuid4

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import func, select, update

from core.base.database import Database
from core.base.errors import DiskFull
from core.cleanup import deletion, purge
from core.decoding.decoded import DECODING
from core.jobs import chunks, heatmaps, jobs
from core.models import registry
from core.orm.jobs import Chunk, Job
from core.orm.models import ModelVersion
from core.orm.training import ShardFeatures
from core.orm.uploads import Image, Upload
from core.storage.blobs import Blobs
from core.training import features
from tests.support.actors import as_owner
from tests.support.factories import LEASE_S, make_job, make_manifest, make_upload, make_version, read_results
from tests.support.fakes import FakeClassifier, FakeRuntime
from worker.inference import classification
from worker.inference.chunk_results import ChunkFeatures


def grey(level: int) -> bytes:
    data = io.BytesIO()
    Picture.new("RGB", (16, 16), (level, level, level)).save(data, "PNG")
    return data.getvalue()


FILES = {"p/dark.png": grey(10), "p/broken.png": grey(90)[:40], "p/bright.png": grey(240), "p/twin.png": grey(240)}


def classify(runtime: FakeRuntime) -> None:
    classification.classify_ready(runtime)


def contents_of(db: Database) -> dict[str, bytes]:
    with db.read() as session:
        return {row.path: row.sha256 for row in session.execute(select(Image.path, Image.sha256))}


def count_blobs(db: Database) -> int:
    with db.read() as session:
        return session.scalars(select(func.count()).select_from(ShardFeatures)).one()


def npz_files(blobs: Blobs) -> list[str]:
    return [key for key, _ in blobs.list("uploads/") if key.endswith(".npz")]


@pytest.fixture
def job(runtime: FakeRuntime, blobs: Blobs) -> UUID:
    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    classify(runtime)
    return job


def test_features_are_found_by_content_and_by_body(job: UUID, runtime: FakeRuntime, blobs: Blobs) -> None:
    contents = contents_of(runtime.db)
    found = features.find(runtime.db, blobs, FakeClassifier.body, [*contents.values(), b"\0" * 32])
    assert {content: row.tolist() for content, row in found.items()} == {
        contents["p/dark.png"]: [10, 10, 10],
        contents["p/bright.png"]: [240, 240, 240],
    }
    assert all(row.dtype == np.float16 for row in found.values())
    assert features.find(runtime.db, blobs, "cd" * 32, contents.values()) == {}


def test_features_of_other_decoding_rules_are_computed_again_and_cleaned_up(
    job: UUID, runtime: FakeRuntime, blobs: Blobs
) -> None:
    with runtime.db.write() as session:
        session.execute(update(ShardFeatures).values(decoding=DECODING - 1))
    contents = contents_of(runtime.db).values()
    assert features.find(runtime.db, blobs, FakeClassifier.body, contents) == {}
    with runtime.db.read() as session:
        assert features.count_kept(session, [FakeClassifier.body], contents) == 0
        upload = session.scalars(select(Upload.uuid).join(Job, Job.upload_id == Upload.id).where(Job.uuid == job)).one()
    make_job(runtime.db, upload)
    classify(runtime)
    assert len(features.find(runtime.db, blobs, FakeClassifier.body, contents)) == 2
    n_before = len(npz_files(blobs))
    with runtime.db.write() as session:
        features.note_body(session, registry.current_version(session).id, FakeClassifier.body)
    features.forget_unused(runtime.db, blobs)
    assert len(npz_files(blobs)) < n_before
    assert len(features.find(runtime.db, blobs, FakeClassifier.body, contents)) == 2


def test_a_heat_map_stands_with_each_good_result(job: UUID, db: Database) -> None:
    by_path = {row.path: row.image_id for row in read_results(db, job)}
    with db.read() as session:
        found = {path: heatmaps.find_heatmap(session, jobs.get_job(session, job), id) for path, id in by_path.items()}
    dark, bright = found["p/dark.png"], found["p/bright.png"]
    assert dark is not None
    assert bright is not None
    assert (dark.class_name, dark.rows) == ("cat", [[255] * 7] * 7)
    assert (bright.class_name, len(bright.rows)) == ("dog", 7)
    assert found["p/broken.png"] is None


def test_the_same_features_are_kept_once(job: UUID, runtime: FakeRuntime, blobs: Blobs) -> None:
    with runtime.db.read() as session:
        upload = jobs.uploads_of(jobs.get_job(session, job))
        uuid = session.scalars(upload).one().uuid
    make_job(runtime.db, uuid)
    classify(runtime)
    assert (count_blobs(runtime.db), len(npz_files(blobs))) == (1, 1)


def test_a_network_without_a_feature_map_has_no_heat_map(settings, db: Database, blobs: Blobs) -> None:
    class Plain(FakeClassifier):
        def predict_with_features(self, images, on_batch=None):
            return super().predict_with_features(images)._replace(evidence=None)

    make_version(db, "seed-cnn")
    job = make_job(db, make_upload(db, blobs, FILES))
    classify(FakeRuntime(settings, db, Plain()))
    results = read_results(db, job)
    assert [row.error_code is None for row in results] == [True, False, True, True]
    assert len(npz_files(blobs)) == 1
    with db.read() as session:
        assert heatmaps.find_heatmap(session, jobs.get_job(session, job), results[0].image_id) is None


def test_a_store_that_is_full_costs_features_and_no_result(
    runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Blobs, key: str, data: bytes) -> None:
        raise DiskFull("The disk is full.")

    job = make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    monkeypatch.setattr(Blobs, "put", refuse)
    classify(runtime)
    assert [row.label for row in read_results(runtime.db, job)] == ["cat", None, "dog", "dog"]
    assert count_blobs(runtime.db) == 0


def test_who_lost_the_lease_leaves_neither_a_row_nor_a_blob(settings, db: Database, blobs: Blobs) -> None:
    def steal() -> None:
        with db.write() as session:
            chunk = session.scalars(select(Chunk)).one()
            chunk.fence += 1

    make_version(db, "seed-cnn")
    job = make_job(db, make_upload(db, blobs, FILES))
    classify(FakeRuntime(settings, db, FakeClassifier(steal)))
    assert read_results(db, job) == []
    assert (count_blobs(db), npz_files(blobs)) == (0, [])


def test_features_go_with_their_upload(job: UUID, runtime: FakeRuntime, blobs: Blobs) -> None:
    with runtime.db.write() as session:
        deletion.delete_job(session, as_owner(session), job)
    purge.purge_all(runtime.db, blobs)
    assert (count_blobs(runtime.db), list(blobs.list("uploads/"))) == (0, [])


def test_a_blob_of_features_is_an_orphan_only_without_its_row(job: UUID, runtime: FakeRuntime, blobs: Blobs) -> None:
    later = time.time() + 60
    assert list(purge.find_orphans(runtime.db, blobs, later)) == []
    stray = npz_files(blobs)[0].replace("00000000-", "00000001-")
    blobs.put(stray, b"left by a worker that was killed")
    assert list(purge.find_orphans(runtime.db, blobs, later)) == [stray]


def damage(blobs: Blobs, key: str) -> None:
    blobs.put(key, b"PK\3\4 no longer what it was")


def cut(blobs: Blobs, key: str) -> None:
    blobs.put(key, bytes(blobs.get(key))[:-50])


def lose(blobs: Blobs, key: str) -> None:
    blobs.delete([key])


@pytest.mark.parametrize("harm", [damage, cut, lose])
def test_features_that_are_lost_or_damaged_are_forgotten(
    harm: Callable[[Blobs, str], None], job: UUID, runtime: FakeRuntime, blobs: Blobs
) -> None:
    harm(blobs, npz_files(blobs)[0])
    assert features.find(runtime.db, blobs, FakeClassifier.body, contents_of(runtime.db).values()) == {}
    assert count_blobs(runtime.db) == 0


def test_features_go_when_the_last_version_with_their_body_is_deleted(
    job: UUID, runtime: FakeRuntime, blobs: Blobs
) -> None:
    with runtime.db.write() as session:
        first = registry.current_version(session).id
        second = registry.add_version(session, make_manifest(weights=b"another head")).id
        for version_id in (first, second):
            features.note_body(session, version_id, FakeClassifier.body)
        registry.promote(session, registry.add_version(session, make_manifest(weights=b"in use")).id)
    with runtime.db.write() as session:
        deletion.delete_version(session, as_owner(session), first)
    purge.purge_all(runtime.db, blobs)
    assert count_blobs(runtime.db) == 1
    with runtime.db.write() as session:
        deletion.delete_version(session, as_owner(session), second)
    purge.purge_all(runtime.db, blobs)
    assert (count_blobs(runtime.db), npz_files(blobs)) == (0, [])


def test_the_body_of_a_version_is_noted_once(db: Database) -> None:
    version = make_version(db, "seed-cnn")
    with db.write() as session:
        features.note_body(session, version, "ab")
        features.note_body(session, version, "cd")
    with db.read() as session:
        assert session.get_one(ModelVersion, version).body == "ab"


def test_features_of_a_claim_are_not_known_before_its_results_are(runtime: FakeRuntime, blobs: Blobs) -> None:
    make_job(runtime.db, make_upload(runtime.db, blobs, FILES))
    with runtime.db.write() as session:
        claim = chunks.claim_chunk(session, session.scalars(select(Chunk.id)).one(), None, LEASE_S)
        assert claim is not None
        chunk_images = chunks.list_to_classify(session, claim)
    kept = ChunkFeatures(claim, FakeClassifier.body)
    pixels = np.zeros((1, 8, 8, 3), np.uint8)
    kept.add(chunk_images[:1], FakeClassifier().predict_with_features(pixels).features, pixels)
    kept.store(runtime, n_images=1, n_stored=0)
    assert (count_blobs(runtime.db), len(npz_files(blobs))) == (0, 1)


def test_a_heat_map_is_read_over_http(client, db: Database, blobs: Blobs, settings) -> None:
    job = make_job(db, make_upload(db, blobs, FILES))
    classify(FakeRuntime(settings, db))
    dark, broken = (row.image_id for row in read_results(db, job)[:2])
    answer = client.get(f"/api/v1/jobs/{job}/results/{dark}/heat")
    assert answer.json == {"class_name": "cat", "rows": [[255] * 7] * 7}
    assert client.get(f"/api/v1/jobs/{job}/results/{broken}/heat").status_code == 404
    assert client.get(f"/api/v1/jobs/{uuid4()}/results/{dark}/heat").status_code == 404
