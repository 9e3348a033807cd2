"""A light version in front of an accurate one, as the registry knows them; there are no weights behind them."""

from typing import Any

from core.base.database import Database
from core.models import registry
from tests.support.factories import make_manifest

TEACHER, LIGHT = "efficientnet-lite0", "efficientnet-lite0-fast"
SIDE_PX = 224


def make_light_manifest(teacher_digest: str) -> dict[str, Any]:
    """The manifest of a light version that answers itself from a confidence of 0.97."""
    return make_manifest(LIGHT) | {"side_px": SIDE_PX, "cascade": {"teacher": teacher_digest, "limit": 0.97}}


def use_light_version(db: Database) -> tuple[int, int]:
    """Add both and put the light one into use; returns the numbers of the light and the accurate one."""
    teacher = make_manifest(TEACHER) | {"side_px": SIDE_PX}
    with db.write() as session:
        registry.register_shipped(session, [make_light_manifest(teacher["digest"]), teacher])
        light, accurate = (registry.find_version(session, name).id for name in (LIGHT, TEACHER))
        registry.promote(session, light)
    return light, accurate
