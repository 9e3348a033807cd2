"""Which backups to keep: the newest of each of the last days and weeks that have one."""

from collections.abc import Callable, Iterable
from datetime import datetime

from core.operations.backup.backup_folder import NAME


def find_superfluous(names: Iterable[str], n_days: int, n_weeks: int) -> list[str]:
    """The backups that neither the last `n_days` days nor the last `n_weeks` weeks need; the newest one always stays.

    Args:
        names: Of backups, as `BackupFolder` names them.
        n_days: For so many days with a backup, the newest of each is kept.
        n_weeks: The same for weeks, which begin on Monday.
    """
    newest_first = sorted(names, reverse=True)
    kept = set(newest_first[:1])
    kept |= _newest_of_each(newest_first, n_days, lambda made_at: made_at.date())
    kept |= _newest_of_each(newest_first, n_weeks, lambda made_at: made_at.isocalendar()[:2])
    return [name for name in newest_first if name not in kept]


def _newest_of_each(newest_first: list[str], n: int, period_of: Callable[[datetime], object]) -> set[str]:
    newest: dict[object, str] = {}
    for name in newest_first:
        newest.setdefault(period_of(datetime.strptime(name, NAME)), name)  # noqa: DTZ007 - all in UTC
    return set(list(newest.values())[:n])
