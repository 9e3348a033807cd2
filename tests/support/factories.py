"""Things that tests need many of: drawn pictures, tars, uploads, jobs, and results as a worker would record them."""

import hashlib
import io
import math
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from PIL import Image as Picture
from PIL import ImageDraw
from sqlalchemy import select

from core.accounts.accounts import OWNER
from core.base.database import Database
from core.base.errors import ErrorCode
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.jobs import chunks, classify_jobs, jobs, record_results, results
from core.jobs.record_results import Outcome
from core.jobs.result_filter import ResultFilter
from core.jobs.results import ResultRow
from core.models import registry
from core.orm.jobs import Chunk
from core.storage.blobs import Blobs, shard_key
from core.training import claims, training_jobs
from core.training.claims import Claim
from core.uploads import uploads
from tests.support.actors import as_person

LEASE_S = 60.0


def draw_picture(seed: int = 0, size: tuple[int, int] = (64, 48), format: str = "JPEG") -> bytes:
    """A small picture that differs for each seed."""
    image = Picture.new("RGB", size, ((seed * 37) % 256, (seed * 91) % 256, 128))
    ImageDraw.Draw(image).ellipse((4, 4, size[0] // 2, size[1] // 2), fill=(255, (seed * 13) % 256, 0))
    data = io.BytesIO()
    image.save(data, format)
    return data.getvalue()


def make_tar(files: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> bytes:
    """A pax tar, written by Python's own library, not by ours."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items() if isinstance(files, Mapping) else files:
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def make_manifest(network: str = "seed-cnn", threshold: float = 0.8, weights: bytes | None = None) -> dict[str, Any]:
    """What the registry needs to know of a version; without `weights` there are none behind it."""
    digest = hashlib.sha256(network.encode() if weights is None else weights).hexdigest()
    return {"network": network, "digest": digest, "threshold": threshold, "classes": ["cat", "dog"], "side_px": 64}


def make_version(db: Database, network: str, weights: bytes | None = None) -> int:
    """One more model version, a candidate that is not in use; returns its number."""
    with db.write() as session:
        return registry.register_shipped(session, [make_manifest(network, weights=weights)])[0].id


def make_upload(
    db: Database,
    blobs: Blobs,
    files: Mapping[str, bytes] | None = None,
    n_files: int = 4,
    labelled: bool = False,
    is_complete: bool = True,
    name: str = "photos",
    for_training: bool = False,
    by: str = OWNER,
) -> UUID:
    """An upload with one stored shard of the files, or of drawn pictures."""
    uuid = uuid4()
    content = files if files is not None else {f"photos/{n}.jpg": draw_picture(n) for n in range(n_files)}
    tar = make_tar(content)
    key = shard_key(uuid, 0)
    blobs.put(key, tar)
    with db.write() as session:
        sender = as_person(session, by)
        uploads.create_upload(session, sender, uuid, name, labelled, for_training=for_training)
        index = index_shard(io.BytesIO(tar).read, max_image_bytes=2**26)
        shard_rows.add_shard(session, sender, uuid, 0, index, key, 2**40)
        if is_complete:
            shard_rows.complete_upload(session, sender, uuid, 1)
    return uuid


def make_labelled(
    db: Database, blobs: Blobs, n_each: int = 30, more: Mapping[str, bytes] | None = None, name: str = "pets"
) -> UUID:
    """A complete labelled upload, `pets/cats/…` and `pets/dogs/…`; the contents are no pictures."""
    files = {f"pets/{kind}s/{n}.jpg": f"{kind} {n}".encode() for kind in ("cat", "dog") for n in range(n_each)}
    return make_upload(db, blobs, files=files | dict(more or {}), labelled=True, name=name)


def make_training(db: Database, upload: UUID, by: str = OWNER, **given: Any) -> UUID:
    """A training job over a labelled upload, waiting for a worker."""
    uuid = uuid4()
    with db.write() as session:
        sender = as_person(session, by)
        training_jobs.create_training_job(session, sender, uuid, {"network": "seed-cnn"} | given, [upload])
    return uuid


def make_job(
    db: Database, upload: UUID, threshold: float | None = None, name: str | None = None, by: str = OWNER
) -> UUID:
    """A classify job over an upload, waiting for a worker."""
    uuid = uuid4()
    with db.write() as session:
        sender = as_person(session, by)
        classify_jobs.create_classify_job(session, sender, uuid, upload, threshold=threshold, name=name)
    return uuid


def run_job(
    db: Database,
    job: UUID,
    outcomes: Mapping[str, tuple[float, float] | ErrorCode] | None = None,
    default: tuple[float, float] = (0.9, 0.05),
) -> None:
    """Record results as a worker does: claim each chunk, then write it; `outcomes` by path, the rest get `default`."""
    with db.write() as session:
        found = jobs.get_job(session, job)
        for chunk_id in session.scalars(select(Chunk.id).where(Chunk.job_id == found.id)).all():
            claim = chunks.claim_chunk(session, chunk_id, None, LEASE_S)
            if claim is None:
                continue
            images = chunks.list_to_classify(session, claim)
            said = [(image.image_id, (outcomes or {}).get(image.path, default)) for image in images]
            record_results.record(session, claim, [_outcome(image_id, one) for image_id, one in said])


def read_results(db: Database, job: UUID) -> list[ResultRow]:
    """The results of a small job in the order of the upload."""
    with db.read() as session:
        page = results.list_results(session, jobs.get_job(session, job), ResultFilter(), None, 1000)
    assert page.next is None
    return page.items


def _outcome(image_id: int, said: tuple[float, float] | ErrorCode) -> Outcome:
    if isinstance(said, ErrorCode):
        return Outcome(image_id, error_code=said)
    return Outcome(image_id, probabilities=said, similarity_key=image_id)


def run_epochs(db: Database, job: UUID, n: int, phase: str = "training", now: tuple[int, int] = (0, 0)) -> Claim:
    """Record epochs as a training worker does; `now` is the step, and how many there are, that it is at."""
    with db.write() as session:
        claim = claims.claim_training(session, jobs.get_job(session, job).id, None, LEASE_S)
        assert claim is not None
        for number in range(1, n + 1):
            claims.record_epoch(session, claim, make_epoch(number), f"state {number}")
        claims.beat(session, claim, LEASE_S, phase, *now)
    return claim


def make_epoch(number: int) -> dict[str, Any]:
    """What an epoch brought, on curves that look like those of a small network: it learns, then learns by heart."""
    return {
        "number": number,
        "loss": 0.68 * math.exp(-number / 7) + 0.02,
        "accuracy": 0.99 - 0.45 * math.exp(-number / 6),
        "val_loss": 0.6 * math.exp(-number / 5) + 0.1 + number * 0.006,
        "val_accuracy": 0.93 - 0.4 * math.exp(-number / 4) + 0.008 * math.sin(5 * number),
        "learning_rate": 0.001,
        "seconds": 12.5,
        "images_per_s": 853.0,
    }
