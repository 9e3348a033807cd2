"""Thumbnails of large files, kept in the blob store, so that each is made once.

A photograph of a phone takes a tenth of a second to read, HEIC and raws several times as long. Small files are
decoded again each time: that is about as fast as a look into the store, and would double their space.
"""

from contextlib import suppress

from core.base.database import Database
from core.base.errors import BlobMissing, DiskFull, NotFound, Unavailable
from core.storage.blobs import Blobs, kept_thumbnail_key
from core.uploads import stored_images
from core.uploads.stored_images import StoredImage

ENCODING = "2"  # change it when thumbnails are made differently
MIN_FILE_BYTES = 256 * 1024
MAX_SHARE = 1 / 8  # of its file's bytes that a thumbnail may take


def find(blobs: Blobs, image: StoredImage, size_px: int) -> bytes | None:
    """The JPEG that was kept for this size, if there is one.

    Raises:
        Unavailable: The blob store does not answer.
    """
    if not _is_worth_keeping(image):
        return None
    try:
        return bytes(blobs.get(_key(image, size_px)))
    except BlobMissing:
        return None


def keep(db: Database, blobs: Blobs, image: StoredImage, size_px: int, jpeg: bytes) -> None:
    """Keep a JPEG for the next request, unless its file is small, its original is gone, or the store has no room."""
    if not _is_worth_keeping(image) or len(jpeg) > MAX_SHARE * image.n_bytes:
        return
    key = _key(image, size_px)
    with suppress(DiskFull, Unavailable, OSError):
        blobs.check_room(len(jpeg))
        blobs.put(key, jpeg)
        if _is_gone(db, image.image_id):
            blobs.delete([key])


def _is_worth_keeping(image: StoredImage) -> bool:
    return image.n_bytes >= MIN_FILE_BYTES and image.discarded_at is None


def _is_gone(db: Database, image_id: int) -> bool:
    """Whether the image was deleted, or its original discarded, while the thumbnail was made."""
    with db.read() as session:
        try:
            return stored_images.get_image(session, image_id).discarded_at is not None
        except NotFound:
            return True


def _key(image: StoredImage, size_px: int) -> str:
    return kept_thumbnail_key(image.upload_uuid, f"{image.ordinal}-{size_px}-{ENCODING}")
