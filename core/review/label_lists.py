"""Labels from a list, such as the rows of a table: a batch that is undone as a whole (core/review/bulk_labels.py).

    items ─► one for each content ─► those that change its label ─► labels of the batch, in one transaction

A batch takes any number of calls. What is called so already gets no further label, so the same list again writes
nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor, check_owner
from core.base.clock import db_now
from core.base.database import insert_or, locked, slices
from core.base.errors import Conflict, IdTaken
from core.base.states import BatchKind
from core.labels import contents, labels
from core.labels.labels import NewLabel, human_label_of
from core.orm.labels import Label
from core.orm.review import LabelBatch
from core.orm.uploads import Image


@dataclass(frozen=True, slots=True)
class Relabelling:
    """How many contents got `label` instead of the label of a person or a folder that counted before."""

    before: str | None
    label: str | None
    n: int


@dataclass(frozen=True, slots=True)
class ListOutcome:
    """What a list changes. Counts are of contents, each once.

    Attributes:
        n_unchanged: Contents that have this label already.
        changes: By labels before and after, the most frequent first.
    """

    n_labels: int
    n_unchanged: int
    changes: list[Relabelling]


def check_list(session: Session, items: Sequence[NewLabel]) -> ListOutcome:
    """What a list would change. Nothing is written.

    Raises:
        NotFound, Invalid: As `labels.add_labels`.
    """
    _, outcome = _compare(session, items)
    return outcome


def add_list(session: Session, actor: Actor, batch_uuid: UUID, items: Sequence[NewLabel]) -> ListOutcome:
    """Write the labels of a list that change something, as part of a batch.

    Args:
        batch_uuid: The caller's id; further calls add to the same batch.
        items: Of several for one content, the last one counts.
    Raises:
        NotFound, Invalid: As `labels.add_labels`; nothing was written.
        Conflict: The id is that of another batch, or the batch was undone.
        Forbidden: The batch is somebody else's.
    """
    changed, outcome = _compare(session, items)
    batch = _open_batch(session, actor, batch_uuid)
    n_labels = labels.add_labels(session, actor.user_id, changed, batch_id=batch.id)
    batch.n_labels += n_labels
    batch.n_skipped += len(changed) - n_labels + outcome.n_unchanged
    if n_labels:
        record(session, actor, Action.LABELS_ADD, "batch", batch_uuid, kind=batch.kind, n_labels=n_labels)
    return outcome


def _compare(session: Session, items: Sequence[NewLabel]) -> tuple[list[NewLabel], ListOutcome]:
    labels.check_labels(items)
    digests = contents.digests_of(session, {item.image_id for item in items})
    last = {digests[item.image_id]: item for item in items}.values()
    before = _labels_now(session, {item.image_id: digests[item.image_id] for item in last})
    changed = [item for item in last if item.label != before[item.image_id]]
    counted = Counter((before[item.image_id], item.label) for item in changed)
    changes = [Relabelling(old, new, n) for (old, new), n in counted.most_common()]
    return changed, ListOutcome(len(changed), len(last) - len(changed), changes)


def _labels_now(session: Session, digests: Mapping[int, bytes]) -> dict[int, str | None]:
    """The label of each image that counts. Most have none, which is found out for many at once."""
    labelled: set[bytes] = set()
    for some in slices(digests.values()):
        labelled |= set(session.scalars(select(Label.sha256).where(Label.sha256.in_(some)).distinct()))
    found: dict[int, str | None] = dict.fromkeys(digests)
    for ids in slices(image_id for image_id, sha256 in digests.items() if sha256 in labelled):
        found |= dict(session.execute(select(Image.id, human_label_of(Image)).where(Image.id.in_(ids))).all())
    return found


def _open_batch(session: Session, actor: Actor, uuid: UUID) -> LabelBatch:
    new = {"uuid": uuid, "user_id": actor.user_id, "kind": BatchKind.LIST, "wanted": {}, "threshold_milli": 0}
    insert = insert_or(session, LabelBatch).values(**new, is_whole=False, finished_at=db_now())
    session.execute(insert.on_conflict_do_nothing(index_elements=["uuid"]))
    batch = session.scalars(locked(select(LabelBatch).where(LabelBatch.uuid == uuid))).one()
    if batch.kind != BatchKind.LIST:
        raise IdTaken(f"Batch {uuid} exists and is a different batch. Choose a new id.")
    check_owner(actor, batch.user_id, f"batch {uuid}")
    if session.scalar(select(LabelBatch.id).where(LabelBatch.undo_of_id == batch.id)):
        raise Conflict(f"Batch {uuid} was undone. Choose a new id to give the labels again.")
    return batch
