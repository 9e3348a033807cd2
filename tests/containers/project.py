"""One installation of docker-compose.yml in the engine of the tests."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.containers.engine import Engine
from tests.support import compose
from tests.support.deadlines import within
from tests.support.ports import free_port
from tests.support.waiting import until

NAME = "pawsort-test"
DEFAULT = f"{NAME}_default"  # the network of the servers
START_S = 90.0
RECEIVER = "receiver"  # a host that may receive webhooks
PAUSE_S = 2.0


class Project:
    """Runs `docker compose` for this project.

    Args:
        folder: For .env, secrets and an override file.
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.port = free_port()
        self.seconds_to_healthy = 0.0
        env = compose.make_env(folder / ".env")
        env.write_text(
            env.read_text().replace("HTTP_PORT=8080", f"HTTP_PORT={self.port}")
            + "PAWSORT_DEFAULT_NETWORK=seed-cnn\nPAWSORT_INFERENCE_PROCESSES=1\nPAWSORT_STRICT_JSON_LOGS=true\n"
            + f"PAWSORT_WEBHOOK_HOSTS={RECEIVER}\n"
        )
        self.services: dict[str, Any] = compose.read(env)["services"]
        self.pause_after_claims(PAUSE_S)
        files = ("--file", str(compose.MAIN), "--file", str(folder / "slow.json"))
        self._command = [compose.tool("docker-compose"), "--project-name", NAME, "--env-file", str(env), *files]
        self._environment = {**engine.environment, "SECRETS_FOLDER": str(folder / "secrets")}

    @property
    def server(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}"

    def pause_after_claims(self, seconds: float) -> None:
        """Slow the inference hosts that start from now on, so that a job is still under way when a fault comes."""
        inference = {"environment": {"PAWSORT_PAUSE_AFTER_CLAIM_S": str(seconds)}}
        (self.folder / "slow.json").write_text(json.dumps({"services": {"inference": inference}}))

    def compose(
        self, *words: str, files: tuple[Path, ...] = (), check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Docker Compose, with further files."""
        command = [*self._command, *(part for file in files for part in ("--file", str(file))), *words]
        run: subprocess.CompletedProcess[str] = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, check=False, **options
        )
        assert not check or run.returncode == 0, f"compose {' '.join(words)}\n{run.stdout[-3000:]}{run.stderr[-3000:]}"
        return run

    def start(self, *words: str, files: tuple[Path, ...] = ()) -> float:
        """Start everything; returns the seconds until all are healthy."""
        begun = time.monotonic()
        self.compose("up", "--detach", "--no-build", "--pull", "never", "--wait", *words, files=files)
        return time.monotonic() - begun

    def containers(self, service: str) -> list[str]:
        """The ids of the running containers of a service."""
        return self.compose("ps", "--quiet", service).stdout.split()

    def states(self) -> dict[str, str]:
        """Health of each running container, by name."""
        lines = self.compose("ps", "--format", "json").stdout.splitlines()
        return {one["Name"]: one["Health"] or one["State"] for one in map(json.loads, lines)}

    def wait_healthy(self) -> None:
        """Wait until nothing that runs is unhealthy or starting."""
        until(
            lambda: set(self.states().values()) == {"healthy"}, START_S, "all to be healthy", lambda: str(self.states())
        )

    def execute(
        self, service: str, *words: str, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a container of a service."""
        return self.compose("exec", "-T", service, *words, check=check, **options)

    def inspect(self, container: str) -> dict[str, Any]:
        """All that the engine knows of a container."""
        found: dict[str, Any] = json.loads(self.engine.ask("inspect", container))[0]
        return found

    def token(self) -> str:
        """A new token of the owner."""
        return self.execute("web", "pawsort", "token", "create").stdout.strip()

    def plug_in(self, container: str, alias: str, network: str = DEFAULT) -> None:
        """Put a container's cable in, under this name."""
        self.engine.run("network", "connect", "--alias", alias, network, container)

    def unplug(self, container: str, network: str = DEFAULT) -> None:
        """Take a container's cable out."""
        self.engine.run("network", "disconnect", network, container)

    def cut(self, service: str, seconds: float) -> None:
        """Take a service's cable out, and put it in again."""
        (container,) = self.containers(service)
        self.unplug(container)
        time.sleep(seconds)
        self.plug_in(container, service)

    def remove(self) -> None:
        """Remove containers, networks and volumes, also those that nobody names."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        self.engine.run("volume", "prune", "--force")


def stop_seconds(project: Project, service: str) -> float:
    """Stop a service as the engine does; returns the seconds it took."""
    begun = time.monotonic()
    project.compose("stop", service, timeout=within(120))
    return time.monotonic() - begun
