"""What a job is started with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Options of a classification. `names` is the encoding of names in archives."""

    model: str | None = None
    threshold: float | None = None
    name: str | None = None
    discard_originals: bool = False
    names: str | None = None
    everything: bool = False

    @property
    def of_model(self) -> dict[str, Any]:
        """Those that say how pictures are classified, as far as they are given."""
        given = {"model": self.model, "threshold": self.threshold}
        return {name: value for name, value in given.items() if value is not None}


def name_of(paths: Sequence[Path]) -> str:
    """Return the default name of a job over these paths."""
    first = paths[0].resolve().name or "files"
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def shown_name(name: str) -> str:
    """Return the name as the server accepts it, whatever the file system allows."""
    return "".join(
        character if character.isprintable() else "?" for character in name.encode("utf-8", "replace").decode()
    )[:LONGEST_NAME]
