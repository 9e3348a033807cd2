"""Uploads: sets of images as people sent them. They grow shard by shard until they are complete, then never change.

Every function that changes an upload locks its row first, so shards that arrive together queue up for the moment that
writing their rows takes.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, insert, select, update
from sqlalchemy.orm import Session

from core.base.clock import db_now
from core.base.database import change, insert_or, locked
from core.base.errors import Conflict, Gone, Invalid, NotFound, TooLarge
from core.base.paging import Page, decode_cursor, encode_cursor
from core.base.states import UploadState
from core.formats.shards import MAX_FILES, Entry, ShardIndex
from core.orm.uploads import Image, Shard, Upload

MAX_SEQ = 2**31 - 1
MAX_SKIPPED_LISTED = 1000
MAX_MISSING_LISTED = 1000


class IncompleteUpload(Conflict):
    """Shards are missing; `details["missing"]` has the first of their numbers."""


def create_upload(
    session: Session, uuid: UUID, user_id: int | None, name: str, labelled: bool = False, discards: bool = False
) -> Upload:
    """Create an upload under the caller's id; repeating it is harmless.

    Args:
        labelled: Folders' names are labels.
        discards: Its originals go as soon as they are classified (core/cleanup/discard_originals.py).
    Raises:
        Gone: The id belonged to an upload that was deleted.
        Invalid: Both were asked for.
    """
    if labelled and discards:
        raise Invalid(
            "Expected either labelled pictures or originals that are discarded: a model can only learn from pictures"
            " that are kept. Leave one of both out."
        )
    upload = session.scalar(select(Upload).where(Upload.uuid == uuid))
    if upload is not None:
        return _alive(upload)
    row = {"uuid": uuid, "user_id": user_id, "name": name, "labelled": labelled, "discards": discards}
    added = insert_or(session, Upload).values(row).on_conflict_do_nothing(index_elements=["uuid"]).returning(Upload)
    return session.scalar(added) or get_upload(session, uuid)  # another request with the same id was faster


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
    """Refuse what needs the pictures as they were sent.

    Raises:
        Conflict: They were discarded.
    """
    if upload.discarded_at is not None:
        raise Conflict(
            f"The originals of upload {upload.uuid} were discarded on {upload.discarded_at:%Y-%m-%d} after they had"
            " been classified, as was asked for when they were sent. Labels and small pictures are kept. To classify"
            " them again, send them again."
        )


def find_shard(session: Session, upload: Upload, seq: int) -> Shard | None:
    """The shard with this number, if it has come."""
    return session.scalar(select(Shard).where(Shard.upload_id == upload.id, Shard.seq == seq))


def check_takes_shard(session: Session, uuid: UUID, seq: int, n_bytes: int, max_upload_bytes: int) -> Upload:
    """Whether it is worth reading a shard's body at all; `add_shard` asks again under the lock.

    Raises:
        NotFound, Gone: The upload is not there.
        Conflict: The upload is complete and this shard is none of it.
        Invalid: The number is out of range.
        TooLarge: The upload would pass `max_upload_bytes`.
    """
    upload = get_upload(session, uuid)
    _check_seq(seq)
    if upload.state == UploadState.COMPLETE and find_shard(session, upload, seq) is None:
        raise _takes_no_more(upload, seq)
    _check_bytes(upload, upload.n_bytes, n_bytes, max_upload_bytes)
    return upload


def _check_seq(seq: int) -> None:
    if not 0 <= seq <= MAX_SEQ:
        raise Invalid(f"Shard number: expected 0 to {MAX_SEQ}, got {seq}.")


def _takes_no_more(upload: Upload, seq: int) -> Conflict:
    return Conflict(
        f"Upload {upload.uuid} is complete and takes no further shards; {seq} is none of its. Start a new upload."
    )


def _check_bytes(upload: Upload, n_bytes: int, n_more: int, max_upload_bytes: int) -> None:
    if n_bytes + n_more > max_upload_bytes:
        raise TooLarge(
            f"Upload {upload.uuid} has {n_bytes} bytes; {n_more} more would pass the limit of"
            f" {max_upload_bytes} bytes (PAWSORT_MAX_UPLOAD_BYTES). Send the rest as another upload."
        )


def add_shard(
    session: Session, uuid: UUID, seq: int, index: ShardIndex, blob_key: str, max_upload_bytes: int
) -> tuple[Upload, Shard] | None:
    """Record a stored shard: its row and its images.

    Counting the upload up locks it, and is undone by an error together with the whole transaction: no statement is
    spent on locking and looking first.

    Returns:
        The upload, now locked, and the shard; or None when the same bytes had come before under this number.
    Raises:
        Conflict: Another shard has this number, or the upload is complete.
        NotFound, Gone, Invalid, TooLarge: As `check_takes_shard`.
    """
    _check_seq(seq)
    upload = session.scalar(_grow(uuid, 1, len(index.entries), index.n_bytes).returning(Upload))
    if upload is None:
        upload = get_upload(session, uuid)  # says why
    shard = _insert(session, upload, seq, index, blob_key)
    if shard is None:
        change(session, _grow(uuid, -1, -len(index.entries), -index.n_bytes))
        session.expire(upload)
        known = find_shard(session, upload, seq)
        assert known is not None  # it was in the way, and stays while the upload is locked
        _check_is_same(known, uuid, seq, index)
        return None
    if upload.state == UploadState.COMPLETE:
        raise _takes_no_more(upload, seq)
    _check_bytes(upload, upload.n_bytes - index.n_bytes, index.n_bytes, max_upload_bytes)
    if index.entries:
        rows = [_image_row(upload, shard, position, entry) for position, entry in enumerate(index.entries)]
        session.execute(insert(Image), rows)
    return upload, shard


def _grow(uuid: UUID, n_shards: int, n_images: int, n_bytes: int) -> Update:
    grown = update(Upload).where(Upload.uuid == uuid, Upload.deleted_at.is_(None))
    return grown.values(
        n_shards=Upload.n_shards + n_shards,
        n_images=Upload.n_images + n_images,
        n_bytes=Upload.n_bytes + n_bytes,
        received_at=db_now(),
    ).execution_options(synchronize_session=False, populate_existing=True)


def _insert(session: Session, upload: Upload, seq: int, index: ShardIndex, blob_key: str) -> Shard | None:
    row = {
        "upload_id": upload.id,
        "seq": seq,
        "blob_key": blob_key,
        "sha256": index.sha256,
        "n_bytes": index.n_bytes,
        "n_images": len(index.entries),
    }
    added = insert_or(session, Shard).values(row).on_conflict_do_nothing(index_elements=["upload_id", "seq"])
    return session.scalar(added.returning(Shard))


def _check_is_same(known: Shard, uuid: UUID, seq: int, index: ShardIndex) -> None:
    if known.sha256 != index.sha256:
        raise Conflict(
            f"Shard {seq} of upload {uuid} has come before with other bytes"
            f" (SHA-256 {known.sha256.hex()}, now {index.sha256.hex()}). Send new files under a new number."
        )


def _image_row(upload: Upload, shard: Shard, position: int, entry: Entry) -> dict[str, Any]:
    return {
        "upload_id": upload.id,
        "shard_id": shard.id,
        "ordinal": shard.seq * MAX_FILES + position,
        "path": entry.path,
        "offset": entry.offset,
        "n_bytes": entry.n_bytes,
        "declared_bytes": entry.declared_bytes,
        "error_code": entry.error_code,
        "sha256": entry.sha256,
    }


def add_skipped(session: Session, upload: Upload, skipped: Sequence[tuple[str, str]]) -> None:
    """Note files of an archive that were not taken, with the reason; the first thousand are listed."""
    if not skipped:
        return
    room = max(MAX_SKIPPED_LISTED - len(upload.skipped), 0)
    listed = [{"path": path, "reason": reason} for path, reason in skipped[:room]]
    upload.skipped = [*upload.skipped, *listed]
    upload.n_skipped += len(skipped)


def complete_upload(session: Session, uuid: UUID, n_shards: int | None = None, partial: bool = False) -> Upload:
    """Say that no more will come. Repeating it is harmless.

    Args:
        n_shards: How many there are; numbers 0 to n_shards - 1 must have come.
        partial: Finish with what arrived.
    Raises:
        IncompleteUpload: Shards are missing.
        Invalid: Neither n_shards nor partial.
        Conflict: More shards have come than n_shards.
    """
    upload = get_upload(session, uuid, lock=True)
    if upload.state == UploadState.COMPLETE:
        return upload
    if not partial:
        _check_whole(session, upload, n_shards)
    upload.state = UploadState.COMPLETE
    upload.completed_at = db_now()
    session.flush()
    return upload


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
            f"{n_shards} shards were announced (0 to {n_shards - 1}), but number {max(extra)} has come as well."
        )


def list_files(session: Session, upload: Upload, cursor: str | None, limit: int) -> Page[Image]:
    """The images that the server has, in the order of the upload."""
    after = decode_cursor(cursor, int)[0] if cursor else -1
    query = select(Image).where(Image.upload_id == upload.id, Image.ordinal > after).order_by(Image.ordinal)
    items = list(session.scalars(query.limit(limit + 1)))
    return Page(items[:limit], encode_cursor(items[limit - 1].ordinal) if len(items) > limit else None)


def list_shards(session: Session, upload: Upload, cursor: str | None, limit: int) -> Page[Shard]:
    """The shards that the server has, by number."""
    after = decode_cursor(cursor, int)[0] if cursor else -1
    query = select(Shard).where(Shard.upload_id == upload.id, Shard.seq > after).order_by(Shard.seq)
    items = list(session.scalars(query.limit(limit + 1)))
    return Page(items[:limit], encode_cursor(items[limit - 1].seq) if len(items) > limit else None)


def next_seq(session: Session, upload: Upload) -> int:
    """The first shard number above all that have come."""
    highest = session.scalar(select(func.max(Shard.seq)).where(Shard.upload_id == upload.id))
    return 0 if highest is None else highest + 1


def find_silent(session: Session, silent_s: float) -> list[UUID]:
    """Uploads that began but have been silent for so long that nobody will complete them."""
    query = select(Upload.uuid).where(
        Upload.state == UploadState.RECEIVING, Upload.deleted_at.is_(None), Upload.received_at < db_now(-silent_s)
    )
    return list(session.scalars(query))
