"""The services of docker-compose.yml, started for real outside containers, in the order that `depends_on` gives.

Each one runs the command of the file with the environment of the file; only what containers have and this machine has
not is written differently: names of hosts, ports and paths (`places.py`).
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support import compose, leftovers
from tests.support.compose import Service, seconds
from tests.support.deadlines import within
from tests.support.processes import living_below
from tests.support.service_folders import Places, make_programs, pg_utils
from tests.support.waiting import until

PORTS = {"proxy": (8080,), "web": (8000,), "postgres": (5432,), "redis": (6379,), "s3": (8333, 8888, 9333, 8080)}
START_S = 150.0
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class Stack:
    """One project: its services by name, and the processes that run them."""

    def __init__(self, variables: dict[str, str] | None = None, images: dict[str, Path] | None = None) -> None:
        """Read the file and give everything a place.

        Args:
            variables: What a person would write into .env.
            images: For each service the `bin` folder of its image; without it this interpreter's.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="paw"))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user than root
        self.variables = variables or {}
        self._images = images or {}
        project = compose.read(compose.make_env(self.folder / "env"), **self.variables)
        self.services: dict[str, Service] = project["services"]
        self._secrets = {name: Path(secret["file"]) for name, secret in project["secrets"].items()}
        self._places = Places(self.folder)
        for name, numbers in PORTS.items():
            self._places.give_ports(name, numbers)
        self._programs = make_programs(self.folder / "bin")
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    # What a service gets

    def port(self, service: str) -> int:
        """The port here of a service's first port."""
        return next(iter(self._places.ports[service].values()))

    def mounts(self, name: str) -> dict[str, Path]:
        """The folders here that stand for the volumes and the temporary file systems of a service."""
        found = {target.partition(":")[0]: f"tmp{number}" for number, target in enumerate(self._tmpfs(name))}
        found |= {
            volume["target"]: f"volume-{volume['source']}"
            for volume in self.services[name].get("volumes", [])
            if volume["type"] == "volume"
        }
        places = {target: self.folder / name.partition("#")[0] / place for target, place in found.items()}
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        if secrets := self.services[name].get("secrets"):
            places["/run/secrets"] = self.folder / name / "secrets"
            places["/run/secrets"].mkdir(parents=True, exist_ok=True)
            for secret in secrets:
                (places["/run/secrets"] / secret["source"]).write_text(self.secret(secret["source"]))
        return places | {
            volume["target"]: self._copy_file(name, Path(volume["source"]), places)
            for volume in self.services[name].get("volumes", [])
            if volume["type"] == "bind"
        }

    def _tmpfs(self, name: str) -> list[str]:
        found: list[str] = self.services[name].get("tmpfs", [])
        return found

    def _copy_file(self, name: str, source: Path, places: dict[str, Path]) -> Path:
        """A file that is mounted, with its addresses and paths as they are here; it may name other mounted files."""
        folder = self.folder / name / "files"
        folder.mkdir(parents=True, exist_ok=True)
        others = {
            volume["target"]: folder / Path(volume["source"]).name
            for volume in self.services[name]["volumes"]
            if volume["type"] == "bind"
        }
        copy = folder / source.name
        if not copy.exists():  # whoever reads it now must not find it half written
            copy.write_text(self._places.rewrite(name, source.read_text(), places | others))
        return copy

    def secret(self, name: str) -> str:
        """A password, key or address of the project, as it is here."""
        return self._places.rewrite(name, self._secrets[name].read_text(), {})

    def value(self, name: str, variable: str) -> str:
        """The value of a variable of a service, or that in the file which it names."""
        environment = self.environment(name)
        file = environment.get(f"{variable}_FILE")
        return Path(file).read_text() if file else environment[variable]

    def environment(self, name: str) -> dict[str, str]:
        """The environment that the file gives to a service, and what every container has."""
        mounts = self.mounts(name)
        image = str(self._images.get(name, Path(sys.executable).parent))
        given = {key: value for key, value in self.services[name].get("environment", {}).items() if value is not None}
        return {
            "PATH": os.pathsep.join((str(self._programs), image, SYSTEM_PATH)),
            "HOME": str(mounts.get("/var/lib/pawsort", self.folder)),
            "TMPDIR": str(mounts["/tmp"]),
            "LANG": "C.UTF-8",
            # Without an image it is the code of this interpreter, wherever that is.
            **({} if self._images else {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}),
            **leftovers.mark(),
            **{key: self._places.rewrite(name, str(value), mounts) for key, value in given.items()},
        }

    def command(self, name: str) -> list[str]:
        """The command of a service."""
        service, mounts = self.services[name], self.mounts(name)
        words = [*(service.get("entrypoint") or []), *service["command"]]
        words = [self._places.rewrite(name, word.replace("$$", "$"), mounts) for word in words]
        if name == "s3":
            words = [word.replace("-ip=s3", "-ip=127.0.0.1") for word in words]
        if name == "proxy" and os.getuid() == 0:
            words = [word.replace("daemon off;", "daemon off; user root;") for word in words]
        if name == "postgres":
            words += ["-D", str(self._data(name)), "-p", str(self.port(name)), "-k", str(mounts["/tmp"])]
        return words

    # Starting and ending

    def start(self, *names: str) -> None:
        """Start services and whatever they need first, each when what it depends on is ready."""
        for name in names or tuple(self.services):
            if name in self.processes and self.processes[name].poll() in (None, 0):
                continue
            for other, needed in self.services[name].get("depends_on", {}).items():
                self.start(other)
                if needed["condition"] == "service_completed_successfully":
                    self.wait_completed(other)
                else:
                    self.wait_healthy(other)
            self.begin(name)

    def begin(self, name: str, replica: str = "") -> subprocess.Popen[bytes]:
        """Start one service and wait for nothing. `replica`: what another one of the same kind is called."""
        if name == "postgres":
            self._make_cluster()
        with self._log(name + replica).open("ab") as log:
            process = subprocess.Popen(
                self.command(name),
                env=self.environment(name),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **_postgres_user(name),
            )
        self.processes[name + replica] = process
        return process

    def wait_completed(self, name: str) -> None:
        code = self.processes[name].wait(within(START_S))
        assert code == 0, f"{name} ended with {code}\n{self.log(name)}"

    def wait_healthy(self, name: str) -> None:
        """Run the service's health check, as an engine does, until it succeeds."""
        check = self.services[name]["healthcheck"]["test"]
        words = ["sh", "-c", check[1]] if check[0] == "CMD-SHELL" else check[1:]
        words = [self._places.rewrite(name, word.replace("$$", "$"), self.mounts(name)) for word in words]

        def is_healthy() -> bool:
            assert self.processes[name].poll() is None, f"{name} ended\n{self.log(name)}"
            return subprocess.run(words, env=self.environment(name), capture_output=True, check=False).returncode == 0

        until(is_healthy, START_S, f"{name} to get healthy", lambda: self.log(name))

    def run(self, name: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """`docker compose run`: another command with a service's environment."""
        environment = {**self.environment(name), **variables}
        return subprocess.run(
            words,
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=within(START_S * 4),
        )

    def kill(self, name: str) -> None:
        """`kill -9` of everything that a service runs."""
        process = self.processes.pop(name)
        for pid in [process.pid, *(one.pid for one in living_below(process.pid))]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()

    def stop(self, name: str) -> float:
        """Ask a service to end and see that it does within its grace; returns the seconds it took."""
        process = self.processes.pop(name)
        if process.poll() is not None:
            return 0.0
        begun = time.monotonic()
        process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        grace = seconds(self.services[name.partition("#")[0]].get("stop_grace_period", "10s"))
        process.wait(within(grace))
        return time.monotonic() - begun

    def close(self) -> None:
        """Kill whatever still runs, and remove everything."""
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self, name: str, n_lines: int = 30) -> str:
        """The end of what a service said."""
        return "\n".join(self._log(name).read_text("utf-8", "replace").splitlines()[-n_lines:])

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    # PostgreSQL's image makes its cluster at the first start; here we do.

    def _data(self, name: str) -> Path:
        return self.mounts(name)["/var/lib/postgresql"] / "data"

    def _make_cluster(self) -> None:
        data = self._data("postgres")
        user = _postgres_user("postgres")
        for place in self.mounts("postgres").values():
            if user:
                shutil.chown(place, user["user"])
        if data.exists():
            return
        environment = self.environment("postgres")
        secret = self.folder / "postgres-password"
        secret.write_text(self.secret("postgres_password"))
        secret.chmod(0o644)
        command = [
            "initdb",
            "--auth=scram-sha-256",
            "--encoding=utf8",
            "--no-sync",
            f"--pwfile={secret}",
            "-D",
            str(data),
        ]
        command += ["-U", environment["POSTGRES_USER"]]
        _run(command, environment, user)
        single = ["postgres", "--single", "-D", str(data), "postgres"]
        _run(single, environment, user, f"CREATE DATABASE {environment['POSTGRES_DB']}\n")


def _run(command: list[str], environment: dict[str, str], user: dict[str, Any], said: str = "") -> None:
    run = subprocess.run(command, env=environment, input=said, capture_output=True, text=True, check=False, **user)
    assert run.returncode == 0, run.stdout + run.stderr


def _postgres_user(name: str) -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if name != "postgres" or os.getuid() != 0:
        return {}
    pg = pg_utils()
    pg.ensure_user_exists("pgserver")
    pg.ensure_prefix_permissions(pg.POSTGRES_VERSIONS[pg.TARGET_POSTGRES_VERSION])
    return {"user": "pgserver", "group": "pgserver", "extra_groups": []}
