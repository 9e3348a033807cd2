"""Claiming the chunk whose turn it is, with its network loaded before the lease begins, and releasing it."""

import structlog

from core.base.errors import BadWeights
from core.jobs import chunks, fair_share, job_states
from core.jobs.chunks import Claim
from core.jobs.fair_share import Candidate, Lane
from worker.process.keep_trying import keep_trying
from worker.process.runtime import Runtime

log = structlog.get_logger()

ROUNDS = 3  # in each, another worker claimed what was ready


def claim_next(runtime: Runtime, lane: Lane = Lane.MAIN) -> Claim | None:
    """Claim a chunk for this process; None if nothing is ready, or others were faster each time.

    Args:
        lane: Which chunks come into question.
    """
    worker_id = runtime.heartbeat.worker_id if runtime.heartbeat else None
    for _ in range(ROUNDS):
        with runtime.db.read() as session:
            candidates = fair_share.list_candidates(session, lane)
        for candidate in candidates:
            if not _load_network(runtime, candidate):
                continue
            with runtime.db.write() as session:
                claim = fair_share.claim(session, candidate, worker_id, runtime.settings.lease_s, lane)
            if claim is not None:
                return claim
        if not candidates:
            return None
    return None


def release(runtime: Runtime, claim: Claim, after_s: float = 0.0) -> None:
    """Release a chunk as if it had not been claimed; tried again while the database is away.

    Args:
        after_s: How long it is not claimed again.
    """

    def write() -> None:
        with runtime.db.write() as session:
            chunks.release_chunk(session, claim, pause_s=after_s)

    keep_trying(write)


def _load_network(runtime: Runtime, candidate: Candidate) -> bool:
    """Load the network of a job. If it cannot be used, the job fails; after any other error, others go first."""
    try:
        runtime.classifier(candidate.model_version_id)
    except BadWeights as error:
        with runtime.db.write() as session:
            job_states.fail_job(session, candidate.job_id, error.message)
        log.error("version_unusable", version=candidate.model_version_id, reason=error.message)
        return False
    except Exception:  # a full disk or a device without memory must not keep other jobs waiting
        log.exception("version_not_loaded", version=candidate.model_version_id)
        return False
    return True
