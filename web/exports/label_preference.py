"""Whose label decides in what is taken away."""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum

from core.base.network_catalog import CLASSES
from core.jobs.confidence import UNSURE
from core.jobs.results import ResultRow


class By(StrEnum):
    """Whose label decides: the model's, the person's, or the person's where there is one."""

    MODEL = "model"
    PERSON = "person"
    FINAL = "final"


LABEL_BY: dict[By, Callable[[ResultRow], str | None]] = {
    By.MODEL: lambda row: row.label,
    By.PERSON: lambda row: row.human_label,
    By.FINAL: lambda row: row.final_label,
}


def count_by(by: By, said: Iterable[tuple[str, str | None, int]]) -> dict[str, int]:
    """How many pictures have each label.

    Args:
        said: The model's label, people's or None, and how many pictures have both; `count_by_label`.
    Returns:
        The classes and `unsure` always, whatever else people said after them; without those that have no such label.
    """
    found: Counter[str | None] = Counter()
    for called, word, n in said:
        found[{By.MODEL: called, By.PERSON: word, By.FINAL: word or called}[by]] += n
    always = CLASSES if by == By.PERSON else (*CLASSES, UNSURE)
    others = sorted(name for name in found if name is not None and name not in always)
    return {name: found[name] for name in (*always, *others)}
