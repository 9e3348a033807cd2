"""Images without a registry: a Debian for the Dockerfile's base, and stand-ins for the servers of the compose file."""

import re
import shutil
import subprocess
from pathlib import Path

from tests.containers.engine import HERE, Engine
from tests.support.paths import ROOT

SUITE = "trixie"
PACKAGES = "ca-certificates,python3,python3-pip,python3-venv"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
OWN = {"pawsort-web": "web", "pawsort-worker": "worker", "pawsort-training": "training"}
STAND_INS = ("postgres", "valkey", "seaweedfs", "nginx", "helm", "clock")


def base_name() -> str:
    """The image that the Dockerfile begins with."""
    return re.findall(r"^FROM (\S+/\S+) AS", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]


def build(engine: Engine, servers: list[str]) -> None:
    """Make the base if it is missing, and build everything on it; the builder keeps what has not changed.

    Args:
        servers: The images of the servers in the compose file.
    """
    if not has(engine, base_name()):
        make_base(engine, base_name())
    for image in servers:
        build_stand_in(engine, image)
    for name, target in OWN.items():
        build_own(engine, name, target)


def has(engine: Engine, image: str) -> bool:
    """Whether the engine has an image."""
    return engine.run("image", "inspect", image, check=False).returncode == 0


def build_own(engine: Engine, name: str, target: str, *options: str) -> None:
    """Build an image of ours from the Dockerfile as it is."""
    engine.run("build", "--network", "host", "--target", target, "--tag", name, *options, str(ROOT))


def build_stand_in(engine: Engine, image: str, base: str | None = None) -> None:
    """Build a server from Debian's and PyPI's packages, with users, folders and commands of the real image."""
    (target,) = [one for one in STAND_INS if one in image]
    arguments = ("--build-arg", f"BASE={base or base_name()}", "--target", target, "--tag", image)
    engine.run("build", "--network", "host", *arguments, str(HERE / "stand_ins"))


def make_base(engine: Engine, name: str) -> None:
    """A minimal Debian with Python, which trusts the certificates that this machine trusts."""
    folder = Path(engine.environment["DOCKER_HOST"].removeprefix("unix://")).parent / "base"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
    shutil.copy(CERTIFICATES, folder / str(CERTIFICATES).lstrip("/"))
    for part in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"):
        shutil.rmtree(folder / part, ignore_errors=True)
    changes = (f"ENV PIP_CERT={CERTIFICATES}", f"ENV SSL_CERT_FILE={CERTIFICATES}", 'CMD ["python3"]')
    options = [part for change in changes for part in ("--change", change)]
    with subprocess.Popen(["tar", "--directory", str(folder), "--create", "."], stdout=subprocess.PIPE) as tar:
        engine.run("import", *options, "-", name, stdin=tar.stdout)
    assert tar.returncode == 0
    shutil.rmtree(folder)
