"""Uploads: create with the caller's id, send shards, list what has arrived, complete."""

from typing import Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from sqlalchemy.orm import Session

from core.accounts.rights import Right
from core.base.errors import NotFound
from core.base.states import UploadState
from core.cleanup import deletion, discard_originals
from core.formats.shards import MAX_BYTES, MAX_FILES, max_shard_bytes
from core.ingest import shard_rows
from core.labels import folder_labels
from core.orm.uploads import Upload
from core.uploads import shards, uploads, usage
from core.uploads.usage import Quota
from web.http.context import Services, get_services
from web.http.limits.at_once import Work, works
from web.http.openapi.files import file_body
from web.http.rights import current_actor, needs
from web.receiving.bodies import BodyReader
from web.receiving.shards import receive_shard
from web.schemas.common import PageQuery
from web.schemas.uploads import (
    CompleteIn,
    FileOut,
    FilePage,
    FolderLabelsOut,
    Limits,
    ShardOut,
    ShardPage,
    Skipped,
    UploadIn,
    UploadOut,
)

TAG = {
    "name": "Uploads",
    "description": "Folders, sent as shards or as one archive",
}
api = APIBlueprint("uploads", __name__, url_prefix="/api/v1/uploads", tag=TAG)


@api.put("/<uuid:upload_uuid>")
@needs(Right.SEND, own=True)
@api.input(UploadIn)
@api.output(UploadOut, status_code=201, description="Created")
@api.doc(responses={200: "It existed already"})
def create_upload(upload_uuid: UUID, json_data: UploadIn) -> tuple[UploadOut, int]:
    """Create an upload with an id chosen by the caller

    Repeating the call is harmless: the upload stays as it is.
    """
    services = get_services()
    with services.db.write() as session:
        try:
            uploads.get_upload(session, upload_uuid)
            status = 200
        except NotFound:
            status = 201
        wishes = (json_data.labelled, json_data.discard_originals, json_data.for_training)
        upload = uploads.create_upload(session, current_actor(), upload_uuid, json_data.name or "Untitled", *wishes)
        return view_upload(services, session, upload), status


@api.get("/<uuid:upload_uuid>")
@needs(Right.SEE)
@api.output(UploadOut)
def get_upload(upload_uuid: UUID) -> UploadOut:
    """State and counts of an upload"""
    services = get_services()
    with services.db.read() as session:
        return view_upload(services, session, uploads.get_upload(session, upload_uuid))


@api.delete("/<uuid:upload_uuid>")
@needs(Right.SEND, own=True)
@api.doc(responses={202: "Hidden at once; rows and files are deleted in the background", 409: "A job uses it"})
def delete_upload(upload_uuid: UUID) -> Response:
    """Delete an upload that no job uses

    Labels by people are kept; those of its folders are withdrawn. The upload of a job is deleted with the last job that
    uses it.
    """
    services = get_services()
    with services.db.write() as session:
        deletion.delete_upload(session, current_actor(), upload_uuid)
    services.tasks.send_purge()
    return Response(status=202)


@api.get("/<uuid:upload_uuid>/labels")
@needs(Right.SEE)
@api.output(FolderLabelsOut)
def count_folder_labels(upload_uuid: UUID) -> FolderLabelsOut:
    """How many labels that the folders of an upload gave count"""
    with get_services().db.read() as session:
        upload = uploads.get_upload(session, upload_uuid)
        return FolderLabelsOut(n_labels=folder_labels.count_counting(session, [upload.id]))


@api.delete("/<uuid:upload_uuid>/labels")
@needs(Right.LABEL, own=True)
@api.output(FolderLabelsOut)
def withdraw_folder_labels(upload_uuid: UUID) -> FolderLabelsOut:
    """Withdraw all labels that the folders of an upload gave

    Also those of a deleted upload. Labels by people stay, and so do labels by folders of other uploads. Repeating the
    call is harmless.
    """
    with get_services().db.write() as session:
        return FolderLabelsOut(n_labels=folder_labels.withdraw(session, current_actor(), upload_uuid))


@api.get("/<uuid:upload_uuid>/files")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(FilePage)
def list_files(upload_uuid: UUID, query_data: PageQuery) -> FilePage:
    """The files that have arrived, in the order of the upload"""
    with get_services().db.read() as session:
        upload = uploads.get_upload(session, upload_uuid)
        page = uploads.list_files(session, upload, query_data.cursor, query_data.limit)
        items = [
            FileOut(
                image_id=image.id,
                path=image.path,
                n_bytes=image.n_bytes if image.declared_bytes is None else image.declared_bytes,
                sha256=image.sha256.hex(),
            )
            for image in page.items
        ]
        return FilePage(items=items, next=page.next)


@api.get("/<uuid:upload_uuid>/shards")
@needs(Right.SEE)
@api.input(PageQuery, location="query")
@api.output(ShardPage)
def list_shards(upload_uuid: UUID, query_data: PageQuery) -> ShardPage:
    """Numbers and digests of the shards that have arrived"""
    with get_services().db.read() as session:
        upload = uploads.get_upload(session, upload_uuid)
        page = shards.list_shards(session, upload, query_data.cursor, query_data.limit)
        items = [
            ShardOut(seq=shard.seq, n_images=shard.n_images, n_bytes=shard.n_bytes, sha256=shard.sha256.hex())
            for shard in page.items
        ]
        return ShardPage(items=items, next=page.next)


@api.put("/<uuid:upload_uuid>/shards/<int:seq>")
@needs(Right.SEND, own=True)
@api.output(ShardOut, status_code=201, description="Stored")
@api.doc(
    responses={
        200: "The same bytes were stored before",
        409: "Other bytes were stored with this number, or the upload is complete",
        410: "The upload was deleted",
        413: "Too large, or more than your quota; the message states the limit",
        422: "The TAR is incomplete, or an entry is not allowed; the message states which",
        507: "The disk is nearly full",
    },
    extensions=file_body(),  # one type alone: two of a kind confuse openapi-python-client
)
@works(Work.UPLOAD)
def upload_shard(upload_uuid: UUID, seq: int) -> tuple[ShardOut, int]:
    """Upload one shard: a TAR of at most 256 files and 32 MiB, or of one larger file

    Links, devices and paths with `..` are refused. Send a file above the size limit empty, with its size in the pax key
    `PAWSORT.size`.
    """
    services = get_services()
    body = _shard_body(services)
    with services.db.read() as session:
        limit = services.settings.max_upload_bytes
        upload = shards.check_takes_shard(session, current_actor(), upload_uuid, seq, body.announced, limit)
    services.blobs.check_room(body.announced)
    added, index = receive_shard(services, upload_uuid, seq, body.read, upload.labelled, current_actor())
    shard = ShardOut(seq=seq, n_images=len(index.entries), n_bytes=index.n_bytes, sha256=index.sha256.hex())
    return shard, 201 if added.created else 200


@api.post("/<uuid:upload_uuid>/complete")
@needs(Right.SEND, own=True)
@api.input(CompleteIn)
@api.output(UploadOut)
@api.doc(responses={409: "Shards are missing; `missing` lists their numbers"})
def complete_upload(upload_uuid: UUID, json_data: CompleteIn) -> UploadOut:
    """Complete an upload: no more shards will follow

    With `partial`, complete it with the files that have arrived.
    """
    services = get_services()
    with services.db.write() as session:
        upload = shard_rows.complete_upload(
            session, current_actor(), upload_uuid, json_data.n_shards, json_data.partial
        )
        session.refresh(upload)
        return view_upload(services, session, upload)


def view_upload(services: Services, session: Session, upload: Upload) -> UploadOut:
    """An upload as the API shows it."""
    settings = services.settings
    used = usage.read_usage(session, current_actor().user_id, Quota.from_settings(settings))
    return UploadOut(
        id=upload.uuid,
        name=upload.name,
        labelled=upload.labelled,
        for_training=upload.for_training,
        state=UploadState(upload.state),
        n_shards=upload.n_shards,
        n_images=upload.n_images,
        n_bytes=upload.n_bytes,
        n_skipped=upload.n_skipped,
        skipped=[Skipped(**one) for one in upload.skipped],
        created_at=upload.created_at,
        completed_at=upload.completed_at,
        originals=_originals(session, upload),
        limits=Limits(
            max_files=MAX_FILES,
            max_bytes=MAX_BYTES,
            max_image_bytes=settings.max_image_bytes,
            max_upload_bytes=settings.max_upload_bytes,
            bytes_left=used.bytes_left,
            images_left=used.images_left,
        ),
    )


def _originals(session: Session, upload: Upload) -> Literal["kept", "to be discarded", "being discarded", "discarded"]:
    if upload.discarded_at is None:
        return "to be discarded" if upload.discards else "kept"
    return "discarded" if discard_originals.is_finished(session, upload) else "being discarded"


def _shard_body(services: Services) -> BodyReader:
    limit = max_shard_bytes(services.settings.max_image_bytes)
    return BodyReader(
        limit,
        f"Expected a shard of at most {limit} bytes: {MAX_FILES} files and {MAX_BYTES} bytes of content, or one file of"
        f" at most {services.settings.max_image_bytes} bytes. Split it into more shards.",
    )
