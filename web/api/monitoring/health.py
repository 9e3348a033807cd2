"""Health checks for monitoring, without login: alive and ready."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response, jsonify
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.base.errors import BrokerFull, PawsortError, Unavailable
from core.messaging.broker import INFERENCE, check_broker
from core.operations import workers
from web.api.monitoring.metrics import may_see_details
from web.http.context import Services, get_services
from web.http.delivery.answer_cache import KEEP_S
from web.http.openapi.schemas import also_answers
from web.http.rights import public
from web.schemas.operations import AliveOut, ReadyOut

TAG = {
    "name": "Health",
    "description": "For monitoring, without a login",
}
api = APIBlueprint("health", __name__, tag=TAG)

UNREADY_S = 1.0

log = structlog.get_logger("web")


@api.get("/healthz")
@public
@api.output(AliveOut)
def check_alive() -> AliveOut:
    """Whether this process responds"""
    return AliveOut(status="ok")


@api.get("/readyz")
@public
@api.output(ReadyOut, description="Everything responds")
@api.doc(responses={503: also_answers(ReadyOut, "Something does not respond; `checks` says what")})
def check_ready() -> Response:
    """Whether database, broker and blob store respond and an inference worker is alive

    Where the operator has set a token for monitoring, others see `status` alone.
    """
    services = get_services()
    answer = services.answers.get("ready", lambda: _check_all(services), _keep_s)
    shown = answer if may_see_details(services.settings) else {"status": answer["status"]}
    response = jsonify(shown)
    response.status_code = 200 if answer["status"] == "ok" else 503
    return response


def _check_all(services: Services) -> dict[str, Any]:
    checks = {name: _sentence(name, check) for name, check in _checks(services).items()}
    is_ready = all(sentence == "ok" for sentence in checks.values())
    return {"status": "ok" if is_ready else "not ready", "checks": checks, "devices": _devices(services)}


def _keep_s(answer: dict[str, Any]) -> float:
    return KEEP_S if answer["status"] == "ok" else UNREADY_S  # a start is seen soon


def _devices(services: Services) -> dict[str, list[str]]:
    """The devices of the workers that are alive, by queue; empty if the database does not respond."""
    found: dict[str, set[str]] = {}
    with suppress(SQLAlchemyError), services.db.read() as session:
        for worker in workers.list_alive(session, services.settings.alive_s):
            found.setdefault(worker.queue, set()).add(worker.device)
    return {queue: sorted(devices) for queue, devices in sorted(found.items())}


def _checks(services: Services) -> dict[str, Callable[[], object]]:
    def ping_broker() -> None:
        check_broker(services.settings)

    def find_worker() -> None:
        with services.db.read() as session:
            if workers.count_alive(session, INFERENCE, services.settings.alive_s) == 0:
                raise PawsortError("No inference worker is alive. Start one with `pawsort up` or `celery worker`.")

    return {
        "database": services.db.ping,
        "broker": ping_broker,
        "blobs": services.blobs.ping,
        "inference_worker": find_worker,
    }


def _sentence(name: str, check: Callable[[], object]) -> str:
    try:
        check()
    except BrokerFull as error:
        return error.message
    except (
        Unavailable,
        RedisError,
        SQLAlchemyError,
        OSError,
        ValueError,
    ) as error:  # the message of a server is not for everyone
        log.warning("not ready", check=name, error=str(error))
        return (
            f"The {name.replace('_', ' ')} does not respond ({type(error).__name__}). Run `pawsort doctor` for details."
        )
    except PawsortError as error:
        return error.message
    return "ok"
