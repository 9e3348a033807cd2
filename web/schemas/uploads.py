"""Uploads, their shards and files, and whole archives."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints
from typing_extensions import TypeAliasType

from core.base.states import UploadState
from core.uploads.usage import PersonUsage
from web.schemas.common import Input, Model, Name, NetworkOrNumber, Share, Text
from web.schemas.jobs import JobOut

DISCARD = "Delete the originals once they are classified; labels and previews are kept"


class UploadIn(Input):
    name: Name = Field("", description="Shown to users; usually the name of the folder")
    labelled: bool = Field(False, description="Folder names (cats/, dogs/) are labels")
    for_training: bool = Field(
        False, description="The labels count once its owner or an admin trains on it, not when the upload is complete"
    )
    discard_originals: bool = Field(False, description=DISCARD)


class CompleteIn(Input, json_schema_extra={"examples": [{"n_shards": 4}]}):
    n_shards: int | None = Field(None, ge=0, le=2**31 - 1, description="How many shards were sent, numbered from 0")
    partial: bool = Field(False, description="Finish with the files that have arrived")


class ArchiveQuery(Input):
    name: Name = ""
    id: UUID | None = Field(None, description="The id of both the upload and the job; default: a new one")
    model: NetworkOrNumber | None = None
    threshold: Share | None = None
    labelled: bool = False
    discard_originals: bool = Field(False, description=DISCARD)
    names: Annotated[str, StringConstraints(max_length=40)] | None = Field(
        None, description="Encoding of names that do not say it, such as cp932; default: guessed from all names"
    )
    everything: bool = Field(
        False, description="Take what systems and tools leave behind as well: recycle bins, caches, sidecar files, …"
    )


class ImportIn(Input):
    source: Text = Field(description="The path of a folder of the server, or `s3://bucket/prefix` (`gs://`, `az://`)")
    id: UUID | None = Field(None, description="The id of both the upload and the job; default: a new one")
    model: Model | None = Field(
        None, description="A version number or the name of a network; default: the version in use"
    )
    threshold: Share | None = Field(None, description="Images below this confidence are marked unsure")
    name: Name | None = Field(None, description="Of the job; default: the name of the folder")
    labelled: bool = Field(False, description="Folder names (cats/, dogs/) are labels")


Originals = TypeAliasType("Originals", Literal["kept", "to be discarded", "being discarded", "discarded"])


class Skipped(BaseModel):
    path: str
    reason: str


class SkippedOut(BaseModel):
    """What was skipped in an archive: how many entries, how many for each reason, the first few."""

    n: int
    by_reason: dict[str, int]
    first: list[Skipped]


class ArchiveJobOut(JobOut):
    """The job of an archive that was received."""

    skipped: SkippedOut


class Limits(BaseModel):
    """The limits of one shard and of one upload, and what is left of your quota (null: no limit)."""

    max_files: int
    max_bytes: int
    max_image_bytes: int
    max_upload_bytes: int
    bytes_left: int | None
    images_left: int | None


class UploadOut(BaseModel):
    id: UUID
    name: str
    labelled: bool
    for_training: bool
    state: UploadState
    n_shards: int
    n_images: int
    n_bytes: int
    n_skipped: int
    skipped: list[Skipped]
    created_at: datetime
    completed_at: datetime | None
    originals: Originals
    limits: Limits


class FolderLabelsOut(BaseModel):
    """`n_labels`: how many labels of the upload's folders count, or counted before they were withdrawn."""

    n_labels: int


class ShardOut(BaseModel):
    seq: int
    n_images: int
    n_bytes: int
    sha256: str


class FileOut(BaseModel):
    image_id: int
    path: str
    n_bytes: int
    sha256: str


class FilePage(BaseModel):
    items: list[FileOut]
    next: str | None


class ShardPage(BaseModel):
    items: list[ShardOut]
    next: str | None


class UsageOut(BaseModel):
    """What a person's uploads use, deleted ones until they are removed for good, and the quota (null: no limit)."""

    n_bytes: int
    n_images: int
    max_bytes: int | None
    max_images: int | None

    @classmethod
    def of(cls, used: PersonUsage) -> Self:
        """The usage of a person, as `core.uploads.usage` reads it."""
        quota = used.quota
        return cls(n_bytes=used.n_bytes, n_images=used.n_images, max_bytes=quota.n_bytes, max_images=quota.n_images)
