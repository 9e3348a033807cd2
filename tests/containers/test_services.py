"""What the engine makes of each service of docker-compose.yml: user, files, limits, networks, health, secrets, log."""

import json

import pytest

from tests.containers.project import START_S, Project
from tests.support.deadlines import within

USERS = {"proxy": "101", "postgres": "999", "redis": "999", "s3": "1000"} | dict.fromkeys(
    ("web", "inference", "training", "maintenance"), "10001"
)
OURS = ("web", "inference", "training", "maintenance")
SERVERS = ("postgres", "redis", "s3")


def test_all_are_healthy_in_time(project: Project) -> None:
    print(f"all healthy after {project.seconds_to_healthy:.0f} s")
    assert project.seconds_to_healthy < within(START_S)
    assert set(project.states().values()) == {"healthy"}
    assert len(project.states()) == len(USERS)


def test_the_doctor_says_that_all_is_well(project: Project) -> None:
    run = project.execute("web", "pawsort", "doctor", check=False)
    assert run.returncode == 0, run.stdout
    assert "wrong" not in run.stdout
    assert "this machine keeps copies only" in run.stdout


@pytest.mark.parametrize("service", USERS)
def test_a_service_has_its_user_no_capabilities_and_no_file_to_change(project: Project, service: str) -> None:
    status = project.execute(service, "cat", "/proc/self/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] == USERS[service]
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"
    assert project.execute(service, "sh", "-c", "touch /x /usr/x", check=False).returncode != 0
    project.execute(service, "sh", "-c", "touch /tmp/x && rm /tmp/x")


@pytest.mark.parametrize("service", USERS)
def test_a_service_has_its_limits(project: Project, service: str) -> None:
    (container,) = project.containers(service)
    limits = project.inspect(container)["HostConfig"]
    assert limits["Memory"] >= 128 * 2**20
    assert limits["ReadonlyRootfs"]
    assert limits["RestartPolicy"]["Name"] == "unless-stopped"
    assert limits["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}


def test_no_secret_is_in_the_environment_of_a_container(project: Project) -> None:
    secrets = [path.read_text() for path in (project.folder / "secrets").iterdir()]
    for service in USERS:
        (container,) = project.containers(service)
        shown = json.dumps(project.inspect(container))
        assert not any(secret in shown for secret in secrets), service
    for service in OURS:
        environment = project.execute(service, "sh", "-c", "cat /proc/[0-9]*/environ 2>/dev/null || true").stdout
        assert not any(secret in environment for secret in secrets), service


def test_what_can_be_reached_from_outside_sees_the_web_alone(project: Project) -> None:
    def sees(service: str, other: str) -> bool:
        return project.execute(service, "getent", "hosts", other, check=False).returncode == 0

    assert sees("proxy", "web")
    assert not any(sees("proxy", other) for other in SERVERS)
    assert all(sees("maintenance", other) for other in SERVERS)


def test_each_line_of_a_log_is_json_and_warns_of_nothing(project: Project) -> None:
    for service in OURS:
        lines = [json.loads(line) for line in project.compose("logs", "--no-log-prefix", service).stdout.splitlines()]
        assert [line for line in lines if line["level"] not in ("info", "debug")] == [], service


def test_services_that_end_leave_no_volume(project: Project) -> None:
    volumes = project.engine.ask("volume", "ls", "--quiet").split()
    assert {one.removeprefix("pawsort-test_") for one in volumes} == {"postgres", "redis", "s3", "training-pixels"}
