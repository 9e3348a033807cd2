"""A connection that has gone silent ends its statement in time, and the next one uses another connection."""

import time
from functools import partial

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from core.base.connections import postgresql
from core.base.database import Database, is_away
from tests.support.deadlines import within
from tests.support.silent_proxy import SilentProxy, connect_to_socket

DATABASES = ("postgresql",)
ANSWER_S = 1.0


def test_a_silent_connection_is_given_up_and_the_next_one_works(sql_url: str) -> None:
    direct = make_url(sql_url)
    path = f"{direct.query['host']}/.s.PGSQL.5432"
    with SilentProxy(partial(connect_to_socket, path)) as proxy:
        through = direct.set(host="127.0.0.1", port=proxy.port, query={}, drivername="postgresql+psycopg")
        db = Database(through.render_as_string(hide_password=False), answer_s=ANSWER_S)
        with db.read() as session:
            assert session.scalar(text("SELECT 1")) == 1
            assert proxy.go_silent() == 1
            began = time.monotonic()
            with pytest.raises(OperationalError, match="has not answered") as caught:
                session.execute(text("SELECT 2"))
        assert is_away(caught.value)
        assert ANSWER_S <= time.monotonic() - began < within(5 * ANSWER_S)
        with db.read() as session:
            assert session.scalar(text("SELECT 3")) == 3
        assert proxy.go_silent() == 2
        with db.read() as session:  # the pool's own connection is silent now: it is replaced
            assert session.scalar(text("SELECT 4")) == 4
        db.close()


def test_a_silent_connection_of_the_pool_is_replaced_long_before_an_answer_would_be_late(
    sql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "PING_S", ANSWER_S)
    direct = make_url(sql_url)
    with SilentProxy(partial(connect_to_socket, f"{direct.query['host']}/.s.PGSQL.5432")) as proxy:
        through = direct.set(host="127.0.0.1", port=proxy.port, query={}, drivername="postgresql+psycopg")
        db = Database(through.render_as_string(hide_password=False), answer_s=60 * ANSWER_S)
        with db.read() as session:
            assert session.scalar(text("SELECT 1")) == 1
        proxy.go_silent()
        began = time.monotonic()
        with db.read() as session:
            assert session.scalar(text("SELECT 2")) == 2
        assert time.monotonic() - began < within(5 * ANSWER_S)
        db.close()


def test_a_statement_that_takes_longer_is_no_silence_while_rows_come(sql_url: str) -> None:
    db = Database(sql_url, answer_s=2 * ANSWER_S)
    slowly = text("SELECT n, pg_sleep(0.3) FROM generate_series(1, 8) AS n").execution_options(yield_per=1)
    with db.engine.connect() as connection:
        assert [row.n for row in connection.execute(slowly)] == [*range(1, 9)]
    db.close()
