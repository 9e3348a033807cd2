"""Heat maps: where in a picture the network saw the class it names. Written with each result, one byte a place."""

from dataclasses import dataclass
from math import isqrt

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.base.network_catalog import CLASSES
from core.orm.jobs import Job
from core.orm.results import Result


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Where a picture speaks for a class.

    Attributes:
        class_name: The class whose probability is larger, even if another label is shown.
        rows: A square of places, from the top, each row from the left: 0, does not speak for the class, to 255, speaks
            for it most in this picture.
    """

    class_name: str
    rows: list[list[int]]


def find_heatmap(session: Session, job: Job, image_id: int) -> Heatmap | None:
    """The heat map of one image in a job; None where the version draws none, or the image failed."""
    row = session.execute(
        select(Result.class_index, Result.heat).where(Result.job_id == job.id, Result.image_id == image_id)
    ).one_or_none()
    if row is None or row.heat is None:
        return None
    side = isqrt(len(row.heat))
    places = list(row.heat)
    return Heatmap(CLASSES[row.class_index], [places[start : start + side] for start in range(0, side * side, side)])
