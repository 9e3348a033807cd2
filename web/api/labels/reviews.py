"""Review of a job or an audit: each picture is handed out to one reviewer at a time."""

from dataclasses import asdict
from uuid import UUID

from apiflask import APIBlueprint

from core.accounts.rights import Right
from core.jobs.progress import describe
from core.review import portions, review_queue
from core.review.review_queue import ReviewQueue
from web.http.context import get_services
from web.http.rights import needs
from web.schemas.review import PictureOut, ProgressOut, ReviewIn, ReviewOut

TAG = {
    "name": "Review",
    "description": "Pictures for reviewers, and audits, which measure how often the model is right",
}
api = APIBlueprint("reviews", __name__, url_prefix="/api/v1/jobs", tag=TAG)


@api.get("/<uuid:job_uuid>/review")
@needs(Right.SEE)
@api.output(ProgressOut)
def get_review_progress(job_uuid: UUID) -> ProgressOut:
    """Progress of the review of a job"""
    services = get_services()
    with services.db.read() as session:
        job = review_queue.open_queue(session, job_uuid, None).job
        return ProgressOut(**asdict(services.reviews.measure(session, job, describe(session, job))))


@api.post("/<uuid:job_uuid>/review")
@needs(Right.LABEL)
@api.input(ReviewIn)
@api.output(ReviewOut)
def claim_pictures(job_uuid: UUID, json_data: ReviewIn) -> ReviewOut:
    """Get pictures to review, and reserve them for two minutes

    Unsure pictures come first, then those with a label, then those that are probably neither; of each, the closest to
    the threshold first.

    Repeat the call at least every minute with the pictures you still hold. Label them with `POST /labels`. Where few
    pictures are left, some stay free for others, and `surplus` names those of yours that others should get.
    """
    db = get_services().db
    with db.read() as session:
        queue = review_queue.open_queue(session, job_uuid, json_data.audit)
    if json_data.leaving:
        with db.write() as session:
            review_queue.release(session, queue, json_data.reviewer)
        return ReviewOut(items=[], holding=[], surplus=[], n_others=0, n_skipped=None)
    if json_data.again:
        with db.write() as session:
            review_queue.restore_skipped(session, queue)
    return _hand_out(queue, json_data)


def _hand_out(queue: ReviewQueue, asked: ReviewIn) -> ReviewOut:
    db, reviewer = get_services().db, asked.reviewer
    with db.read() as session:
        others = portions.find_others(session, queue, reviewer)
        portion = portions.find_portion(
            session,
            queue,
            reviewer,
            others,
            wanted=asked.wanted,
            after=asked.after,
            holding=asked.holding,
            skipped=asked.skipped,
        )
        candidates = portion.candidates
        n_skipped = review_queue.count_skipped(session, queue) if len(candidates) < asked.wanted else None
    with db.write() as session:
        ids = [picture.image_id for picture in candidates]
        own = review_queue.claim_pictures(session, queue, reviewer, asked.holding, asked.skipped, ids)
    return ReviewOut(
        items=[PictureOut.from_picture(picture) for picture in candidates if picture.image_id in own],
        holding=[image_id for image_id in asked.holding if image_id in own],
        surplus=[image_id for image_id in portion.surplus if image_id in own],
        n_others=others.n,
        n_skipped=n_skipped,
    )
