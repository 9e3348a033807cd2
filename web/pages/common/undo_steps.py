"""What a person has labelled so far with plain forms, for undo without JavaScript. It is part of the address."""

from dataclasses import dataclass
from uuid import UUID

from web.http.paths import image_id

SKIPPED = "skip"
MAX_STEPS = 40


@dataclass(frozen=True)
class UndoSteps:
    """The pictures labelled or skipped so far: image and key of the label, or `skip`; oldest first."""

    entries: tuple[tuple[int, str], ...] = ()

    @classmethod
    def from_text(cls, text: str) -> "UndoSteps":
        """Read the format of `text`; invalid parts are ignored."""
        return cls(tuple(entry for step in text.split() if (entry := _read(step)) is not None))

    @property
    def text(self) -> str:
        """The steps as text, for a hidden field and the address."""
        return " ".join(f"{image_id}:{key}" for image_id, key in self.entries[-MAX_STEPS:])

    def plus(self, image_id: int, key: str) -> "UndoSteps":
        """These steps and one more."""
        return UndoSteps((*self.entries, (image_id, key)))

    def without_last(self) -> "UndoSteps":
        """These steps without the last one."""
        return UndoSteps(self.entries[:-1])


def _read(step: str) -> tuple[int, str] | None:
    image, _, key = step.partition(":")
    try:
        return image_id(image), key if key == SKIPPED else str(UUID(key))
    except ValueError:
        return None
