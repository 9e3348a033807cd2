"""Moments of the API as tables show them."""


def shorten(moment: str | None) -> str:
    """2026-11-29T03:00:00+01:00 -> "2026-11-29 03:00 +01:00"; empty if there is none."""
    if moment is None:
        return ""
    offset = moment[19:].lstrip(".0123456789")
    return f"{moment[:10]} {moment[11:16]} {'UTC' if offset in ('Z', '+00:00') else offset}"
