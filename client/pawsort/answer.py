"""What every answer of a server has besides its fields."""

from typing import Any


class Answer:
    """An answer, or a part of one.

    Attributes:
        json: All of it as the server sent it, with fields that this client does not know.
    """

    __slots__ = ("json",)
    json: dict[str, Any]
