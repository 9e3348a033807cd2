"""docs/reference/metrics.md, from what a site with one worker answers at `/metrics`."""

import re
from collections.abc import Iterator

from core.base.database import Database
from core.operations import metrics
from core.orm.operations import Worker
from tests.support.reference.markdown import table
from web.app import App
from web.http.context import EXTENSION, Services

HEAD = """# Metrics

`/metrics` answers in Prometheus' text format ([monitoring](../deployment.md#monitoring)). Counters and histograms are
sums over all processes. `make reference` writes this page from the answer of a site.
"""
HELP = re.compile(r"^# HELP (\w+) (.+)$", re.MULTILINE)
TYPE = re.compile(r"^# TYPE (\w+) (\w+)$", re.MULTILINE)
SAMPLE = re.compile(r"^(\w+)\{(.*)\} \S+$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="')


def render(app: App, db: Database) -> str:
    """The page. Counts something first, so that every metric has its labels."""
    services: Services = app.extensions[EXTENSION]
    services.meter.count(metrics.REQUESTS, route="/", method="GET", status="200")
    services.meter.time(metrics.ANSWERS, 0.1, route="/", method="GET")
    services.meter.time(metrics.STAGES, 0.1, stage="read")
    services.meter.flush(db)
    with db.write() as session:
        session.add(Worker(host="host", pid=1, queue="inference", device="cpu", versions={}))
    text = app.test_client().get("/metrics").text
    return f"{HEAD}\n{table(('Metric', 'Type', 'Labels', 'Meaning'), _rows(text))}\n"


def _rows(text: str) -> Iterator[tuple[str, str, str, str]]:
    types = dict(TYPE.findall(text))
    labels: dict[str, set[str]] = {}
    for name, inside in SAMPLE.findall(text):
        family = name if name in types else re.sub(r"_(bucket|sum|count|total)$", "", name)
        labels.setdefault(family, set()).update(LABEL.findall(inside))
    for name, meaning in HELP.findall(text):
        yield f"`{name}`", types[name], ", ".join(f"`{one}`" for one in sorted(labels.get(name, ()))), meaning
