"""How many pictures of a review queue each reviewer gets.

One who is alone gets as many as they want, but leaves a few for the next reviewer. Where few are left for several, each
gets an equal share, and is asked to release what is over it: only they know what they have not begun.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.base import leases
from core.orm.review import ReviewClaim
from core.review.review_queue import Position, ReviewItem, ReviewQueue, claims_of, find_candidates

RESERVE = 10


@dataclass(frozen=True)
class OtherReviewers:
    """How many others hold pictures now, and how many pictures these are."""

    n: int
    n_held: int


@dataclass(frozen=True)
class Portion:
    """Pictures for a reviewer to claim, and those of theirs that should go to others."""

    candidates: list[ReviewItem]
    surplus: list[int]


def find_others(session: Session, queue: ReviewQueue, reviewer: UUID) -> OtherReviewers:
    """The other reviewers of a queue."""
    active = leases.is_current(ReviewClaim.lease_until) & (ReviewClaim.reviewer != reviewer)
    active &= ReviewClaim.skipped_at.is_(None)
    counted = select(func.count(ReviewClaim.reviewer.distinct()), func.count()).where(claims_of(queue), active)
    return OtherReviewers(*session.execute(counted).one())


def find_portion(
    session: Session,
    queue: ReviewQueue,
    reviewer: UUID,
    others: OtherReviewers,
    *,
    wanted: int,
    after: Position | None,
    holding: Sequence[int],
    skipped: Sequence[int],
) -> Portion:
    """Choose what a reviewer gets who wants more pictures.

    Args:
        after: As in `find_candidates`.
        holding: What they hold; the last ones should be released first.
    """
    if not wanted and not others.n:
        return Portion([], [])
    # Twice as many as they would hold, to see whether few are left.
    n = 2 * (wanted + len(holding)) + len(skipped) + RESERVE
    left_out, held = set(skipped), set(holding)
    found = [one for one in find_candidates(session, queue, reviewer, after, n) if one.image_id not in left_out]
    share = _share(len(found), others)
    is_open = {picture.image_id for picture in found}
    mine = [image_id for image_id in holding if image_id in is_open]
    new = [picture for picture in found if picture.image_id not in held]
    candidates = new[: max(0, min(wanted, share - len(mine)))]
    return Portion(candidates, mine[share:] if others.n else [])


def _share(n_open: int, others: OtherReviewers) -> int:
    """How many pictures one reviewer may hold, if so many are free or theirs."""
    if others.n:
        return math.ceil((n_open + others.n_held) / (others.n + 1))
    return n_open - min(RESERVE, n_open // 4)
