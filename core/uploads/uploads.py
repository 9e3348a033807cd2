"""Uploads: sets of images as people uploaded them. They grow shard by shard until they are complete, then never change.

Every function that changes an upload locks its row first, so shards that arrive together queue up for the moment that
writing their rows takes.
"""

from collections.abc import Sequence
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts.rights import Actor, check_owner
from core.base.clock import db_now
from core.base.database import insert_or, locked
from core.base.errors import Conflict, Gone, Invalid, NotFound, OriginalsMissing
from core.base.paging import Page, decode_cursor, encode_cursor
from core.base.states import UploadState
from core.orm.uploads import Image, Shard, Upload

MAX_SKIPPED_LISTED = 1000
MAX_MISSING_LISTED = 1000


class IncompleteUpload(Conflict):
    """Shards are missing; `details["missing"]` has the first of their numbers."""


def create_upload(
    session: Session,
    actor: Actor,
    uuid: UUID,
    name: str,
    labelled: bool = False,
    discards: bool = False,
    for_training: bool = False,
) -> Upload:
    """Create an upload of the actor under an id that the caller chose; repeating it is harmless.

    Args:
        labelled: Folders' names are labels.
        discards: Its originals go as soon as they are classified (core/cleanup/discard_originals.py).
        for_training: The labels count once a training accepts them, not when the upload is complete.
    Raises:
        Gone: The id belonged to an upload that was deleted.
        Forbidden: It is that of somebody else's upload.
        Invalid: Both were asked for.
    """
    if labelled and discards:
        raise Invalid(
            "Expected either labelled pictures or originals that are discarded: a model can only learn from pictures"
            " that are kept. Choose one of them."
        )
    upload = session.scalar(select(Upload).where(Upload.uuid == uuid))
    if upload is not None:
        return _check_own(actor, _alive(upload))
    row = {"uuid": uuid, "user_id": actor.user_id, "name": name, "labelled": labelled, "discards": discards}
    row["for_training"] = for_training
    added = insert_or(session, Upload).values(row).on_conflict_do_nothing(index_elements=["uuid"]).returning(Upload)
    own = session.scalar(added)
    # Without one, another request with the same id was faster.
    return own if own is not None else _check_own(actor, get_upload(session, uuid))


def _check_own(actor: Actor, upload: Upload) -> Upload:
    check_owner(actor, upload.user_id, f"upload {upload.uuid}")
    return upload


def get_upload(session: Session, uuid: UUID, lock: bool = False) -> Upload:
    """An upload by the id its caller chose.

    Raises:
        NotFound: There never was one.
        Gone: It was deleted.
    """
    query = select(Upload).where(Upload.uuid == uuid)
    upload = session.scalar(locked(query) if lock else query)
    if upload is None:
        raise NotFound(f"There is no upload {uuid}. Create it first: PUT /api/v1/uploads/{uuid}.")
    return _alive(upload)


def _alive(upload: Upload) -> Upload:
    if upload.deleted_at is not None:
        raise Gone(f"Upload {upload.uuid} has been deleted; its id is not used again. Choose a new id.")
    return upload


def check_has_originals(upload: Upload) -> None:
    """Refuse work that needs the originals.

    Raises:
        Conflict: They were discarded.
    """
    if upload.discarded_at is not None:
        raise OriginalsMissing(
            f"The originals of upload {upload.uuid} were discarded on {upload.discarded_at:%Y-%m-%d} after they had"
            " been classified, as requested with the upload. Labels and previews remain. To classify the"
            " pictures again, upload them again."
        )


def add_skipped(session: Session, upload: Upload, skipped: Sequence[tuple[str, str]]) -> None:
    """Note files of an archive that were not taken, with the reason; the first thousand are listed."""
    if not skipped:
        return
    room = max(MAX_SKIPPED_LISTED - len(upload.skipped), 0)
    listed = [{"path": path, "reason": reason} for path, reason in skipped[:room]]
    upload.skipped = [*upload.skipped, *listed]
    upload.n_skipped += len(skipped)


def complete(session: Session, upload: Upload, n_shards: int | None = None, partial: bool = False) -> None:
    """Say that no more will come to a locked upload. Repeating it is harmless.

    Args:
        n_shards: How many there are; numbers 0 to n_shards - 1 must have come.
        partial: Finish with what arrived.
    Raises:
        IncompleteUpload: Shards are missing.
        Invalid: Neither n_shards nor partial.
        Conflict: More shards have come than n_shards.
    """
    if upload.state == UploadState.COMPLETE:
        return
    if not partial:
        _check_whole(session, upload, n_shards)
    upload.state = UploadState.COMPLETE
    upload.completed_at = db_now()
    session.flush()


def _check_whole(session: Session, upload: Upload, n_shards: int | None) -> None:
    if n_shards is None or n_shards < 0:
        raise Invalid(
            "Expected `n_shards` (how many shards were sent), or `partial: true` to finish with what arrived."
        )
    present = set(session.scalars(select(Shard.seq).where(Shard.upload_id == upload.id)))
    n_missing = n_shards - sum(seq < n_shards for seq in present)
    if n_missing:  # counted by what has come: `n_shards` may be any number
        missing = list(islice((seq for seq in range(n_shards) if seq not in present), MAX_MISSING_LISTED))
        raise IncompleteUpload(
            f"{n_missing} of {n_shards} shards have not arrived, the first is {missing[0]}. Send them, or send"
            " `partial: true`.",
            missing=missing,
        )
    if extra := [seq for seq in present if seq >= n_shards]:
        raise Conflict(
            f"{n_shards} shards were announced (0 to {n_shards - 1}), but number {max(extra)} arrived as well."
        )


def list_files(session: Session, upload: Upload, cursor: str | None, limit: int) -> Page[Image]:
    """The images that the server has, in the order of the upload."""
    after = decode_cursor(cursor, int)[0] if cursor else -1
    query = select(Image).where(Image.upload_id == upload.id, Image.ordinal > after).order_by(Image.ordinal)
    items = list(session.scalars(query.limit(limit + 1)))
    return Page(items[:limit], encode_cursor(items[limit - 1].ordinal) if len(items) > limit else None)


def find_inactive(session: Session, inactive_s: float) -> list[UUID]:
    """Incomplete uploads that nothing was added to for this time: they will not be completed."""
    query = select(Upload.uuid).where(
        Upload.state == UploadState.RECEIVING, Upload.deleted_at.is_(None), Upload.received_at < db_now(-inactive_s)
    )
    return list(session.scalars(query))
