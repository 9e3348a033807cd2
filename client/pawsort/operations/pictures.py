"""Pictures: thumbnails and originals."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pawsort.api.calls import Call, Flow, ask
from pawsort.api.operation import AsyncGroup, Group, Operation
from pawsort.operations.references import ImageReference, image_id

Size = Literal[128, 256, 512, 1024, 2048, 4096]
JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a file. A notebook shows it."""

    data: bytes

    def save(self, file: Path | str) -> None:
        """Write it to a file."""
        Path(file).write_bytes(self.data)

    def __repr__(self) -> str:
        return f"Picture({len(self.data):,} bytes)"

    def _repr_jpeg_(self) -> bytes | None:
        return self.data if self.data.startswith(JPEG) else None

    def _repr_png_(self) -> bytes | None:
        return self.data if self.data.startswith(PNG) else None


class PictureOperations:
    """Pictures of results, by the result or the image id."""

    @Operation
    def thumbnail(self, image: ImageReference, size: Size = 256) -> Flow[Picture]:
        """Return a JPEG of a readable picture, upright, whose longest side has at most `size` pixels."""
        return Picture((yield from ask(Call(bytes, "GET", f"/images/{image_id(image)}/thumbnail", {"size": size}))))

    @Operation
    def original(self, image: ImageReference) -> Flow[Picture]:
        """Return the file as it was uploaded."""
        return Picture((yield from ask(Call(bytes, "GET", f"/images/{image_id(image)}/original"))))


class Pictures(PictureOperations, Group):
    """Pictures of results, by the result or the image id."""


class AsyncPictures(PictureOperations, AsyncGroup):
    """Pictures of results, by the result or the image id."""
