"""A cascade: a light network answers where it is sure, an accurate one for the other images."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.arrays.image_arrays import Images
from model.inference.predictions import Predictions


def ask_teacher(
    own: Predictions, images: Images, limit: float, predict: Callable[[Images], Predictions]
) -> Predictions:
    """The predictions of both networks together.

    Features stay those of the light network, so that all of them are of one body.

    Args:
        own: Of the light network.
        images: The images.
        limit: The confidence from which it answers itself, 0 to 1.
        predict: The accurate network; it is asked about no image, too, which shows the grid of its evidence.
    """
    is_doubtful = own.probabilities.max(axis=1, initial=0.0) < limit
    answers = predict(images[is_doubtful])
    return own._replace(
        probabilities=_replace_rows(own.probabilities, is_doubtful, answers.probabilities),
        evidence=_join_evidence(own.evidence, is_doubtful, answers.evidence),
        by_teacher=is_doubtful,
    )


def _join_evidence(
    own: NDArray[np.float32] | None, is_doubtful: NDArray[np.bool_], answers: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    """Both in the finer grid of the accurate network."""
    if own is None or answers is None:
        return None
    return _replace_rows(enlarge(own, answers.shape[1]), is_doubtful, answers)


def enlarge(evidence: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Evidence in another grid: each cell gets the value of the one at its middle.

    Args:
        evidence: float32 (N, H, H).
        side: Of the new grid.
    Returns:
        float32 (N, side, side).
    """
    nearest = ((np.arange(side) + 0.5) * evidence.shape[1] / side).astype(int)
    return evidence[:, nearest[:, None], nearest[None, :]]


def _replace_rows(rows: NDArray[Any], where: NDArray[np.bool_], others: NDArray[Any]) -> NDArray[Any]:
    together = rows.copy()
    together[where] = others
    return together
