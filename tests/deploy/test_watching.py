"""The profile `watching`: Prometheus' own checks, a real Prometheus over a real site, and names that `/metrics` has."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.base.database import Database
from core.operations import metrics, workers
from core.operations.metrics import Meter
from core.storage.blobs import Blobs
from tests.support import compose
from tests.support.browser.site import served
from tests.support.compose import ROOT
from tests.support.deadlines import within
from tests.support.factories import make_job, make_upload
from tests.support.ports import free_port
from tests.support.waiting import until
from web.app import App

DATABASES = ("sqlite",)
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTS = PROMETHEUS / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "pawsort.json"
START_S = 30.0

needs_promtool = pytest.mark.skipif(compose.missing("promtool"), reason="promtool is not installed")


def expressions() -> list[str]:
    """What the dashboard asks Prometheus."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def promtool(*words: str, cwd: Path = ROOT) -> None:
    run = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, cwd=cwd)
    assert run.returncode == 0, run.stdout + run.stderr


@needs_promtool
def test_promtool_passes_settings_and_alerts() -> None:
    promtool("check", "config", "--syntax-only", str(PROMETHEUS / "prometheus.yml"))
    promtool("check", "rules", str(ALERTS))


@needs_promtool
def test_every_alert_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    for file in (ALERTS, Path(__file__).parent / "alerts_test.yml"):
        shutil.copy(file, tmp_path)
    promtool("test", "rules", "alerts_test.yml", cwd=tmp_path)
    tested = (tmp_path / "alerts_test.yml").read_text()
    named = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert {name: len(re.findall(rf"\b{name}\b", tested)) for name in named} == dict.fromkeys(named, 2)


@needs_promtool
def test_prometheus_understands_every_question_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions())]
    assert len(rules) > 20
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(tmp_path / "rules.yml"))


def test_every_name_of_dashboard_and_alerts_is_in_the_metrics(app: App, db: Database) -> None:
    meter = Meter()
    for name, labels in ((metrics.STAGES, {"stage": "read"}), (metrics.ANSWERS, {"method": "GET", "route": "/"})):
        meter.time(name, 0.1, **labels)
    meter.flush(db)
    with db.write() as session:
        workers.add_worker(session, 1, "inference", "cpu", {})
    app.test_client().get("/healthz")
    app.extensions["pawsort"].meter.flush(db)
    text = app.test_client().get("/metrics").text
    served_labels: dict[str, set[str]] = {}
    for name, labels_text in re.findall(r"^(pawsort_\w+)(?:\{(.*)\})? ", text, re.MULTILINE):
        served_labels.setdefault(name, set()).update(re.findall(r'(\w+)="', labels_text))
    asked = expressions() + re.findall(r"expr: (?:>-\n)?((?:.+\n)(?:          .+\n)*)", ALERTS.read_text())
    for expression in asked:
        names = set(re.findall(r"\bpawsort_\w+", expression))
        assert names <= served_labels.keys(), expression
        labels = set(re.findall(r'(\w+)(?:=~|!~|!=|=)"', expression))
        labels |= {one.strip() for by in re.findall(r"\bby \(([^)]+)\)", expression) for one in by.split(",")}
        assert labels <= set.union({"job", "alertstate"}, *(served_labels[name] for name in names)), expression


def test_the_dashboard_names_its_source_and_overlaps_nowhere() -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    source = (ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text()
    assert {panel["datasource"]["uid"] for panel in board["panels"] if "datasource" in panel} == {"prometheus"}
    assert "uid: prometheus" in source
    taken = [
        (x, y)
        for one in (panel["gridPos"] for panel in board["panels"])
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]
    assert len(taken) == len(set(taken))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel.get("description") or panel["type"] == "row" for panel in board["panels"])


@pytest.fixture
def prometheus(app: App, env_file: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Prometheus that runs the compose file's command and asks a real site, every second."""
    if compose.missing("prometheus"):
        pytest.skip("prometheus is not installed")
    service = compose.read(env_file, profiles=("watching",))["services"]["prometheus"]
    port = free_port()
    with served(app) as site:
        settings = (PROMETHEUS / "prometheus.yml").read_text().replace("15s", "1s").replace("9090", str(port))
        (tmp_path / "prometheus.yml").write_text(settings.replace("web:8000", site.removeprefix("http://")))
        shutil.copy(ALERTS, tmp_path)
        text = (tmp_path / "prometheus.yml").read_text().replace("/etc/prometheus", str(tmp_path))
        (tmp_path / "prometheus.yml").write_text(text)
        words = [*service["entrypoint"], *service["command"]]
        words = [
            word.replace("/etc/prometheus", str(tmp_path)).replace("0.0.0.0:9090", f"127.0.0.1:{port}")
            for word in words
        ]
        words = [word.replace("=/prometheus", f"={tmp_path / 'tsdb'}") for word in words]
        with (tmp_path / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
            try:
                yield f"http://127.0.0.1:{port}/api/v1"
            finally:
                process.terminate()


def test_a_real_prometheus_reads_the_site_and_raises_the_alarm(prometheus: str, db: Database, blobs: Blobs) -> None:
    make_job(db, make_upload(db, blobs, n_files=7))
    with httpx2.Client(timeout=within(30), trust_env=False) as http:

        def ask(path: str, **query: str) -> Any:
            return http.get(f"{prometheus}/{path}", params=query).raise_for_status().json()["data"]

        def has_alarm() -> bool:
            try:
                return any(one["labels"]["alertname"] == "NoInferenceWorker" for one in ask("alerts")["alerts"])
            except httpx2.HTTPError:  # it is just starting
                return False

        until(has_alarm, START_S, "the alarm")
        (target,) = [one for one in ask("targets")["activeTargets"] if one["labels"]["job"] == "pawsort"]
        assert (target["health"], target["lastError"]) == ("up", "")

        def n_open() -> str:
            (sample,) = ask("query", query='pawsort_images{outcome="open"}')["result"]
            return str(sample["value"][1])

        until(lambda: n_open() == "7", START_S, "the number of pictures")
        for expression in expressions():
            assert "result" in ask("query", query=expression)


def test_what_is_watched_is_for_this_machine_alone(env_file: Path) -> None:
    services = compose.read(env_file, profiles=("watching",))["services"]
    assert services["grafana"]["ports"][0]["host_ip"] == "127.0.0.1"
    assert "ports" not in services["prometheus"]
    assert services["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"
    for name in ("prometheus", "grafana"):
        assert services[name]["read_only"]
        assert services[name]["healthcheck"]["test"]
        assert services[name]["deploy"]["resources"]["limits"]["memory"]
        for volume in services[name]["volumes"]:
            assert volume["type"] == "volume" or Path(volume["source"]).exists()
