"""Moments in tables."""

from datetime import datetime

import pytest

from pawsort.commands.moments import shorten


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-11-29T03:00:00.123456Z", "2026-11-29 03:00 UTC"),
        ("2026-11-29T03:00:00+00:00", "2026-11-29 03:00 UTC"),
        ("2026-11-29T03:00:00+01:00", "2026-11-29 03:00 +01:00"),
        (None, ""),
    ],
)
def test_a_moment_is_shown_to_the_minute_with_its_zone(moment: str | None, shown: str) -> None:
    assert shorten(datetime.fromisoformat(moment) if moment else None) == shown
