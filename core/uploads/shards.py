"""The shards of an upload: checking what arrives, and writing its rows.

Every function that changes an upload locks its row first, so shards that arrive together queue up for the moment that
writing their rows takes.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, insert, select, update
from sqlalchemy.orm import Session

from core.accounts.people import check_still_acts, still_acts
from core.accounts.rights import Actor, check_owner
from core.base.clock import db_now
from core.base.database import change, insert_or
from core.base.errors import Conflict, Invalid, TooLarge
from core.base.paging import Page, decode_cursor, encode_cursor
from core.base.states import UploadState
from core.formats.shards import MAX_FILES, Entry, ShardIndex
from core.orm.uploads import Image, Shard, Upload
from core.uploads.uploads import get_upload

MAX_SEQ = 2**31 - 1


class ShardDigestMismatch(Conflict):
    """Other bytes were stored under this number."""


class CompleteUpload(Conflict):
    """The upload is complete and takes no further shards."""


def find_shard(session: Session, upload: Upload, seq: int) -> Shard | None:
    """The shard with this number, if it has come."""
    return session.scalar(select(Shard).where(Shard.upload_id == upload.id, Shard.seq == seq))


def check_takes_shard(
    session: Session, actor: Actor, uuid: UUID, seq: int, n_bytes: int, max_upload_bytes: int
) -> Upload:
    """Whether it is worth reading a shard's body at all; `add_shard` asks again under the lock.

    Raises:
        NotFound, Gone: The upload is not there.
        Forbidden: It is somebody else's.
        Conflict: The upload is complete and this shard is none of it.
        Invalid: The number is out of range.
        TooLarge: The upload would pass `max_upload_bytes`.
    """
    upload = get_upload(session, uuid)
    check_owner(actor, upload.user_id, f"upload {uuid}")
    _check_seq(seq)
    if upload.state == UploadState.COMPLETE and find_shard(session, upload, seq) is None:
        raise _takes_no_more(upload, seq)
    _check_bytes(upload, upload.n_bytes, n_bytes, max_upload_bytes)
    return upload


def _check_seq(seq: int) -> None:
    if not 0 <= seq <= MAX_SEQ:
        raise Invalid(f"Shard number: expected 0 to {MAX_SEQ}, got {seq}.")


def _takes_no_more(upload: Upload, seq: int) -> CompleteUpload:
    return CompleteUpload(
        f"Upload {upload.uuid} is complete and takes no further shards; {seq} is none of its. Start a new upload."
    )


def _check_bytes(upload: Upload, n_bytes: int, n_more: int, max_upload_bytes: int) -> None:
    if n_bytes + n_more > max_upload_bytes:
        raise TooLarge(
            f"Upload {upload.uuid} has {n_bytes} bytes; {n_more} more would pass the limit of"
            f" {max_upload_bytes} bytes. Send the rest as another upload."
        )


def add_shard(
    session: Session, actor: Actor, uuid: UUID, seq: int, index: ShardIndex, blob_key: str, max_upload_bytes: int
) -> tuple[Upload, Shard] | None:
    """Record a stored shard: its row and its images.

    Counting the upload up locks it, and is undone by an error together with the whole transaction: no statement is
    spent on locking and looking first.

    Returns:
        The upload, now locked, and the shard; or None when the same bytes had come before under this number.
    Raises:
        Conflict: Another shard has this number, or the upload is complete.
        Forbidden: The upload is somebody else's, or the actor has been disabled since the shard began to arrive.
        NotFound, Gone, Invalid, TooLarge: As `check_takes_shard`.
    """
    _check_seq(seq)
    grown = _grow(uuid, 1, len(index.entries), index.n_bytes).where(still_acts(actor))
    upload = session.scalar(grown.returning(Upload))
    if upload is None:
        check_still_acts(session, actor)
        upload = get_upload(session, uuid)  # says why
    check_owner(actor, upload.user_id, f"upload {uuid}")
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
        raise ShardDigestMismatch(
            f"Shard {seq} of upload {uuid} arrived before with other bytes"
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
