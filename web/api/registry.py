"""All calls of the API, in the order in which /docs describes them."""

from apiflask import APIFlask

from web.api.account import sessions, tokens, usage
from web.api.jobs import exports, images, job_events, jobs, queue, results
from web.api.labels import audits, bulk_labels, corrections, label_quality, labels, reviews
from web.api.models import evaluation, models
from web.api.monitoring import audit_log, health, metrics
from web.api.people import people
from web.api.schedules import schedules
from web.api.training import training
from web.api.uploads import archives, imports, uploads
from web.api.webhooks import deliveries, endpoints

APIS = (
    uploads.api,
    archives.api,
    imports.api,
    jobs.api,
    job_events.api,
    queue.api,
    results.api,
    exports.api,
    images.api,
    labels.api,
    label_quality.api,
    bulk_labels.api,
    corrections.api,
    reviews.api,
    audits.api,
    models.api,
    evaluation.api,
    training.api,
    schedules.api,
    endpoints.api,
    deliveries.api,
    tokens.api,
    sessions.api,
    usage.api,
    people.api,
    audit_log.api,
    health.api,
    metrics.api,
)


def register_api(app: APIFlask) -> None:
    """Add every call to the app."""
    for api in APIS:
        app.register_blueprint(api)
