"""Folders that people rearranged, read as corrections: what lies in `cat/` is a cat. Contents count, names do not.

    path, SHA-256 ─► is it a picture of the job? ─► what its folder says ─► was it moved? ─► the label that it would get

With the manifest of a sorted folder (core/review/sort_manifest.py), a picture was moved when its folder is not the one
that the manifest names, and labels that people gave since then stay. Without one, the folder is compared with the label
that is shown now. Nothing is written here: see core/review/correction_batches.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.database import Database, slices
from core.base.file_names import safe_name
from core.base.network_catalog import CLASSES
from core.jobs.confidence import UNSURE, shown_label
from core.labels.labels import NEITHER, human_label_of, label_of_path, was_labelled_since
from core.orm.jobs import Job
from core.orm.results import Result
from core.orm.uploads import Image
from core.review import sort_manifest
from core.review.sort_manifest import ManifestLine, SortManifest

UNLABELLED = "unlabelled"
SAYS_NOTHING = (UNSURE, UNLABELLED)
LISTS = ("errors.csv", "renamed.csv", sort_manifest.NAME)  # lie in sorted folders
MAX_NAMED = 100
LOOKED_UP = 500

FolderItem = tuple[str, bytes] | ManifestLine  # path and SHA-256 of a file, or a line of the folder's manifest


@dataclass(frozen=True, slots=True)
class PlannedLabel:
    """A label that a picture would get instead of the one that is shown; `replaces`: that one is not the model's."""

    image_id: int
    shown: str | None
    label: str
    replaces: bool


@dataclass(frozen=True, slots=True)
class LabelChange:
    """How many pictures would change from one label to another."""

    shown: str | None
    label: str
    n: int


@dataclass
class CorrectionPlan:
    """What an import of corrections would change. Counts are of contents, each once; `n_unknown` is of files.

    Attributes:
        exported_at: When the folder was made, by its manifest; None without one.
        labels: The labels to be written.
        n_newer: Contents with a label by a person that is newer than the folder; it stays.
        n_confirmed: Contents whose folder is the label shown.
        n_unmoved: Other contents that lie where they were when the folder was made.
        n_silent: Contents in folders that are no label, such as `unsure`.
        n_unknown: Files that are none of the job's pictures.
        n_ambiguous: Contents in folders of two classes.
        unknown: Paths of the first unknown ones.
        ambiguous: A sentence for each of the first ambiguous ones.
    """

    exported_at: datetime | None = None
    labels: list[PlannedLabel] = field(default_factory=list)
    n_newer: int = 0
    n_confirmed: int = 0
    n_unmoved: int = 0
    n_silent: int = 0
    n_unknown: int = 0
    n_ambiguous: int = 0
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[LabelChange]:
        """The labels to be written, by what they change, the most frequent first."""
        counted = Counter((one.shown, one.label) for one in self.labels)
        return [LabelChange(shown, label, n) for (shown, label), n in counted.most_common()]

    @property
    def n_replaced(self) -> int:
        """How many labels of people or folders would be replaced."""
        return sum(one.replaces for one in self.labels)


class _Placed(NamedTuple):
    """Where a content was found first, and the label of its folder."""

    picture: "_Picture"
    path: str
    label: str | None
    is_ambiguous: bool = False


class _Picture(NamedTuple):
    image_id: int
    shown: str | None
    is_labelled: bool
    sent: list[str]


def plan_corrections(db: Database, job: Job, items: Iterable[FolderItem]) -> CorrectionPlan:
    """Read where files lie now, and find out which pictures get another label by that.

    Args:
        items: Each file, and the lines of the manifest in their order; read once, a few at a time.
    """
    plan, manifest = CorrectionPlan(), SortManifest()
    contents = _place(db, job, items, manifest, plan)
    plan.exported_at = manifest.exported_at
    news: dict[bytes, _Placed] = {}
    for sha256, placed in contents.items():
        if placed.is_ambiguous:
            plan.n_ambiguous += 1
        elif placed.label is None:
            plan.n_silent += 1
        elif placed.label == placed.picture.shown:
            plan.n_confirmed += 1
        else:
            news[sha256] = placed
    _compare(db, manifest, news, plan)
    return plan


def _compare(db: Database, manifest: SortManifest, news: dict[bytes, _Placed], plan: CorrectionPlan) -> None:
    """Tell moved pictures from those whose label has changed since the folder was made."""
    newer = _find_newer(db, manifest, news)
    for sha256, placed in news.items():
        picture, origin = placed.picture, manifest.find(sha256)
        is_as_then = origin is not None and origin.was == picture.shown
        if not is_as_then and picture.image_id in newer:
            plan.n_newer += 1
        elif origin is not None and origin.was == placed.label:
            plan.n_unmoved += 1
        else:
            assert placed.label is not None
            plan.labels.append(PlannedLabel(picture.image_id, picture.shown, placed.label, picture.is_labelled))


def _find_newer(db: Database, manifest: SortManifest, news: dict[bytes, _Placed]) -> set[int]:
    """The images that a person has labelled since the folder was made."""
    by_moment: dict[datetime, list[int]] = {}
    for sha256, placed in news.items():
        origin = manifest.find(sha256)
        moment = origin.exported_at if origin else manifest.exported_at
        if moment is not None:
            by_moment.setdefault(moment, []).append(placed.picture.image_id)
    found: set[int] = set()
    for moment, image_ids in by_moment.items():
        for some in slices(image_ids):
            with db.read() as session:
                query = select(Image.id).where(Image.id.in_(some), was_labelled_since(Image, moment))
                found |= set(session.scalars(query))
    return found


def folder_label(path: str, sent: Iterable[str]) -> str | None:
    """What the nearest folder says that names a class, `neither`, or nothing (`unsure`, `unlabelled`).

    Folders that were uploaded like that are no news: `dog/photos/cats/1.jpg` was put into `dog` when it was sent as
    `photos/cats/1.jpg`. They only count where nothing stands in front of them.

    Args:
        path: Where it lies now.
        sent: The paths under which this content was sent.
    """
    folders = path.split("/")[:-1]
    n_sent = max((_n_common(folders, one.split("/")[:-1]) for one in sent), default=0)
    in_front = "/".join([*folders[: len(folders) - n_sent], ""])
    label = label_of_path(in_front + "x", (*CLASSES, NEITHER, *SAYS_NOTHING))
    label = label or label_of_path(path, (*CLASSES, NEITHER, *SAYS_NOTHING))
    return None if label in SAYS_NOTHING else label


def _n_common(folders: Sequence[str], sent: Sequence[str]) -> int:
    """How many folders, from the last one on, both have; sorted ones may have got safe names."""
    n_common = 0
    for one, other in zip(reversed(folders), reversed(sent), strict=False):
        if one not in (other, safe_name(other)):
            break
        n_common += 1
    return n_common


def _place(
    db: Database, job: Job, items: Iterable[FolderItem], manifest: SortManifest, plan: CorrectionPlan
) -> dict[bytes, _Placed]:
    contents: dict[bytes, _Placed] = {}
    left = iter(items)
    while some := list(islice(left, LOOKED_UP)):
        files = [item for item in some if isinstance(item, tuple)]
        for line in some:
            if not isinstance(line, tuple):
                manifest.add(line)
        with db.read() as session:
            pictures = _find_pictures(session, job, {sha256 for _, sha256 in files})
        for path, sha256 in files:
            if sha256 in pictures:
                _add(contents, plan, path, sha256, pictures[sha256])
            elif path.rpartition("/")[2] not in LISTS:
                plan.n_unknown += 1
                plan.unknown += [path] if len(plan.unknown) < MAX_NAMED else []
    return contents


def _add(contents: dict[bytes, _Placed], plan: CorrectionPlan, path: str, sha256: bytes, picture: _Picture) -> None:
    label = folder_label(path, picture.sent)
    before = contents.get(sha256)
    if before is None or (before.label is None and label is not None):
        contents[sha256] = _Placed(picture, path, label)
    elif label is not None and label != before.label:
        if not before.is_ambiguous and len(plan.ambiguous) < MAX_NAMED:
            plan.ambiguous.append(
                f"{before.path} ({before.label}) and {path} ({label}) are the same picture. No label was changed:"
                " keep it in one of the two folders and upload them again."
            )
        contents[sha256] = before._replace(is_ambiguous=True)


def _find_pictures(session: Session, job: Job, contents: set[bytes]) -> dict[bytes, _Picture]:
    of_job = (Result.image_id == Image.id) & (Result.job_id == job.id)
    rows = session.execute(
        select(Image.id, Image.path, Image.sha256, Result.class_index, Result.confidence, human_label_of(Image))
        .outerjoin(Result, of_job)
        .where(Image.upload_id == job.upload_id, Image.sha256.in_(contents), Image.n_bytes > 0)
        .order_by(Image.id)
    )
    found: dict[bytes, _Picture] = {}
    for image_id, path, sha256, class_index, confidence, human_label in rows:
        shown = human_label or shown_label(class_index, confidence, job.threshold_milli)
        picture = found.setdefault(sha256, _Picture(image_id, shown, human_label is not None, []))
        picture.sent.append(path)
    return found
