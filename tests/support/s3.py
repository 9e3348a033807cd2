"""A real S3 on this machine: SeaweedFS, with keys, and one bucket."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests.support.ports import free_port
from tests.support.waiting import until

BUCKET = "tests"
START_S = 60.0


@contextmanager
def running_s3(folder: Path) -> Iterator[str]:
    """Start it, with its keys in the environment as they are in production; gives `s3://bucket`."""
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    keys = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests-secret"}
    command = [str(Path(sys.executable).parent / "weed"), "server", f"-dir={folder}", "-ip=127.0.0.1", "-filer", "-s3"]
    command += [f"-{name}.port={number}" for name, number in ports.items()]
    command += ["-master.volumeSizeLimitMB=64", "-volume.max=0", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    address = f"http://127.0.0.1:{ports['s3']}"
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("wb") as log:
        for name, value in {**keys, "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1"}.items():
            patch.setenv(name, value)
        own = {**os.environ, "TMPDIR": str(folder)}  # where it keeps logs
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=own)
        try:
            _wait(address, folder / "log")
            yield f"s3://{BUCKET}"
        finally:
            process.kill()
            process.wait()


def _wait(address: str, log: Path) -> None:
    """SeaweedFS makes a bucket when the first object comes."""
    store = S3Store(BUCKET, endpoint=address, client_options={"allow_http": True}, retry_config={"max_retries": 0})

    def is_there() -> bool:
        try:
            store.put("started", b"")
        except (BaseError, OSError):
            return False
        return True

    until(is_there, START_S, "the store", lambda: log.read_text("utf-8", "replace")[-2000:])
