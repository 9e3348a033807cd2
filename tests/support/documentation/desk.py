"""A checkout in which the commands of a page are run, next to a running instance that has one finished job.

What a page calls photos, labelled, JOB or https://pawsort.example.org is there under these names, or is put in place of
them. Nothing outside the desk is changed.
"""

import io
import os
import random
import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from backports import zstd
from PIL import Image

from tests.support.documentation.statements import Statement
from tests.support.factories import draw_picture
from tests.support.installation import Installation
from tests.support.paths import ROOT
from tests.support.ports import free_port

PICTURES = {f"{n}.jpg": draw_picture(n) for n in range(6)}
N_LABELLED = 100  # of each class
LONG_AGO = 1_767_225_600  # January 2026: what is older than an installation need not be installed again
# Pages that start an instance of their own.
STARTING = ("README.md", "CONTRIBUTING.md")
PRELUDE = """set -euo pipefail -o allexport
curl() { command curl -fsS "$@"; }
uuidgen() { python -c 'import uuid; print(uuid.uuid4())'; }
until_ready() { python -m tests.support.documentation.until_ready "$@"; }
"""
# Variables that a page sets, in its shell or in .env, are settings with good values.
CODA = "python -c 'from core.base.config import load_settings; load_settings()'"


@dataclass(frozen=True)
class Site:
    """A running instance, and what the pages name of it; `version` was in use at its start."""

    installation: Installation
    version: int
    job: str
    sha256: str
    image_id: int
    tools: Sequence[Path]


class Desk:
    """A clone of this checkout with its environment, a home, and everything that pages name."""

    def __init__(self, folder: Path, site: Site, page: Path) -> None:
        self._folder, self._site, self._page = folder, site, page
        _clone(folder)
        _add_files(folder, site)

    def run(self, statements: Sequence[Statement]) -> None:
        """Run the statements in one shell.

        Raises:
            AssertionError: One of them has failed; the text shows which, and what it printed.
        """
        lines = [_as_line(one, self._replace(one.text)) for one in statements]
        script = "\n".join([PRELUDE + "set -x", *lines, CODA])
        command = ["bash", "-c", script]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"

    def _environment(self) -> dict[str, str]:
        site, folder = self._site, self._folder
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PAWSORT_", "MAKE", "MFLAGS"))
        }
        data_dir = folder / "own" if self._page.name in STARTING else site.installation.data_dir
        path = [folder / ".venv" / "bin", folder / "node_modules" / ".bin", *site.tools]
        return kept | {
            "HOME": str(folder / "home"),
            "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "client")]),
            "PAWSORT_DATA_DIR": str(data_dir),
            "PAWSORT_PORT": str(free_port()),
            "PAWSORT_DEFAULT_NETWORK": "seed-cnn",
            "PAWSORT_MIN_FREE_BYTES": "0",
            "TOKEN": site.installation.record.token,
            "JOB": str(uuid4()) if self._page.name == "bulk-upload.md" else site.job,  # a new one, or the finished one
        }

    def _replace(self, text: str) -> str:
        for pattern, value in self._words().items():
            text = re.sub(pattern, value.replace("\\", r"\\"), text)
        return text

    def _words(self) -> dict[str, str]:
        site, folder = self._site, self._folder
        record = site.installation.record
        return {
            r"https://pawsort\.example\.org": record.address,
            r"http://127\.0\.0\.1:8000": record.address,
            r"postgresql://\S+": record.database_url,
            r"rediss://\S+": record.redis_url,
            r"PAWSORT_BLOB_URL=s3://bucket/pawsort": f"PAWSORT_BLOB_URL={record.blob_url}",
            r"s3://(bucket|photos)": "s3://tests",
            r"(?<![\w$/.-])JOB\b(?!=)": site.job,
            r"(?<![\w$])TOKEN\b(?!=)": record.token,
            r"9f86d0…": site.sha256,
            r'"image_id": 12': f'"image_id": {site.image_id}',
            r"/mnt/backup": str(folder / "backup"),
            r"/srv/photos": str(site.installation.data_dir.parent / "photos"),
            r"/run/secrets": str(folder / "secrets-of-services"),
            r"/tmp/schema\.db": str(folder / "schema.db"),
        }


def _as_line(statement: Statement, text: str) -> str:
    return text if statement.marker is None else f"until_ready {shlex.quote(statement.marker)} {shlex.quote(text)}"


def _clone(folder: Path) -> None:
    """The checkout, installed already: its environment is that of the tests, and nothing is newer than it."""
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    remote = folder / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    subprocess.run(["git", "remote", "set-url", "origin", str(remote)], cwd=folder, check=True)
    for name, value in {"user.name": "Tests", "user.email": "tests@example.org", "push.default": "current"}.items():
        subprocess.run(["git", "config", name, value], cwd=folder, check=True)
    environment = folder / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    for name in ("run", "test", "docs"):
        (environment / f"{name}.stamp").touch()
    for file in folder.rglob("*"):
        if file.suffix in (".txt", ".toml", ".md") or file.name == "VERSION":
            os.utime(file, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    (folder / "web" / "help").mkdir(exist_ok=True)
    (folder / "web" / "help" / ".buildinfo").touch()
    (folder / "home").mkdir()


def make_folder(folder: Path) -> None:
    """Make one of the folders that pages name: photos, or labelled with a folder for each class."""
    files = PICTURES
    if folder.name == "labelled":
        files = {
            f"{label}s/{n}.jpg": _draw_mosaic(f"{label} {n}") for n in range(N_LABELLED) for label in ("cat", "dog")
        }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def _draw_mosaic(seed: str) -> bytes:
    """A picture that is near no other: similar ones count as one where pictures are split."""
    colours = random.Random(seed).randbytes(8 * 8 * 3)
    data = io.BytesIO()
    Image.frombytes("RGB", (8, 8), colours).resize((64, 64), Image.Resampling.NEAREST).save(data, "JPEG")
    return data.getvalue()


def _add_files(folder: Path, site: Site) -> None:
    for name in ("photos", "labelled"):
        make_folder(folder / name)
    for name in ("holiday.zip", "photos.zip"):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("1.jpg", draw_picture(77))
    with io.BytesIO() as raw:
        with tarfile.open(fileobj=raw, mode="w") as archive:
            archive.add(folder / "photos", "garden")
        (folder / "garden.tar.zst").write_bytes(zstd.compress(raw.getvalue()))
    (folder / "labels.csv").write_text(f"sha256,label\n{site.sha256},dog\n", encoding="utf-8")
    secrets = folder / "secrets-of-services"
    secrets.mkdir()
    (secrets / "oidc_client_secret").write_text("secret", encoding="utf-8")
    for tool in site.tools:
        if (modules := tool.parent.parent / "node_modules").is_dir():
            (folder / "node_modules").symlink_to(modules)
