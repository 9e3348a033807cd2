"""Showing how an upload goes."""

from collections import Counter
from typing import Protocol


class UploadDisplay(Protocol):
    """Shows the progress of an upload. Counts are files, or bytes of an archive. Any thread may call it."""

    def show_ignored(self, counts: Counter[str]) -> None: ...
    def start_upload(self, name: str, total: int) -> None: ...
    def add_uploaded(self, count: int) -> None: ...


class NoDisplay:
    """Shows nothing."""

    def show_ignored(self, counts: Counter[str]) -> None:
        """Show nothing."""

    def start_upload(self, name: str, total: int) -> None:
        """Show nothing."""

    def add_uploaded(self, count: int) -> None:
        """Show nothing."""


NO_DISPLAY = NoDisplay()
