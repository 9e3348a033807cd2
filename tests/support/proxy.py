"""The proxy's files of `deploy/nginx`, served by a real nginx in front of a web server of a test."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import leftovers
from tests.support.paths import ROOT
from tests.support.ports import free_port


@contextmanager
def running_proxy(folder: Path, web: str) -> Iterator[str]:
    """The address of a proxy without TLS.

    Args:
        web: The address of the server behind it.
    """
    port = free_port()
    shutil.copy("/etc/nginx/mime.types", folder)  # the image has its own
    for name in ("nginx.conf", "locations.conf"):
        words = (ROOT / "deploy" / "nginx" / name).read_text().replace("http://web:8000", web)
        words = words.replace("/etc/nginx", str(folder)).replace("/tmp/nginx", str(folder / "nginx"))
        words = words.replace("/dev/stdout", "off").replace("listen 8080", f"listen 127.0.0.1:{port}")
        (folder / name).write_text(words.replace("access_log off plain", "access_log off"))
    directives = "daemon off;" + (" user root;" if os.getuid() == 0 else "")
    environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", **leftovers.mark()}
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-g", directives]
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
