"""The rows of the list of versions: each with its accuracy next to that of the version in use, on the same pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.evaluation import decoding_change, version_comparison
from core.evaluation.version_comparison import PairCounts
from core.labels import counts
from core.models import registry
from core.orm.models import ModelVersion
from web.pages.models.card import ModelCard


@dataclass(frozen=True)
class VersionRow:
    """A version in the list.

    Attributes:
        pair: The version in use (first) and this one (second) on the pictures that both were evaluated on; None if
            there are none.
        is_outdated: Whether it was evaluated with older decoding rules.
    """

    card: ModelCard
    is_in_use: bool
    is_shipped: bool
    n_new: int
    pair: PairCounts | None
    is_outdated: bool


def list_rows(session: Session, versions: Sequence[ModelVersion], in_use: int | None) -> list[VersionRow]:
    """The rows of these versions."""
    ids = [version.id for version in versions]
    n_new = counts.count_since_each(session, ids)
    pairs = {} if in_use is None else version_comparison.count_pairs(session, in_use, ids)
    outdated = decoding_change.find_outdated(session, ids)
    return [
        VersionRow(
            card=ModelCard(version, teacher=registry.find_teacher(session, version)),
            is_in_use=version.id == in_use,
            is_shipped=registry.is_shipped(version),
            n_new=n_new[version.id],
            pair=pairs.get(version.id),
            is_outdated=version.id in outdated,
        )
        for version in versions
    ]
