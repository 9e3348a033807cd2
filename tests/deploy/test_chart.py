"""The Helm chart in agreement with the code; tests/containers/test_chart.py renders it."""

import re
from pathlib import Path

from core.base.config import Settings
from core.messaging import broker
from core.storage.buckets import KEYS
from tests.support import compose
from tests.support.paths import ROOT

CHART = ROOT / "deploy" / "helm" / "pawsort"
TEXT = "\n".join(path.read_text() for path in sorted(CHART.rglob("*")) if path.is_file())
WORKERS = (broker.INFERENCE, broker.TRAINING, broker.MAINTENANCE)


def test_every_variable_is_a_setting_or_its_library_s() -> None:
    known = {f"PAWSORT_{name.upper()}" for name in Settings.model_fields}
    known |= {*KEYS["s3"], "AWS_ENDPOINT_URL", "AWS_REGION"}
    used = {name.removesuffix("_FILE") for name in re.findall(r"\b(?:PAWSORT|AWS)_[A-Z0-9_]+", TEXT)}
    assert used <= known


def test_it_has_a_worker_for_each_queue_and_no_other() -> None:
    values = (CHART / "values.yaml").read_text()
    workers = values[values.index("\nworkers:") :].partition("\nbeat:")[0]
    assert tuple(re.findall(r"^  (\w+):$", workers, re.MULTILINE)) == WORKERS


def test_its_commands_are_those_of_the_compose_file(tmp_path: Path) -> None:
    services = compose.read(compose.make_env(tmp_path / ".env"), compose.MAIN, compose.BEAT)["services"]
    templates = {" ".join(re.split(r",\s*", one)) for one in re.findall(r"command: \[(pawsort[^\]]*)\]", TEXT)}
    written = {one.replace("{{ $queue }}", queue) for one in templates for queue in WORKERS}
    checks = {" ".join(services[name]["healthcheck"]["test"][1:]) for name in (*WORKERS, "beat")}
    commands = {" ".join(services[name]["command"]) for name in (*WORKERS, "beat", "web", "migrate")}
    assert {one.removesuffix(" --without-beat") for one in commands} | checks == written
    assert "args: [--without-beat]" in TEXT
    assert "pawsort worker maintenance --without-beat" in commands


def test_every_secret_has_the_same_name_as_in_the_compose_file() -> None:
    secrets = set(re.findall(r"/run/secrets/(\w+)", TEXT)) | set(re.findall(r"key: (\w+)", TEXT))
    secrets |= set(re.findall(r'"(\w+_url)"', TEXT))
    assert {"database_url", "owner_database_url", "redis_url", "secret_key", "s3_secret_key"} <= secrets
    assert all(f"/run/secrets/{name}" in compose.MAIN.read_text() for name in secrets)


def test_its_version_is_that_of_the_program() -> None:
    version = (ROOT / "client/VERSION").read_text().strip()
    assert f"\nappVersion: {version}\n" in (CHART / "Chart.yaml").read_text()
