"""Connections to PostgreSQL that go silent in the middle of a job: work goes on, and nobody touches anything."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.support.installation import QUICK, START_S, Installation
from tests.support.photographs import make_shards
from tests.support.silent_proxy import SilentProxy, connect_to_socket
from tests.support.soundness import check_sound

DATABASES = ("postgresql",)
GOES_ON_S = 90.0


@pytest.fixture
def proxy(sql_url: str) -> Iterator[SilentProxy]:
    """A proxy in front of PostgreSQL."""
    with SilentProxy(partial(connect_to_socket, f"{make_url(sql_url).query['host']}/.s.PGSQL.5432")) as one:
        yield one


@pytest.mark.slow
def test_work_goes_on_when_all_connections_go_silent(sql_url: str, proxy: SilentProxy, tmp_path: Path) -> None:
    through = make_url(sql_url).set(host="127.0.0.1", port=proxy.port, query={})
    address = through.render_as_string(hide_password=False)
    with Installation.running(tmp_path / "data", **QUICK, PAWSORT_DATABASE_URL=address) as one:
        upload = one.send(make_shards(4, 4))
        one.wait_for_job(one.classify(upload), START_S)
        with one.holding():
            job = one.classify(upload)
            one.wait_under_way(job)
            assert proxy.go_silent() > 3
        one.wait_for_job(job, GOES_ON_S)
        check_sound(one.db, job)
        with one.http(timeout_s=GOES_ON_S) as http:
            assert http.get(f"/jobs/{job}").json()["state"] == "done"
