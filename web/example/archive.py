"""The drawings of the example as a tar, as a person would upload them."""

from pathlib import Path
from typing import BinaryIO

from core.formats.shards import ShardBuilder

NAME = "Example"
FOLDER = Path(__file__).parent / "drawings"


def list_drawings() -> list[Path]:
    """The files of the drawings, in their order."""
    return sorted(FOLDER.glob("*.jpg"))


def build_tar() -> BinaryIO:
    """A tar of all drawings; the caller closes it."""
    builder = ShardBuilder()
    for file in list_drawings():
        data = file.read_bytes()
        builder.add(f"{NAME}/{file.name}", len(data), [data])
    return builder.finish()
