"""Hours of mixed load: memory, handles and connections stay flat once an installation has settled; logs are bounded.

On SQLite with a folder, and on PostgreSQL with S3.

A short form by default; `make load` takes hours. PAWSORT_TEST_LOAD_S says for how long, PAWSORT_TEST_LOAD_PAUSE_S how
long each person waits between two acts, PAWSORT_TEST_LOAD_FILE where the samples are kept.
"""

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from core.decoding.pool.decoder_pool import DEFAULT_DECODER
from tests.support.installation import QUICK, Installation
from tests.support.mixed_load import Person
from tests.support.resource_samples import Sampler, read_trends
from tests.support.tiny_server import Answer, tiny_server

N_PEOPLE = 2
LASTS_S = float(os.environ.get("PAWSORT_TEST_LOAD_S", "240"))
PAUSE_S = float(os.environ.get("PAWSORT_TEST_LOAD_PAUSE_S", "0.5"))
SETTLED_AFTER_S = min(600.0, LASTS_S / 3)
SAMPLE_EVERY_S = min(60.0, LASTS_S / 40)
LOG_BYTES_PER_ACT = 8_192


@pytest.mark.slow
def test_nothing_grows_under_hours_of_mixed_load(sql_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    file = Path(os.environ.get("PAWSORT_TEST_LOAD_FILE", tmp_path / "samples.csv"))
    settings = {
        **QUICK,
        "PAWSORT_LEASE_S": "15",
        "PAWSORT_HEARTBEAT_S": "5",
        "PAWSORT_RECONCILE_S": "5",
        "PAWSORT_INFERENCE_PROCESSES": "1",
        "PAWSORT_DECODER": DEFAULT_DECODER,
        "PAWSORT_DATABASE_URL": sql_url,
        **({"PAWSORT_BLOB_URL": f"{request.getfixturevalue('s3')}/load"} if sql_url.startswith("postgresql") else {}),
        "PAWSORT_IMPORT_ROOTS": str(incoming),
        "PAWSORT_WEBHOOK_HOSTS": "127.0.0.1",
    }
    with tiny_server(Answer()) as (hook, _), Installation.running(tmp_path / "data", **settings) as one:
        one.wait_for_workers(1)
        people = [Person(one, incoming, hook, PAUSE_S, seed) for seed in range(N_PEOPLE)]
        sampler = Sampler(one, file, SAMPLE_EVERY_S)
        for thread in (sampler, *people):
            thread.start()
        time.sleep(LASTS_S)
        for person in people:
            person.stop()
        sampler.stop()
        log_bytes = sum(log.stat().st_size for log in (one.data_dir / "logs").glob("*.log"))
    acts, refused = sum((p.acts for p in people), Counter()), sum((p.refused for p in people), Counter())
    trends = read_trends(file, SETTLED_AFTER_S)
    print(acts, refused, f"{log_bytes:,} bytes of logs", *trends, sep="\n")
    assert refused.total() <= acts.total() / 20
    assert log_bytes / acts.total() < LOG_BYTES_PER_ACT
    assert [str(trend) for trend in trends if not trend.is_flat] == []
