"""`/metrics` for Prometheus: gauges read from the tables, and counters that all processes add up there.

Every web process therefore answers for the whole installation. Names and labels are finite: routes instead of URLs,
known methods, known codes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hmac import compare_digest
from time import perf_counter

from apiflask import APIBlueprint, APIFlask
from flask import Response, g, request
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from core.base.config import Settings
from core.base.errors import ErrorCode
from core.messaging.broker import INFERENCE, TRAINING
from core.operations import metrics, status
from core.operations.metrics import MetricsSnapshot
from core.orm.operations import Worker
from web.http.context import Services, get_services
from web.http.openapi.files import file_answer
from web.http.problems import problem
from web.http.rights import public

api = APIBlueprint("metrics", __name__, tag="Health")

OPENMETRICS = "application/openmetrics-text"
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
NO_ROUTE = "none"  # for URLs that match no route

Sample = tuple[dict[str, str], float]

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
    metrics.WEBHOOKS: (
        "Attempts to deliver a message to a webhook: delivered, to be retried, or failed for good.",
        "outcome",
        ("delivered", "retried", "failed"),
    ),
    metrics.REQUESTS: ("HTTP requests, by route, method and status.", "", ()),
}
# Histograms with the names of their labels.
TIMES = {
    metrics.STAGES: ("Seconds in each stage of a chunk: wait, read, decode, predict, record.", ("stage",)),
    metrics.ANSWERS: ("Seconds until a response begins, by route and method.", ("method", "route")),
}


class Scrape(Collector):
    """Everything as it was at one moment; requests are those that processes had written, at most 10 s before."""

    def __init__(self, services: Services) -> None:
        self._families = list(_read_families(services))

    def collect(self) -> Iterable[Metric]:
        """What prometheus_client writes in its formats."""
        return self._families


@api.get("/metrics")
@public
@api.doc(responses={200: file_answer("Prometheus text format", "text/plain"), 401: "A token is needed"})
def get_metrics() -> Response:
    """Jobs, images, workers, queues, times and requests of the whole installation

    Prometheus' text format, or OpenMetrics where `Accept` names it. Where the operator has set a token, send it as a
    bearer token.
    """
    services = get_services()
    if not may_see_details(services.settings):
        return problem(
            401,
            "Expected the token of PAWSORT_METRICS_TOKEN. Send `Authorization: Bearer TOKEN`.",
            {"WWW-Authenticate": 'Bearer realm="pawsort metrics"'},
        )
    scrape = services.answers.get("metrics", lambda: Scrape(services))
    if OPENMETRICS in (kind.partition(";")[0] for kind in request.accept_mimetypes.values()):
        text = openmetrics.generate_latest(scrape)  # type: ignore[no-untyped-call]
        return Response(text, content_type=openmetrics.CONTENT_TYPE_LATEST)
    return Response(generate_latest(scrape), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_see_details(settings: Settings) -> bool:
    """Whether this request has the token for monitoring, or needs none."""
    expected = settings.metrics_token.get_secret_value()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return not expected or (scheme.lower() == "bearer" and compare_digest(token.strip().encode(), expected.encode()))


def register_measuring(app: APIFlask) -> None:
    """Count and time every request. For a stream, the time until the response begins."""

    @app.before_request
    def begin() -> None:
        g.begun = perf_counter()

    @app.after_request
    def note(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else NO_ROUTE
        method = request.method if request.method in METHODS else "OTHER"
        meter = get_services().meter
        meter.count(metrics.REQUESTS, route=route, method=method, status=str(response.status_code))
        meter.time(metrics.ANSWERS, perf_counter() - g.get("begun", perf_counter()), route=route, method=method)
        return response


def _read_families(services: Services) -> Iterator[Metric]:
    with services.db.read() as session:
        found, measured = status.read_status(session, services.settings), MetricsSnapshot(session)
    yield _gauge("pawsort_jobs", "Jobs, by state.", _by("state", found.jobs))
    yield _gauge("pawsort_images", "Images of jobs, by outcome.", _by("outcome", found.images))
    yield _gauge("pawsort_chunks", "Chunks of active jobs, by state.", _by("state", found.chunks))
    yield _gauge("pawsort_chunks_suspect", "Open chunks claimed three times or more.", [({}, found.n_suspect)])
    yield _gauge(
        "pawsort_oldest_waiting_seconds", "Age of the oldest work that no worker holds.", _by("queue", found.oldest_s)
    )
    waiting = found.webhooks
    yield _gauge(
        "pawsort_webhook_messages", "Messages that webhooks have not accepted yet.", [({}, waiting.n_messages)]
    )
    yield _gauge("pawsort_webhook_oldest_seconds", "Age of the oldest of them.", [({}, waiting.oldest_s)])
    yield from _workers(found.workers)
    broker = status.read_broker_status(services.settings)
    yield _gauge("pawsort_broker_up", "Whether the broker responds.", [({}, broker is not None)])
    takes: list[Sample] = [] if broker is None else [({}, broker.refusal is None)]
    yield _gauge("pawsort_broker_takes_messages", "Whether the broker takes messages and keeps them.", takes)
    messages = _by("queue", broker.messages if broker else {})
    yield _gauge("pawsort_queue_messages", "Messages waiting in the broker.", messages)
    yield _gauge("pawsort_database_bytes", "Size of the database.", [({}, found.database_bytes)])
    if (free := services.blobs.free_bytes()) is not None:
        yield _gauge("pawsort_disk_free_bytes", "Free space on the disk of the blob store.", [({}, free)])
    for name, (help_text, label, known) in COUNTERS.items():
        yield _counter(name, help_text, measured, {label: known} if label else {})
    for name, (help_text, labels) in TIMES.items():
        yield _histogram(name, help_text, labels, measured)


def _workers(alive: Iterable[Worker]) -> Iterator[Metric]:
    by_queue = Counter(dict.fromkeys(status.QUEUES, 0))
    by_make: Counter[tuple[str, str, str, str]] = Counter()
    for worker in alive:
        by_queue[worker.queue] += 1
        versions = worker.versions
        by_make[worker.queue, worker.device, versions.get("pawsort", ""), versions.get("engine", "")] += 1
    yield _gauge("pawsort_workers_alive", "Workers with a heartbeat within the last 15 s.", _by("queue", by_queue))
    names = ("queue", "device", "version", "engine")
    samples = [(dict(zip(names, make, strict=True)), n) for make, n in sorted(by_make.items())]
    yield _gauge("pawsort_workers", "The same, by device and version.", samples)


def _by(label: str, values: Mapping[str, float]) -> list[Sample]:
    return [({label: str(value)}, n) for value, n in values.items()]


def _gauge(name: str, help_text: str, samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(name, help_text)
    for labels, value in samples:
        family.add_sample(name, labels, value)
    return family


def _counter(name: str, help_text: str, measured: MetricsSnapshot, known: Mapping[str, Iterable[str]]) -> Metric:
    family = CounterMetricFamily(name, help_text)
    counts = measured.counts(name)
    for labels, value in counts:
        family.add_sample(name, labels, value)
    for label, values in known.items():
        for missing in {str(one) for one in values} - {labels.get(label) for labels, _ in counts}:
            family.add_sample(name, {label: missing}, 0)
    return family


def _histogram(name: str, help_text: str, labels: Sequence[str], measured: MetricsSnapshot) -> Metric:
    family = HistogramMetricFamily(name, help_text, labels=labels)
    for timed in measured.times(name):
        family.add_metric([timed.labels[label] for label in labels], list(timed.n_up_to.items()), timed.sum_s)
    return family
