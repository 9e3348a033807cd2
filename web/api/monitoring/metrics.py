"""`/metrics` for Prometheus: gauges read from the tables, and counters that all processes add up there.

Every web process therefore answers for the whole installation. Names and labels are finite: routes instead of URLs,
known methods, known codes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hmac import compare_digest
from time import perf_counter

from apiflask import APIBlueprint, APIFlask
from flask import Response, g, request

from core.base.config import Settings
from core.base.errors import ErrorCode
from core.messaging.broker import INFERENCE, TRAINING
from core.operations import metrics, status
from core.operations.metrics import Meter, MetricsSnapshot
from core.orm.operations import Worker
from web.http.context import Services, get_services
from web.http.openapi.files import file_answer
from web.http.problems import problem
from web.http.rights import public

api = APIBlueprint("metrics", __name__, tag="Health")

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
NO_ROUTE = "none"  # for URLs that match no route

Sample = tuple[Mapping[str, str], float]

# Counters with their label and its known values, which are reported as 0 from the start.
COUNTERS = {
    metrics.IMAGES: ("Images classified, good or with an error code.", "outcome", ("good", *ErrorCode)),
    metrics.CHUNKS: (
        "Chunks that workers finished, by outcome.",
        "outcome",
        ("done", "failed", "dropped", "store_away"),
    ),
    metrics.LEASES: (
        "Leases that ran out because a worker stopped sending heartbeats.",
        "queue",
        (INFERENCE, TRAINING),
    ),
    metrics.REQUEUED: ("Messages sent again, by reason.", "reason", ("waiting", "lease_ran_out", "training")),
    metrics.REQUESTS: ("HTTP requests, by route, method and status.", "", ()),
}
TIMES = {
    metrics.STAGES: "Seconds in each stage of a chunk: wait, read, decode, predict, record.",
    metrics.ANSWERS: "Seconds until a response begins, by route and method.",
}


@api.get("/metrics")
@public
@api.doc(responses={200: file_answer("Prometheus text format", "text/plain"), 401: "A token is needed"})
def get_metrics() -> Response:
    """Jobs, images, workers, queues, times and requests of the whole installation

    Where the operator has set a token, send it as a bearer token.
    """
    services = get_services()
    if not may_see_details(services.settings):
        return problem(
            401,
            "Expected the token of PAWSORT_METRICS_TOKEN. Send `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": 'Bearer realm="pawsort metrics"'},
        )
    return Response(services.answers.get("metrics", lambda: _text(services)), content_type=METRICS_TYPE)


def may_see_details(settings: Settings) -> bool:
    """Whether this request has the token for monitoring, or needs none."""
    expected = settings.metrics_token.get_secret_value()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return not expected or (scheme.lower() == "bearer" and compare_digest(token.strip().encode(), expected.encode()))


def _text(services: Services) -> str:
    """Counts of requests are those that processes have written, at most ten seconds ago."""
    return "\n".join(_lines(services)) + "\n"


def register_measuring(app: APIFlask, meter: Meter) -> None:
    """Count and time every request. For a stream, the time until the response begins."""

    @app.before_request
    def begin() -> None:
        g.begun = perf_counter()

    @app.after_request
    def note(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else NO_ROUTE
        method = request.method if request.method in METHODS else "OTHER"
        meter.count(metrics.REQUESTS, route=route, method=method, status=str(response.status_code))
        meter.time(metrics.ANSWERS, perf_counter() - g.get("begun", perf_counter()), route=route, method=method)
        return response


def _lines(services: Services) -> Iterator[str]:
    with services.db.read() as session:
        found, measured = status.read_status(session, services.settings), MetricsSnapshot(session)
    yield from _gauge("pawsort_jobs", "Jobs, by state.", _by("state", found.jobs))
    yield from _gauge("pawsort_images", "Images of jobs, by outcome.", _by("outcome", found.images))
    yield from _gauge("pawsort_chunks", "Chunks of active jobs, by state.", _by("state", found.chunks))
    yield from _gauge("pawsort_chunks_suspect", "Open chunks claimed three times or more.", [({}, found.n_suspect)])
    yield from _gauge(
        "pawsort_oldest_waiting_seconds", "Age of the oldest work that no worker holds.", _by("queue", found.oldest_s)
    )
    yield from _workers(found.workers)
    broker = status.read_broker_status(services.settings)
    yield from _gauge("pawsort_broker_up", "Whether the broker responds.", [({}, broker is not None)])
    takes: list[Sample] = [] if broker is None else [({}, broker.refusal is None)]
    yield from _gauge("pawsort_broker_takes_messages", "Whether the broker takes messages and keeps them.", takes)
    messages = _by("queue", broker.messages if broker else {})
    yield from _gauge("pawsort_queue_messages", "Messages waiting in the broker.", messages)
    yield from _gauge("pawsort_database_bytes", "Size of the database.", [({}, found.database_bytes)])
    if (free := services.blobs.free_bytes()) is not None:
        yield from _gauge("pawsort_disk_free_bytes", "Free space on the disk of the blob store.", [({}, free)])
    for name, (help_text, label, known) in COUNTERS.items():
        yield from _counter(name, help_text, measured, {label: known} if label else {})
    for name, help_text in TIMES.items():
        yield from _histogram(name, help_text, measured)


def _workers(alive: Iterable[Worker]) -> Iterator[str]:
    by_queue = Counter(dict.fromkeys(status.QUEUES, 0))
    by_make: Counter[tuple[str, str, str, str]] = Counter()
    for worker in alive:
        by_queue[worker.queue] += 1
        versions = worker.versions
        by_make[worker.queue, worker.device, versions.get("pawsort", ""), versions.get("engine", "")] += 1
    yield from _gauge("pawsort_workers_alive", "Workers with a heartbeat within the last 15 s.", _by("queue", by_queue))
    names = ("queue", "device", "version", "engine")
    samples = [(dict(zip(names, make, strict=True)), n) for make, n in sorted(by_make.items())]
    yield from _gauge("pawsort_workers", "The same, by device and version.", samples)


def _by(label: str, values: Mapping[str, float]) -> list[Sample]:
    return [({label: str(value)}, n) for value, n in values.items()]


def _gauge(name: str, help_text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield from _head(name, "gauge", help_text)
    for labels, value in samples:
        yield _line(name, labels, value)


def _counter(name: str, help_text: str, measured: MetricsSnapshot, known: Mapping[str, Iterable[str]]) -> Iterator[str]:
    yield from _head(name, "counter", help_text)
    counts = measured.counts(name)
    for labels, value in counts:
        yield _line(name, labels, value)
    for label, values in known.items():
        for missing in {str(one) for one in values} - {labels.get(label) for labels, _ in counts}:
            yield _line(name, {label: missing}, 0)


def _histogram(name: str, help_text: str, measured: MetricsSnapshot) -> Iterator[str]:
    yield from _head(name, "histogram", help_text)
    for timed in measured.times(name):
        for bucket, n in timed.n_up_to.items():
            yield _line(f"{name}_bucket", timed.labels | {"le": bucket}, n)
        yield _line(f"{name}_sum", timed.labels, timed.sum_s)
        yield _line(f"{name}_count", timed.labels, timed.n)


def _head(name: str, kind: str, help_text: str) -> Iterator[str]:
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    shown = int(value) if float(value).is_integer() else repr(float(value))
    return f"{name}{{{inside}}} {shown}" if inside else f"{name} {shown}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
