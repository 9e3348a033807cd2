"""Near-duplicates on their way into a training: copies of pictures of every part, and where they end up."""

import io
from uuid import UUID

import pytest
from PIL import Image as Picture
from PIL import ImageOps
from sqlalchemy import select

from core.jobs import jobs
from core.orm.uploads import Image
from core.storage.blobs import Blobs
from core.training import claims, near_duplicates
from core.training.splits import Split
from tests.model.arrays.test_near_duplicates import COPIES, paint
from tests.support.factories import LEASE_S, make_job, make_training, make_upload
from tests.support.fakes import FakeRuntime
from tests.support.inference import sort_all
from tests.support.pictures import encode, test_data
from worker.training.dataset import SPLITS, Samples, find_samples

DATABASES = ("sqlite",)
N = 60


def samples_of(runtime: FakeRuntime, upload: UUID) -> Samples:
    job = make_training(runtime.db, upload)
    with runtime.db.write() as session:
        claim = claims.claim_training(session, jobs.get_job(session, job).id, None, LEASE_S)
    assert claim is not None
    return find_samples(runtime, claim)


def parts_of(runtime: FakeRuntime, samples: Samples) -> dict[str, Split]:
    """By path."""
    with runtime.db.read() as session:
        paths = {image.id: image.path for image in session.scalars(select(Image))}
    return {
        paths[image_id]: SPLITS[part]
        for image_id, part in zip(samples.image_ids.tolist(), samples.parts.tolist(), strict=True)
    }


def originals() -> dict[str, bytes]:
    return {f"pets/{('cats', 'dogs')[n % 2]}/{n:02}.jpg": encode(paint(n)) for n in range(N)}


def copies_of(files: dict[str, bytes]) -> dict[str, bytes]:
    made = {}
    for number, (path, data) in enumerate(files.items()):
        image = Picture.open(io.BytesIO(data)).convert("RGB")
        made[path.replace(".jpg", " copy.jpg")] = list(COPIES.values())[number % len(COPIES)](image)
    return made


def test_no_copy_straddles_two_parts(runtime: FakeRuntime, blobs: Blobs) -> None:
    files = originals()
    upload = make_upload(runtime.db, blobs, files=files | copies_of(files), labelled=True)
    parts = parts_of(runtime, samples_of(runtime, upload))
    assert len(parts) == 2 * N
    assert set(parts.values()) == set(Split)
    assert [path for path in files if parts[path] != parts[path.replace(".jpg", " copy.jpg")]] == []


def test_no_copy_of_a_photograph_straddles_two_parts(runtime: FakeRuntime, blobs: Blobs) -> None:
    folder = test_data() / "dogs-vs-cats" / "originals"
    chosen = [path for kind in ("cats", "dogs") for path in sorted((folder / kind).iterdir())[:60]]
    files = {f"pets/{path.parent.name}/{path.name}": path.read_bytes() for path in chosen}
    upload = make_upload(runtime.db, blobs, files=files | copies_of(files), labelled=True)
    parts = parts_of(runtime, samples_of(runtime, upload))
    assert len(parts) == 2 * len(files)
    assert set(parts.values()) == set(Split)
    assert [path for path in files if parts[path] != parts[path.replace(".jpg", " copy.jpg")]] == []


def test_a_copy_that_comes_later_takes_the_part_of_its_original(runtime: FakeRuntime, blobs: Blobs) -> None:
    files = originals()
    first = parts_of(runtime, samples_of(runtime, make_upload(runtime.db, blobs, files=files, labelled=True)))
    later = copies_of(files) | {
        f"more/{kind}s/{n}.jpg": encode(paint(500 + n)) for n, kind in enumerate(("cat", "dog"))
    }
    both = make_upload(runtime.db, blobs, files=files | later, labelled=True)
    parts = parts_of(runtime, samples_of(runtime, both))
    assert {path: parts[path] for path in files} == first
    assert [path for path in files if parts[path] != parts[path.replace(".jpg", " copy.jpg")]] == []


def test_sketches_are_taken_from_what_was_classified(
    runtime: FakeRuntime, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = originals()
    upload = make_upload(runtime.db, blobs, files=files | {"pets/cats/mirrored.jpg": mirrored(files)}, labelled=True)
    runtime._classifier.side_px = 64
    make_job(runtime.db, upload)
    sort_all(runtime)

    def never(*_: object) -> dict[bytes, bytes]:
        raise AssertionError("a picture was decoded again")

    monkeypatch.setattr("worker.training.stored_images.decode_stored", never)
    samples_of(runtime, upload)
    with runtime.db.read() as session:
        groups, n = near_duplicates.list_groups(session, 10)
    assert n == 1
    assert {member.path for member in groups[0].members} == {"pets/cats/00.jpg", "pets/cats/mirrored.jpg"}


def mirrored(files: dict[str, bytes]) -> bytes:
    return encode(ImageOps.mirror(Picture.open(io.BytesIO(files["pets/cats/00.jpg"]))))
