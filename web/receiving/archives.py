"""Unpack an archive while it is received: its files fill shards, and each full shard is stored, recorded and queued.

    body ─► read_archive ─► [files the upload does not have yet] ─► pack ─► store_shard, one by one ─► complete

Upload and job are created at the first file, so a body that is no archive leaves nothing behind. An error after that
carries the id of the job: complete files are kept. The upload can be completed, or the archive sent again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

from core.accounts.rights import Actor
from core.base.errors import BlobMissing, PawsortError
from core.formats.archives.entries import ArchiveError, File, Item, SkippedEntry
from core.formats.archives.reading import read_archive
from core.formats.ignored_names import kind_of_path
from core.formats.shard_packing import PackedShard, ShardPacker
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.ingest.shard_storage import disk_full
from core.jobs import classify_jobs
from core.uploads import shards, stored_images, uploads
from web.http.auth import check_again
from web.http.context import Services
from web.receiving.shards import store_shard
from web.server.malloc import trim_memory

LISTED = 1000
FIRST_SKIPPED = 10
MOST_REASONS = 20


@dataclass(frozen=True)
class ArchiveOptions:
    """How an archive is uploaded and classified; None leaves model, threshold and encoding of names to the server."""

    name: str = ""
    file_name: str = ""
    names: str | None = None
    model: str | None = None
    threshold: float | None = None
    labelled: bool = False
    discard_originals: bool = False
    everything: bool = False


@dataclass
class SkippedSummary:
    """What was skipped in an archive."""

    n: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    first: list[SkippedEntry] = field(default_factory=list)

    def add(self, entry: SkippedEntry) -> None:
        self.n += 1
        if entry.reason in self.by_reason or len(self.by_reason) < MOST_REASONS:
            self.by_reason[entry.reason] += 1
        if len(self.first) < FIRST_SKIPPED:
            self.first.append(entry)


class ArchiveReceiver:
    """Receives one archive into one upload. Upload and job have the same id."""

    def __init__(self, services: Services, uuid: UUID, options: ArchiveOptions, actor: Actor) -> None:
        self._services = services
        self._uuid = uuid
        self._options = options
        self._actor = actor
        self._known: set[tuple[str, bytes]] = set()
        self._known_skipped: set[str] = set()
        self._next_seq = 0
        self._is_labelled = False
        self._packer = ShardPacker(services.blobs.open_file)
        self.skipped = SkippedSummary()

    def receive(self, read: Callable[[int], bytes]) -> None:
        """Read the whole body.

        Raises:
            ArchiveError: The body is no archive, has no file in it, or is damaged.
            Conflict, NotFound, Gone, TooLarge, DiskFull: As the functions of core that store it.
        """
        try:
            self._receive(read)
        except OSError as error:
            raise disk_full(error) from error
        finally:
            trim_memory()

    def _receive(self, read: Callable[[int], bytes]) -> None:
        settings, options = self._services.settings, self._options
        items = read_archive(
            read,
            max_image_bytes=settings.max_image_bytes,
            max_upload_bytes=settings.max_upload_bytes,
            name=options.file_name or options.name,
            names=options.names,
            find_file=self._find_file,
            everything=options.everything,
        )
        begun = _until_first_file(items)
        self._create()
        try:
            for packed in self._packer.pack(self._only_new(chain(begun, items))):
                self._store(packed)
            self._complete()
        except PawsortError as error:
            error.details |= {"job": str(self._uuid), "upload": str(self._uuid)}
            raise

    def _create(self) -> None:
        options, services = self._options, self._services
        name = options.name or "Untitled"
        with services.db.write() as session:
            upload = uploads.create_upload(
                session, self._actor, self._uuid, name, options.labelled, options.discard_originals
            )
            _, chunk_ids = classify_jobs.create_classify_job(
                session,
                self._actor,
                self._uuid,
                self._uuid,
                model=options.model,
                threshold=options.threshold,
                name=name,
                default_threshold=services.settings.threshold,
            )
            self._next_seq = shards.next_seq(session, upload)
            self._is_labelled = upload.labelled
        services.tasks.wake_inference(len(chunk_ids))
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
                if item.path in self._known_skipped:
                    self.skipped.add(item)
                else:
                    yield item
            elif not self._known or (item.path, _mark_of(item)) not in self._known:
                yield item

    def _store(self, packed: PackedShard) -> None:
        if packed.shard:
            with packed.shard as tar:
                check_again()  # files of a body that broke off are kept, but not those of somebody who was shut out
                index = index_shard(tar.read, max_image_bytes=self._services.settings.max_image_bytes)
                tar.seek(0)
                store_shard(self._services, self._uuid, self._next_seq, index, tar, self._is_labelled, self._actor)
            self._next_seq += 1
        for entry in packed.skipped:  # the second of two files of one path among them
            self.skipped.add(entry)
        if packed.skipped:
            with self._services.db.write() as session:
                upload = uploads.get_upload(session, self._uuid, lock=True)
                uploads.add_skipped(session, upload, [(one.path, one.reason) for one in packed.skipped])

    def _find_file(self, path: str) -> File | None:
        """Find a file that a hard link repeats: in the shard that is being filled, else in the store."""
        if file := self._packer.find(path):
            return file
        with self._services.db.read() as session:
            found = stored_images.find_content(session, self._uuid, path)
        if found is None:
            return None
        key, image = found
        if image.declared_bytes is not None:
            return File(path, None, image.declared_bytes)
        try:
            data = self._services.blobs.get_range(key, image.offset, image.n_bytes)
        except BlobMissing:  # classified and discarded meanwhile
            return None
        return File(path, data, image.n_bytes)

    def _complete(self) -> None:
        with self._services.db.write() as session:
            shard_rows.complete_upload(session, self._actor, self._uuid, self._next_seq)


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
    what = f"; {_entries(len(begun))} skipped, the first is {skipped[0]['reason']}" if skipped else ""
    raise ArchiveError(f"The archive contains no file{what}. Nothing was stored.{_advice(begun)}", skipped=skipped)


def _advice(begun: list[Item]) -> str:
    is_left_out = any(isinstance(one, SkippedEntry) and kind_of_path(one.path) == one.reason for one in begun)
    return " To take what systems and tools leave behind as well, upload it with everything=1." if is_left_out else ""


def _entries(n: int) -> str:
    return "1 entry was" if n == 1 else f"{n:,} entries were"


def _mark_of(file: File) -> bytes:
    return _mark(file.digest(), file.n_bytes if file.data is None else None)


def _mark(sha256: bytes, declared_bytes: int | None) -> bytes:
    """Identifies a content; a file that was too large to store is known by its size only."""
    return sha256 if declared_bytes is None else b"%d" % declared_bytes
