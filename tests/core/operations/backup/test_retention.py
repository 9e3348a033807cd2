"""Which backups stay."""

from core.operations.backup.retention import find_superfluous

NAMES = [
    "20260105T030000Z",  # Monday
    "20260106T030000Z",
    "20260111T030000Z",  # Sunday of the same week
    "20260112T030000Z",
    "20260113T030000Z",
    "20260113T150000Z",
]


def test_the_newest_of_each_day_and_week_stays() -> None:
    assert find_superfluous(NAMES, n_days=2, n_weeks=0) == NAMES[4::-1][0:1] + NAMES[2::-1]
    assert find_superfluous(NAMES, n_days=1, n_weeks=2) == [NAMES[4], NAMES[3], NAMES[1], NAMES[0]]


def test_the_newest_backup_always_stays() -> None:
    assert find_superfluous(NAMES, n_days=0, n_weeks=0) == NAMES[-2::-1]
    assert find_superfluous([], n_days=1, n_weeks=1) == []
