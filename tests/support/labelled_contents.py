"""Labelled contents of a chosen part, and what versions say of them, without a picture or a network."""

import hashlib
from collections.abc import Iterable
from itertools import count
from uuid import UUID, uuid4

from sqlalchemy import select

from core.base.database import Database
from core.base.states import LabelSource
from core.evaluation import evaluation_jobs, predictions
from core.evaluation.predictions import NewPrediction
from core.jobs import jobs
from core.labels import labels
from core.labels.labels import NewLabel
from core.orm.uploads import Image, Upload
from core.storage.blobs import Blobs
from core.training import claims
from core.training.splits import Split, split_of
from core.uploads.uploads import get_upload
from tests.support.factories import make_manifest, make_upload

EACH_UPLOAD = 200


def make_contents(part: Split, kind: str, n: int) -> list[bytes]:
    """Contents of a part, that of no two kinds the same."""
    made = (b"%s %d" % (kind.encode(), number) for number in count())
    chosen = (one for one in made if split_of(hashlib.sha256(one).digest()) == part)
    return [next(chosen) for _ in range(n)]


def make_pets(db: Database, blobs: Blobs, n_judging: int, labelled: bool = True) -> list[UUID]:
    """Uploads with so many cats and dogs in the judging part, half of each, and enough in the others to train on."""
    files = {
        f"pets/{kind}s/{part}-{number}.jpg": content
        for kind in ("cat", "dog")
        for part, n in ((Split.TRAINING, 20), (Split.VALIDATION, 5), (Split.TEST, n_judging // 2))
        for number, content in enumerate(make_contents(part, kind, n))
    }
    listed = list(files.items())
    slices = [dict(listed[start : start + EACH_UPLOAD]) for start in range(0, len(listed), EACH_UPLOAD)]
    return [make_upload(db, blobs, files=some, labelled=labelled, name="pets") for some in slices]


def say_all(db: Database, source: LabelSource, uploads: Iterable[UUID]) -> None:
    """A person says of every picture what its folder's name says."""
    with db.write() as session:
        ids = [get_upload(session, uuid).id for uuid in uploads]
        images = session.scalars(select(Image).join(Upload).where(Upload.id.in_(ids))).all()
        items = [NewLabel(one.id, labels.label_of_path(one.path), source) for one in images]
        labels.add_labels(session, None, items)


def judge_with(db: Database, n_wrong: int, n_wrong_cats: int | None = None) -> list[NewPrediction]:
    """What a version says that is wrong on so many pictures of the judging part: half cats, half dogs unless told."""
    with db.write() as session:
        contents = predictions.choose_contents(session)
    wrong_cats = n_wrong // 2 if n_wrong_cats is None else n_wrong_cats
    left = {"cat": wrong_cats, "dog": n_wrong - wrong_cats}
    said = []
    for content in contents:
        is_wrong = left[content.label] > 0
        left[content.label] -= is_wrong
        is_cat = (content.label == "cat") != is_wrong
        said.append(NewPrediction(content.sha256, content.label, (0.9, 0.05) if is_cat else (0.05, 0.9)))
    return said


def finish_training(
    db: Database, blobs: Blobs, job: UUID, said: list[NewPrediction], in_use: int, said_by_in_use: list[NewPrediction]
) -> int:
    """End a training as its worker does, with a version that says so; returns its number."""
    weights = uuid4().bytes
    manifest = make_manifest(weights=weights)
    blobs.put(f"models/{manifest['digest']}", weights)
    with db.write() as session:
        claim = claims.claim_training(session, jobs.get_job(session, job).id, None, 60)
        assert claim is not None
        return evaluation_jobs.finish_training(session, claim, manifest, said, {in_use: said_by_in_use}).id
