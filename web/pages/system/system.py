"""The System page for admins: problems with remedies, workers, queues, servers, durations.

It queries every server at the time of the request, needs no JavaScript, and shows no passwords in addresses.
"""

from collections import Counter
from dataclasses import dataclass
from typing import cast

from apiflask import APIFlask
from flask import Blueprint, current_app, render_template

from core.accounts.rights import Right
from core.base.errors import PawsortError
from core.labels import counts
from core.models import registry
from core.operations import metrics, pauses, status
from core.operations.metrics import MetricsSnapshot, Timing
from core.operations.status import BrokerStatus, InstallationStatus, SlowChunk
from core.orm.jobs import Job
from web.http.context import Services, get_services
from web.http.rights import needs
from web.pages.system.troubles import Trouble, find_troubles

pages = Blueprint("system_pages", __name__)

SHOWN = 10
SHARE = 0.95
STAGES = ("wait", "read", "decode", "predict", "record")


@dataclass(frozen=True)
class SystemSnapshot:
    """The state of the installation at one moment.

    Attributes:
        store_error: The error of the blob store; None if it responds.
        free_bytes: Free space on the disk of the blob store, if it has one.
    """

    installation: InstallationStatus
    broker: BrokerStatus | None
    at_work: dict[int, Job]
    slow: list[SlowChunk]
    failed: list[Job]
    measured: MetricsSnapshot
    store_error: str | None
    free_bytes: int | None


@pages.get("/system")
@needs(Right.SYSTEM)
def show_system() -> str:
    """Whether everything works, and which worker does what."""
    services = get_services()
    services.meter.flush(services.db)
    snapshot = _take_snapshot(services)
    own = cast(APIFlask, current_app).version
    with services.db.read() as session:
        paused_since = pauses.find_pause(session)
        in_use = registry.get_any(session, registry.find_in_use(session))
        trained = None if in_use is None else registry.find_trained(session, in_use)
        n_new = counts.count_since_training(session, in_use.id if in_use else None)
    return render_template(
        "system/system.html",
        in_use=in_use,
        trained=trained,
        n_new=n_new,
        paused_since=paused_since,
        snapshot=snapshot,
        troubles=_troubles(services, snapshot, own),
        queues=status.QUEUES,
        n_alive=Counter(worker.queue for worker in snapshot.installation.workers),
        version=own,
        addresses=_addresses(services),
        stages=_stages(snapshot.measured),
        routes=_slowest_routes(snapshot.measured),
        n_lost=snapshot.measured.total(metrics.LEASES),
        n_requeued=snapshot.measured.total(metrics.REQUEUED),
        share=SHARE,
    )


def _take_snapshot(services: Services) -> SystemSnapshot:
    with services.db.read() as session:
        installation = status.read_status(session, services.settings)
        at_work = status.list_at_work(session)
        slow, failed = status.list_slow(session, SHOWN), status.list_failed(session, SHOWN)
        measured = MetricsSnapshot(session)
    broker = status.read_broker_status(services.settings)
    store_error = _find_store_error(services)
    return SystemSnapshot(
        installation, broker, at_work, slow, failed, measured, store_error, services.blobs.free_bytes()
    )


def _find_store_error(services: Services) -> str | None:
    try:
        services.blobs.ping()
    except PawsortError as error:
        return error.message
    return None


def _troubles(services: Services, snapshot: SystemSnapshot, own: str) -> list[Trouble]:
    return list(
        find_troubles(
            snapshot.installation,
            snapshot.broker,
            store_error=snapshot.store_error,
            free_bytes=snapshot.free_bytes,
            min_free_bytes=services.settings.min_free_bytes,
            own_version=own,
        )
    )


def _addresses(services: Services) -> dict[str, str]:
    settings = services.settings
    return {
        "database": _without_password(settings.sql_url),
        "broker": _without_password(settings.redis_url),
        "blobs": _without_password(settings.store_url),
    }


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.partition('?')[0].rpartition('@')[2]}"


def _stages(measured: MetricsSnapshot) -> list[tuple[str, Timing]]:
    found = {timed.labels["stage"]: timed for timed in measured.times(metrics.STAGES)}
    return [(stage, found[stage]) for stage in STAGES if stage in found]


def _slowest_routes(measured: MetricsSnapshot) -> list[tuple[str, Timing]]:
    timed = sorted(measured.times(metrics.ANSWERS), key=lambda one: one.mean_s, reverse=True)
    return [(f"{one.labels['method']} {one.labels['route']}", one) for one in timed[:SHOWN]]
