"""Uploads: files on their way to the server. `classify` and `train` of the client make these calls."""

from typing import Any, BinaryIO, Unpack

from pawsort.api.calls import NOTHING, Call, Stream, page, pages
from pawsort.api.operation import AsyncGroup, Group, Listing, Operation
from pawsort.operations.references import new_id
from pawsort.schemas import ArchiveJob, File, FolderLabels, ImportInput, Job, Shard, Upload, UploadInput


class UploadOperations:
    """Uploads, file by file or as archives."""

    @Operation
    def create(self, id: str, **options: Unpack[UploadInput]) -> Call[Upload]:
        """Create an upload under an id of your own. Repeating it is harmless."""
        return Call(Upload, "PUT", f"/uploads/{id}", json=options)

    @Operation
    def get(self, upload: str) -> Call[Upload]:
        """Return an upload with its state and counts."""
        return Call(Upload, "GET", f"/uploads/{upload}")

    @Operation
    def put_shard(self, upload: str, seq: int, tar: bytes) -> Call[Shard]:
        """Upload one tar of at most 256 files and 32 MiB, or of one larger file."""
        return Call(Shard, "PUT", f"/uploads/{upload}/shards/{seq}", content=tar, content_type="application/x-tar")

    @Operation
    def complete(self, upload: str, n_shards: int | None = None) -> Call[Upload]:
        """Complete an upload: no more files will follow. Without a number, with the shards that have arrived."""
        body = {"partial": True} if n_shards is None else {"n_shards": n_shards}
        return Call(Upload, "POST", f"/uploads/{upload}/complete", json=body)

    @Operation
    def delete(self, upload: str) -> Call[None]:
        """Delete an upload that no job uses."""
        return Call(NOTHING, "DELETE", f"/uploads/{upload}")

    @Listing
    def files(self, upload: str) -> Stream[File]:
        """Iterate over the files that have arrived, in the order of the upload."""
        return pages(File, f"/uploads/{upload}/files")

    @Listing
    def shards(self, upload: str) -> Stream[Shard]:
        """Iterate over the shards that have arrived."""
        return pages(Shard, f"/uploads/{upload}/shards")

    @Operation
    def put_archive(
        self,
        id: str,
        body: BinaryIO,
        *,
        name: str | None = None,
        model: str | int | None = None,
        threshold: float | None = None,
        labelled: bool | None = None,
        discard_originals: bool | None = None,
        names: str | None = None,
        everything: bool | None = None,
    ) -> Call[ArchiveJob]:
        """Upload an archive, and classify it while it is received.

        Args:
            id: The id of both the upload and the job.
            names: Encoding of names that do not say it, such as cp932.
        """
        options = {"labelled": labelled, "discard_originals": discard_originals, "everything": everything}
        query = {"id": id, "name": name, "model": model, "threshold": threshold, "names": names, **options}
        return Call(ArchiveJob, "PUT", "/archives", query, content=body)

    @Operation
    def import_folder(self, **options: Unpack[ImportInput]) -> Call[Job]:
        """Classify a `source` that the server reads itself: a path of the server, or `s3://bucket/prefix`."""
        return Call(Job, "POST", "/imports", json={"id": new_id(), **options})

    @Operation
    def count_labels(self, upload: str) -> Call[FolderLabels]:
        """Return how many labels of the upload's folders count."""
        return Call(FolderLabels, "GET", f"/uploads/{upload}/labels")

    @Operation
    def withdraw_labels(self, upload: str) -> Call[FolderLabels]:
        """Withdraw all labels that the upload's folders gave. Labels by people are kept."""
        return Call(FolderLabels, "DELETE", f"/uploads/{upload}/labels")


def files_page(upload: str | None, cursor: str | None) -> Call[dict[str, Any]]:
    """One page of an upload's files, in the order of the upload."""
    return page(f"/uploads/{upload}/files", cursor)


class Uploads(UploadOperations, Group):
    """Uploads, file by file or as archives."""


class AsyncUploads(UploadOperations, AsyncGroup):
    """Uploads, file by file or as archives."""
