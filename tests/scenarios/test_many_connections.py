"""Many at once: no process opens more connections than it may, and each of them gets its turn."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select, text

from core.base.database import Database
from core.operations.metrics import REQUESTS, Meter, MetricsSnapshot
from core.orm.uploads import Upload

DATABASES = ("postgresql",)
N_AT_ONCE, POOL = 64, 4
OVERFLOW = 4  # what the docs say a process opens beyond its pool
CONNECTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"
)


def test_a_storm_of_requests_waits_in_line(db: Database, sql_url: str) -> None:
    crowded = Database(sql_url, POOL)
    most = 0

    def ask(number: int) -> None:
        nonlocal most
        with crowded.read() as session:
            session.scalars(select(func.count()).select_from(Upload)).one()
            most = max(most, session.execute(CONNECTIONS).scalar_one() + 1)
        meter = Meter()
        meter.count(REQUESTS, route="/", method="GET", status=str(200 + number % 3))
        meter.flush(crowded)

    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        list(pool.map(ask, range(N_AT_ONCE * 5)))
    crowded.close()
    assert POOL < most <= POOL + OVERFLOW
    with db.read() as session:
        measured = MetricsSnapshot(session)
        assert measured.total(REQUESTS) == N_AT_ONCE * 5  # all wrote the same three rows
        assert len(measured.counts(REQUESTS)) == 3
