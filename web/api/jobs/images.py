"""Images: thumbnails, which are decoded and encoded again, and originals, for download only."""

from functools import partial
from hashlib import sha256
from pathlib import PurePosixPath

from apiflask import APIBlueprint
from flask import Response

from core.accounts.audit_log import Action, record_hourly
from core.accounts.rights import Right
from core.base.errors import BlobMissing, NotFound, OriginalsGone
from core.cleanup import discard_originals
from core.uploads import kept_thumbnails, stored_images
from core.uploads.stored_images import StoredImage
from web.exports.names import attachment
from web.http.context import Services, get_services
from web.http.delivery.etags import answer_if_changed
from web.http.limits.at_once import Work, works
from web.http.openapi.files import download_answer, file_answer
from web.http.paths import IMAGE_ID
from web.http.rights import current_actor, needs
from web.http.thumbnails import PictureFile
from web.schemas.results import ThumbnailQuery

TAG = {
    "name": "Images",
    "description": "Thumbnails and original files",
}
api = APIBlueprint("images", __name__, url_prefix="/api/v1/images", tag=TAG)

SMALL = "small"


@api.get(f"/{IMAGE_ID}/thumbnail")
@needs(Right.SEE)
@api.input(ThumbnailQuery, location="query")
@api.doc(responses={200: file_answer("The picture", "image/jpeg"), 304: "Unchanged"})
@works(Work.THUMBNAIL)
def get_thumbnail(image_id: int, query_data: ThumbnailQuery) -> Response:
    """A thumbnail of a readable image as JPEG, with its proportions

    It is never larger than the image itself.
    """
    services = get_services()
    image = _find(image_id)
    if not image.is_readable:
        raise NotFound(f"Image {image_id} has no thumbnail: it is unreadable, or was not classified yet.")
    encoding = SMALL if image.thumbnails_key else kept_thumbnails.ENCODING
    tag = sha256(image.sha256 + f"{query_data.size}/{encoding}".encode()).hexdigest()[:32]

    def make_response() -> Response:
        jpeg = _get_or_make_thumbnail(services, image, query_data.size)
        return Response(jpeg, mimetype="image/jpeg")

    response = answer_if_changed(tag, make_response)
    # An id is never reused and its bytes never change. Private: the next user of this browser must log in first.
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


@api.get(f"/{IMAGE_ID}/original")
@needs(Right.SEE)
@api.doc(
    responses={
        200: download_answer("The file as uploaded", "application/octet-stream"),
        410: "It was discarded",
        507: "The disk of the database is full: downloads are recorded",
    }
)
@works(Work.DOWNLOAD)
def get_original(image_id: int) -> Response:
    """The original file, only as a download

    The audit log has an entry for the first one of an upload in each hour.
    """
    image = _find(image_id)
    if image.declared_bytes is not None:
        raise NotFound(
            f"Image {image_id} has no original: with {image.declared_bytes} bytes it was too large to upload."
        )
    if image.discarded_at is not None:
        raise OriginalsGone(f"The original of image {image_id} was discarded after classification, as requested.")
    services = get_services()
    data = services.blobs.get_range(image.blob_key, image.offset, image.n_bytes)
    upload, first = image.upload_uuid, image_id
    record_hourly(services.db, current_actor(), Action.EXPORT, "upload", upload, format="original", first_image=first)
    response = Response(data, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = attachment(PurePosixPath(image.path).name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'"
    return response


def _get_or_make_thumbnail(services: Services, image: StoredImage, size_px: int) -> bytes:
    jpeg = kept_thumbnails.find(services.blobs, image, size_px)
    if jpeg is None:
        jpeg = _make_thumbnail(services, image, size_px)
        kept_thumbnails.keep(services.db, services.blobs, image, size_px, jpeg)
    return jpeg


def _make_thumbnail(services: Services, image: StoredImage, size_px: int) -> bytes:
    try:
        return services.thumbnails.make(_file_of(services, image), size_px)
    except BlobMissing:
        found = _find(image.image_id)
        if found.thumbnails_key is None or image.thumbnails_key is not None:
            raise
        return _make_thumbnail(services, found, size_px)  # the original was discarded in the meantime


def _file_of(services: Services, image: StoredImage) -> PictureFile:
    """What to make a thumbnail from: the original, or the preview that replaced it."""
    key, offset, n_bytes = image.blob_key, image.offset, image.n_bytes
    if image.thumbnails_key is not None:
        key = image.thumbnails_key
        offset, n_bytes = discard_originals.find_thumbnail(services.blobs, key, image.ordinal)
    return PictureFile(n_bytes, partial(services.blobs.read_into, key, offset))


def _find(image_id: int) -> StoredImage:
    with get_services().db.read() as session:
        return stored_images.get_image(session, image_id)
