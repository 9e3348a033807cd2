"""For those who watch: alive, ready, and a few figures for Prometheus. Without login."""

from collections.abc import Callable, Iterable, Iterator

import structlog
from apiflask import APIBlueprint
from flask import Response, jsonify
from redis.exceptions import RedisError
from sqlalchemy import Select, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core import workers
from core.broker import INFERENCE, MAINTENANCE, TRAINING, check_broker
from core.errors import PawsortError, Unavailable
from core.orm import ACTIVE_STATES, Chunk, ChunkState, Job, JobState
from web.api.docs import file_answer
from web.auth import public
from web.services import Services, get_services

api = APIBlueprint("health", __name__, tag="Health")

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = structlog.get_logger("web")


@api.get("/healthz")
@public
def show_alive() -> Response:
    """Whether this process answers"""
    return jsonify({"status": "ok"})


@api.get("/readyz")
@public
@api.doc(responses={200: "Everything answers", 503: "Something does not answer; `checks` says what"})
def show_ready() -> tuple[Response, int]:
    """Whether database, broker and blob store answer and an inference worker is alive"""
    checks = {name: _sentence(name, check) for name, check in _checks(get_services()).items()}
    is_ready = all(sentence == "ok" for sentence in checks.values())
    return jsonify({"status": "ok" if is_ready else "not ready", "checks": checks}), 200 if is_ready else 503


@api.get("/metrics")
@public
@api.doc(responses={200: file_answer("Prometheus text format", "text/plain")})
def show_metrics() -> Response:
    """Jobs, chunks and workers, counted in SQL"""
    with get_services().db.read() as session:
        text = "\n".join(metric_lines(session)) + "\n"
    return Response(text, content_type=METRICS_TYPE)


def metric_lines(session: Session) -> Iterator[str]:
    """The lines of the Prometheus text format; every state is there, also with 0."""
    jobs = select(Job.state, func.count()).where(Job.deleted_at.is_(None)).group_by(Job.state)
    yield from _gauge("pawsort_jobs", "Jobs, by state.", "state", _counts(session, jobs, JobState))
    # What is done is left out: counting it would read every chunk that ever was.
    open_states = (ChunkState.READY, ChunkState.RUNNING)
    is_open = Chunk.state.in_(open_states) & Job.deleted_at.is_(None) & Job.state.in_(ACTIVE_STATES)
    chunks = select(Chunk.state, func.count()).join(Job, Job.id == Chunk.job_id).where(is_open).group_by(Chunk.state)
    counts = _counts(session, chunks, open_states)
    yield from _gauge("pawsort_chunks", "Chunks of active jobs, by state.", "state", counts)
    alive = {queue: workers.count_alive(session, queue) for queue in (INFERENCE, TRAINING, MAINTENANCE)}
    yield from _gauge("pawsort_workers_alive", "Workers that beat within the last 15 s, by queue.", "queue", alive)


def _counts(session: Session, query: Select[str, int], states: Iterable[str]) -> dict[str, int]:
    counted = {row[0]: row[1] for row in session.execute(query)}
    return {str(state): counted.get(state, 0) for state in states}


def _gauge(name: str, help_text: str, label: str, values: dict[str, int]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} gauge"
    for value, n in values.items():
        yield f'{name}{{{label}="{value}"}} {n}'


def _checks(services: Services) -> dict[str, Callable[[], object]]:
    def ping_broker() -> None:
        check_broker(services.settings)

    def find_worker() -> None:
        with services.db.read() as session:
            if workers.count_alive(session, INFERENCE) == 0:
                raise PawsortError("No inference worker is alive. Start one: `pawsort up`, or `celery worker`.")

    return {
        "database": services.db.ping,
        "broker": ping_broker,
        "blobs": services.blobs.ping,
        "inference_worker": find_worker,
    }


def _sentence(name: str, check: Callable[[], object]) -> str:
    try:
        check()
    except (Unavailable, RedisError, SQLAlchemyError, OSError, ValueError) as error:  # what servers say is not for all
        log.warning("not ready", check=name, error=str(error))
        return f"The {name.replace('_', ' ')} does not answer ({type(error).__name__}). `pawsort doctor` says more."
    except PawsortError as error:
        return error.message
    return "ok"
