"""The versions that a field offers: a list of hundreds would be useless."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models.registry import find_in_use
from core.orm.models import ModelVersion

NEWEST = 30


@dataclass(frozen=True)
class VersionChoices:
    """Versions, newest first, and how many there are that are not among them."""

    versions: list[ModelVersion]
    n_more: int

    @property
    def ids(self) -> list[int]:
        """Their numbers."""
        return [version.id for version in self.versions]


def offer_versions(
    session: Session,
    *chosen: int | None,
    networks: Collection[str] | None = None,
    limit: int | None = NEWEST,
) -> VersionChoices:
    """The newest versions, the one in use, and those that are chosen already, however old.

    Args:
        chosen: Numbers of versions that have to be among them, where they exist; None is passed over.
        networks: Only versions of these.
        limit: How many of the newest; None for all.
    """
    there = [ModelVersion.deleted_at.is_(None)]
    if networks is not None:
        there.append(ModelVersion.network.in_(networks))
    query = select(ModelVersion).where(*there)
    newest = session.scalars(query.order_by(ModelVersion.id.desc()).limit(limit)).all()
    also = {find_in_use(session), *chosen} - {None, *(version.id for version in newest)}
    older = session.scalars(query.where(ModelVersion.id.in_(also))).all() if also else []
    n = session.scalars(select(func.count()).select_from(ModelVersion).where(*there)).one()
    versions = [*newest, *sorted(older, key=lambda version: -version.id)]
    return VersionChoices(versions, n - len(versions))
