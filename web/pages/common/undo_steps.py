"""What a person has labelled so far with plain forms, for undo without JavaScript. It is part of the address."""

from dataclasses import dataclass
from uuid import UUID

SKIPPED = "skip"
MAX_STEPS = 40


@dataclass(frozen=True)
class UndoSteps:
    """The pictures labelled or skipped so far: image and key of the label, or `skip`; oldest first."""

    entries: tuple[tuple[int, str], ...] = ()

    @classmethod
    def from_text(cls, text: str) -> "UndoSteps":
        """Read the format of `text`; invalid parts are ignored."""
        parts = (step.partition(":") for step in text.split(" ") if step)
        return cls(tuple((int(image), key) for image, _, key in parts if image.isdecimal() and _is_key(key)))

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


def _is_key(text: str) -> bool:
    try:
        return text == SKIPPED or bool(UUID(text))
    except ValueError:
        return False
