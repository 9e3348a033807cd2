"""Moments as tables show them."""

from datetime import datetime


def shorten(moment: datetime | None) -> str:
    """Return such as "2026-11-29 03:00 +01:00", or "… UTC"; empty if there is none."""
    if moment is None:
        return ""
    offset = moment.isoformat()[-len("+01:00") :] if moment.utcoffset() else "UTC"
    return f"{moment:%Y-%m-%d %H:%M} {offset}"
