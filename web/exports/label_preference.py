"""Whose label an export uses: the model's, a person's, or the person's where there is one."""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum

from core.base.network_catalog import CLASSES
from core.jobs.confidence import UNSURE
from core.jobs.results import ResultRow


class By(StrEnum):
    """The label to use: the model's, the person's, or the person's and otherwise the model's."""

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
        said: The model's label, the person's label or None, and how many pictures have both, from
            `core.jobs.navigation.count_by_label`.
    Returns:
        Always the classes and, except for persons' labels, `unsure`; then all other labels that people gave. Pictures
        without such a label are not counted.
    """
    found: Counter[str | None] = Counter()
    for predicted, human, n in said:
        found[{By.MODEL: predicted, By.PERSON: human, By.FINAL: human or predicted}[by]] += n
    always = CLASSES if by == By.PERSON else (*CLASSES, UNSURE)
    others = sorted(name for name in found if name is not None and name not in always)
    return {name: found[name] for name in (*always, *others)}
