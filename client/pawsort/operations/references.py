"""How operations name a job or a picture: by its id, or by an object that has one."""

from typing import Protocol, TypeAlias
from uuid import UUID, uuid4


class HasId(Protocol):
    """A job, or a handle of one."""

    @property
    def id(self) -> str: ...


class HasImageId(Protocol):
    """A result, a file of an upload, a picture to review."""

    @property
    def image_id(self) -> int: ...


JobReference: TypeAlias = HasId | UUID | str
ImageReference: TypeAlias = HasImageId | int


def job_id(job: JobReference) -> str:
    """Return the id of a job."""
    return str(job) if isinstance(job, str | UUID) else job.id


def image_id(image: ImageReference) -> int:
    """Return the id of an image."""
    return image if isinstance(image, int) else image.image_id


def new_id() -> str:
    """Choose an id. Chosen by the client, so that repeating a request is harmless."""
    return str(uuid4())
