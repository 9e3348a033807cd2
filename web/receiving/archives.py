"""Unpack an archive while it is received: its files fill shards, and each full shard is stored, recorded and queued.

    body ─► read_archive ─► [files the upload does not have yet] ─► pack ─► store_shard, one by one ─► complete

Upload and job are created at the first file, so a body that is no archive leaves nothing behind. An error after that
carries the id of the job: complete files are kept. The upload can be completed, or the archive sent again.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from core.base.errors import PawsortError
from core.formats.archives import ArchiveError, File, SkippedEntry, read_archive
from core.formats.shard_packing import PackedShard, pack
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.ingest.shard_storage import disk_full
from core.jobs import classify_jobs
from core.uploads import shards, uploads
from web.http.context import Services
from web.receiving.shards import store_shard

LISTED = 1000

Item = File | SkippedEntry


@dataclass(frozen=True)
class ArchiveOptions:
    """How an archive is uploaded and classified; None leaves model and threshold to the server."""

    name: str = ""
    model: str | None = None
    threshold: float | None = None
    labelled: bool = False
    discard_originals: bool = False


class ArchiveReceiver:
    """Receives one archive into one upload. Upload and job have the same id."""

    def __init__(self, services: Services, uuid: UUID, options: ArchiveOptions, user_id: int) -> None:
        self._services = services
        self._uuid = uuid
        self._options = options
        self._user_id = user_id
        self._known: set[tuple[str, bytes]] = set()
        self._known_skipped: set[str] = set()
        self._next_seq = 0
        self._is_labelled = False

    def receive(self, read: Callable[[int], bytes]) -> None:
        """Read the whole body.

        Raises:
            ArchiveError: The body is no archive, has no file in it, or is damaged.
            Conflict, NotFound, Gone, TooLarge, DiskFull: As the functions of core that store it.
        """
        settings = self._services.settings
        items = read_archive(read, max_image_bytes=settings.max_image_bytes, max_upload_bytes=settings.max_upload_bytes)
        begun = _until_first_file(items)
        self._create()
        try:
            for packed in pack(self._only_new(chain(begun, items))):
                self._store(packed)
            self._complete()
        except OSError as error:
            raise disk_full(error) from error
        except PawsortError as error:
            error.details |= {"job": str(self._uuid), "upload": str(self._uuid)}
            raise

    def _create(self) -> None:
        options, services = self._options, self._services
        name = options.name or "Untitled"
        with services.db.write() as session:
            upload = uploads.create_upload(
                session, self._uuid, self._user_id, name, options.labelled, options.discard_originals
            )
            _, chunk_ids = classify_jobs.create_classify_job(
                session,
                self._uuid,
                self._uuid,
                self._user_id,
                model=options.model,
                threshold=options.threshold,
                name=name,
                default_threshold=services.settings.threshold,
            )
            self._next_seq = shards.next_seq(session, upload)
            self._is_labelled = upload.labelled
        services.tasks.send_chunks(chunk_ids)
        if self._next_seq > 0:
            self._list_known_files()

    def _list_known_files(self) -> None:
        """List the files of an earlier request with this id, so that they are not stored twice."""
        cursor: str | None = None
        while True:
            with self._services.db.read() as session:
                upload = uploads.get_upload(session, self._uuid)
                page = uploads.list_files(session, upload, cursor, LISTED)
            self._known.update((image.path, _mark(image.sha256, image.declared_bytes)) for image in page.items)
            self._known_skipped = {one["path"] for one in upload.skipped}
            cursor = page.next
            if cursor is None:
                return

    def _only_new(self, items: Iterator[Item]) -> Iterator[Item]:
        for item in items:
            if isinstance(item, SkippedEntry):
                if item.path not in self._known_skipped:
                    yield item
            elif not self._known or (item.path, _mark_of(item)) not in self._known:
                yield item

    def _store(self, packed: PackedShard) -> None:
        if packed.shard:
            with packed.shard as tar:
                index = index_shard(tar.read, max_image_bytes=self._services.settings.max_image_bytes)
                tar.seek(0)
                store_shard(self._services, self._uuid, self._next_seq, index, tar, self._is_labelled)
            self._next_seq += 1
        if packed.skipped:
            with self._services.db.write() as session:
                upload = uploads.get_upload(session, self._uuid, lock=True)
                uploads.add_skipped(session, upload, [(one.path, one.reason) for one in packed.skipped])

    def _complete(self) -> None:
        with self._services.db.write() as session:
            shard_rows.complete_upload(session, self._uuid, self._next_seq)


def _until_first_file(items: Iterator[Item]) -> list[Item]:
    """Everything up to the first file.

    Raises:
        ArchiveError: There is no file.
    """
    begun: list[Item] = []
    for item in items:
        begun.append(item)
        if isinstance(item, File):
            return begun
    skipped = [{"path": one.path, "reason": one.reason} for one in begun[:LISTED] if isinstance(one, SkippedEntry)]
    what = f"; {len(begun)} entries were skipped, the first is {skipped[0]['reason']}" if skipped else ""
    raise ArchiveError(f"The archive contains no file{what}. Nothing was stored.", skipped=skipped)


def _mark_of(file: File) -> bytes:
    return _mark(hashlib.sha256(file.data or b"").digest(), file.n_bytes if file.data is None else None)


def _mark(sha256: bytes, declared_bytes: int | None) -> bytes:
    """Identifies a content; a file that was too large to store is known by its size only."""
    return sha256 if declared_bytes is None else b"%d" % declared_bytes
