"""The files that a container engine reads: well-formed by their own tools, and in agreement with the code."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.base.config import Settings
from core.messaging import broker
from instance.base import programs
from tests.support import compose
from tests.support.compose import BEAT, GPU, MAIN, OWN_IMAGES, ROOT, TLS, WEBHOOKS

ENVIRONMENT = re.compile(r"\$\{([A-Z_0-9]+)")
SERVERS = ("proxy", "web", "inference", "training", "maintenance", "postgres", "redis", "s3")
ELSEWHERE = {"INFERENCE_MEMORY", "TRAINING_MEMORY", "HTTP_ADDRESS", "HTTP_PORT", "GRAFANA_ADDRESS", "GRAFANA_PORT"}
ELSEWHERE |= {"INTERNAL_NETWORK"}
# Settings of tests, and one for machines whose workers do not serve all queues.
ONLY_BY_HAND = {"PAWSORT_DECODER", "PAWSORT_PAUSE_AFTER_CLAIM_S", "PAWSORT_QUEUES"}


@pytest.fixture
def services(env_file: Path) -> dict[str, Any]:
    """The services of docker-compose.yml."""
    found: dict[str, Any] = compose.project(env_file)["services"]
    return found


@pytest.mark.parametrize(
    "files", [(MAIN,), (MAIN, GPU), (MAIN, TLS), (MAIN, BEAT), (MAIN, WEBHOOKS)], ids=lambda files: files[-1].name
)
def test_the_files_follow_the_compose_specification(env_file: Path, tmp_path: Path, files: tuple[Path, ...]) -> None:
    whole = tmp_path / "compose.json"
    whole.write_text(json.dumps(compose.read(env_file, *files, TLS_FOLDER=str(tmp_path))))
    command = [compose.tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec"]
    run = subprocess.run([*command, str(whole)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_dockerfile_passes_its_linter() -> None:
    run = subprocess.run(
        [compose.tool("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_each_queue_has_a_service_whose_command_is_its_worker(services: dict[str, Any]) -> None:
    commands = {name: service["command"] for name, service in services.items() if name in OWN_IMAGES}
    for queue in (broker.INFERENCE, broker.TRAINING, broker.MAINTENANCE):
        assert commands[queue] == ["pawsort", "worker", queue]
        assert queue in programs.worker(queue, Settings()).command
    assert commands["web"] == ["pawsort", "web"]
    assert commands["migrate"] == ["pawsort", "migrate"]


def test_every_variable_is_a_setting_or_its_library_s(services: dict[str, Any]) -> None:
    settings = {f"PAWSORT_{name.upper()}" for name in Settings.model_fields}
    others = {"AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "FORWARDED_ALLOW_IPS"}
    for name in OWN_IMAGES:
        assert {one.removesuffix("_FILE") for one in services[name]["environment"]} <= settings | others


def test_web_and_workers_get_the_same_servers(services: dict[str, Any]) -> None:
    addresses = ("PAWSORT_REDIS_URL_FILE", "PAWSORT_BLOB_URL", "AWS_ENDPOINT_URL")
    given = {tuple(services[name]["environment"][one] for one in addresses) for name in OWN_IMAGES}
    assert given == {("/run/secrets/redis_url", "s3://pawsort/data", "http://s3:8333")}


def test_each_service_logs_in_to_the_servers_as_a_user_with_the_rights_it_needs(
    services: dict[str, Any], env_file: Path
) -> None:
    secrets = env_file.parent / "secrets"
    addresses = {
        name: (secrets / Path(services[name]["environment"]["PAWSORT_DATABASE_URL_FILE"]).name).read_text()
        for name in OWN_IMAGES
    }
    assert {one.rpartition("@")[2] for one in addresses.values()} == {"postgres:5432/pawsort"}
    users = {name: one.removeprefix("postgresql://").partition(":")[0] for name, one in addresses.items()}
    runtime = dict.fromkeys(OWN_IMAGES, "pawsort_runtime")
    assert users == runtime | {"migrate": "pawsort_owner", "maintenance": "pawsort_maintenance"}
    assert (secrets / "redis_url").read_text().startswith("redis://pawsort:")


def test_every_secret_is_a_file_that_only_its_services_see(env_file: Path) -> None:
    whole = compose.read(env_file, profiles=("watching",))
    given = {
        name: {secret["source"] for secret in service.get("secrets", [])} for name, service in whole["services"].items()
    }
    servers = {"redis_url", "s3_access_key", "s3_secret_key"}
    assert {name: secrets for name, secrets in given.items() if secrets} == {
        "web": servers | {"database_url", "secret_key"},
        "inference": servers | {"database_url"},
        "training": servers | {"database_url"},
        "maintenance": servers | {"maintenance_database_url", "secret_key"},
        "migrate": servers | {"owner_database_url"},
        "postgres": {"postgres_password"},
        "roles": {f"postgres_{role}password" for role in ("", "owner_", "runtime_", "maintenance_")},
        "redis": {"redis_password", "redis_admin_password"},
        "s3": {"s3_access_key", "s3_secret_key"},
        "grafana": {"grafana_password"},
    }
    values = {Path(secret["file"]).read_text() for secret in whole["secrets"].values()}
    assert len(values) == len(whole["secrets"])
    shown = json.dumps(whole)
    assert not any(value in shown for value in values)


def test_nobody_else_can_enter_the_folder_of_secrets_and_any_user_in_a_container_can_read_one(env_file: Path) -> None:
    folder = env_file.parent / "secrets"
    assert [path.stat().st_mode & 0o777 for path in (env_file, folder)] == [0o600, 0o700]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}


def test_the_secrets_are_made_once_and_those_of_an_earlier_version_stay(env_file: Path, tmp_path: Path) -> None:
    def read(folder: Path) -> dict[str, str]:
        return {path.name: path.read_text() for path in folder.iterdir()}

    before = env_file.read_text(), read(env_file.parent / "secrets")
    compose.make_env(env_file)
    assert (env_file.read_text(), read(env_file.parent / "secrets")) == before
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=old\nPAWSORT_SECRET_KEY=older\nOWNER_DATABASE_URL=own\n")
    compose.make_env(tmp_path / ".env")
    secrets = read(tmp_path / "secrets")
    names = ("postgres_password", "secret_key", "owner_database_url")
    assert [secrets[name] for name in names] == ["old", "older", "own"]
    assert secrets["database_url"].endswith(f":{secrets['postgres_runtime_password']}@postgres:5432/pawsort")


def test_every_variable_that_the_files_read_can_be_explained(env_file: Path) -> None:
    known = {f"PAWSORT_{name.upper()}" for name in Settings.model_fields} | ELSEWHERE
    known |= {line.partition("=")[0] for line in _example()} | {"AWS_ENDPOINT_URL", "AWS_REGION", "SECRETS_FOLDER"}
    known |= {f"{name}_FILE" for name in known}
    assert set(ENVIRONMENT.findall(MAIN.read_text())) <= known


@pytest.mark.parametrize("name", SERVERS)
def test_every_server_is_checked_limited_and_locked_down(services: dict[str, Any], name: str) -> None:
    service = services[name]
    assert service["healthcheck"]["test"]
    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["restart"] == "unless-stopped"
    # Podman asks where an image is from unless its name says so.
    assert "build" in service or re.fullmatch(r"docker\.io/[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"])


def test_only_the_proxy_can_be_reached_from_outside(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert published.keys() == {"proxy"}
    assert [(port["target"], port["host_ip"]) for port in published["proxy"]] == [(8080, "127.0.0.1")]


def test_what_can_be_reached_from_outside_sees_the_web_alone(env_file: Path) -> None:
    """The store's master, filer and volumes ask for no password: only those that need the servers reach them."""
    services = compose.read(env_file, profiles=("watching",))["services"]
    networks = {name: set(service["networks"]) for name, service in services.items()}
    for name in ("proxy", "prometheus", "grafana"):
        assert networks.pop(name) == {"outside"}
    assert networks.pop("web") == {"outside", "default"}
    assert set.union(*networks.values()) == {"default"}
    assert compose.read(env_file)["networks"]["default"]["internal"], "it leads outside"


def test_an_inference_worker_that_is_away_does_not_take_the_site_down(services: dict[str, Any]) -> None:
    assert services["web"]["healthcheck"]["test"] == ["CMD", "pawsort", "alive", "web"]
    assert services["web"]["depends_on"].keys() == {"postgres", "redis", "migrate"}
    assert services["proxy"]["depends_on"].keys() == {"web"}


def test_everything_waits_for_the_schema(services: dict[str, Any]) -> None:
    for name in ("web", "inference", "training", "maintenance"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_workers_have_time_to_give_their_work_back(services: dict[str, Any]) -> None:
    soft_s = broker.make_celery(Settings(redis_url="redis://127.0.0.1:1/0")).conf.worker_soft_shutdown_timeout
    for name in ("inference", "training", "maintenance"):
        assert compose.seconds(services[name]["stop_grace_period"]) >= soft_s + 10


def test_postgresql_has_connections_for_every_process(services: dict[str, Any]) -> None:
    command = services["postgres"]["command"]
    most = next(int(word.partition("=")[2]) for word in command if word.startswith("max_connections="))
    web = 2 * (Settings().web_threads + 4)
    workers = 4 * 4 * (3 + 4)  # three inference workers of four processes, and the others
    assert web + workers < most - 10


def test_the_dockerfile_builds_every_image_that_compose_wants(env_file: Path) -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    services = compose.read(env_file, MAIN, GPU)["services"]
    wanted = {service["build"]["target"] for service in services.values() if "build" in service}
    assert wanted == {"web", "worker", "worker-gpu"} <= stages


def test_a_builder_that_runs_every_stage_up_to_its_target_builds_small_images_first() -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    targets = [stage for stage in stages if stage in ("web", "worker", "training", "worker-gpu")]
    assert targets == ["web", "worker", "training", "worker-gpu"]
    assert stages.index("web") < stages.index("worker-packages") < stages.index("worker")
    assert stages.index("worker") < stages.index("training-packages")


def test_code_is_a_layer_apart_from_its_packages() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for target in ("web", "worker", "training", "worker-gpu"):
        stage = text[text.index(f" AS {target}\n") :].partition("\nFROM")[0]
        copied = re.findall(r"^COPY --from=(\S+) (\S+) (\S+)$", stage, re.MULTILINE)
        packages = "gpu" if target == "worker-gpu" else target
        code = "web" if target == "web" else "worker"
        assert copied == [
            (f"{packages}-packages", "/opt/pawsort", "/opt/pawsort"),
            (f"{code}-code", "/opt/pawsort/code", "/opt/pawsort/code"),
        ]


def test_the_images_run_as_a_user_of_a_group_that_exists() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "USER 10001:10001" in text
    assert "groupadd --gid 10001" in text
    assert re.findall(r"^FROM (\S*[:.]\S*)", text, re.MULTILINE) == ["docker.io/library/python:3.13.16-slim-trixie"]


def test_the_store_sends_no_statistics_and_ends_in_its_grace(services: dict[str, Any]) -> None:
    assert {"-master.telemetry=false", "-volume.preStopSeconds=1"} <= set(services["s3"]["command"])


@pytest.mark.parametrize(("name", "volume"), [("bucket", "/data"), ("roles", "/var/lib/postgresql")])
def test_a_service_that_ends_leaves_no_volume_behind(services: dict[str, Any], name: str, volume: str) -> None:
    assert any(place.startswith(volume) for place in services[name]["tmpfs"])


def test_the_gpu_file_asks_for_devices(env_file: Path) -> None:
    services = compose.read(env_file, MAIN, GPU)["services"]
    for name in ("inference", "training"):
        device = services[name]["deploy"]["resources"]["reservations"]["devices"][0]
        assert device["capabilities"] == ["gpu"]
        assert services[name]["command"] == ["pawsort", "worker", name]
        assert services[name]["environment"]["CUDA_VISIBLE_DEVICES"] is None


def test_the_beat_file_runs_one_beat_which_sees_the_broker_alone(env_file: Path) -> None:
    services = compose.read(env_file, MAIN, BEAT)["services"]
    beat = services["beat"]
    assert services["maintenance"]["command"] == ["pawsort", "worker", "maintenance", "--without-beat"]
    assert beat["command"] == ["pawsort", "beat"]
    assert beat["healthcheck"]["test"] == ["CMD", "pawsort", "alive", "beat"]
    assert (beat["read_only"], beat["cap_drop"], beat["restart"]) == (True, ["ALL"], "unless-stopped")
    assert [secret["source"] for secret in beat["secrets"]] == ["redis_url"]
    assert beat["depends_on"].keys() == {"redis"}
    settings = {f"PAWSORT_{name.upper()}" for name in Settings.model_fields}
    assert {name.removesuffix("_FILE") for name in beat["environment"]} <= settings


def test_every_setting_can_be_set_for_the_containers(env_file: Path) -> None:
    files = [compose.read(env_file, MAIN, GPU)["services"][name]["environment"] for name in SERVERS[1:5]]
    passed_on = set().union(*files)
    passed_on = {name.removesuffix("_FILE") for name in passed_on}
    assert {f"PAWSORT_{name.upper()}" for name in Settings.model_fields} - passed_on == ONLY_BY_HAND


def _example() -> list[str]:
    return [line for line in (ROOT / ".env.example").read_text().splitlines() if re.match("[A-Z]", line)]
