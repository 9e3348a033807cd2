"""Ten thousand results leave as Parquet, their labels change in pandas, and the table comes home."""

import io
import re
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pandas
import pytest
from click.testing import CliRunner

from core.base.database import Database
from core.formats.shards import index_shard
from core.ingest import shard_rows
from core.storage.blobs import Blobs, shard_key
from core.uploads import uploads
from pawsort.cli import cli
from tests.support.actors import as_owner
from tests.support.factories import make_job, make_tar, run_job

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("version")]
N = 10_000
SHARD = 250
LABELS = ("cat", "dog", "neither")


@pytest.fixture
def job(db: Database, blobs: Blobs) -> UUID:
    """A finished job over as many contents, which nobody decodes."""
    upload = uuid4()
    with db.write() as session:
        uploads.create_upload(session, as_owner(session), upload, "many")
    for seq in range(N // SHARD):
        tar = make_tar({f"many/{n}.jpg": b"%d" % n for n in range(seq * SHARD, (seq + 1) * SHARD)})
        key, index = shard_key(upload, seq), index_shard(io.BytesIO(tar).read, max_image_bytes=2**20)
        blobs.put(key, tar)
        with db.write() as session:
            shard_rows.add_shard(session, as_owner(session), upload, seq, index, key, 2**40)
    with db.write() as session:
        shard_rows.complete_upload(session, as_owner(session), upload, N // SHARD)
    job = make_job(db, upload)
    run_job(db, job)
    return job


def test_ten_thousand_labels_come_home_equal_and_are_undone_in_one_act(
    served: httpx2.Client, token: str, job: UUID, tmp_path: Path
) -> None:
    def run(*words: object) -> str:
        done = CliRunner(env={"PAWSORT_TOKEN": token}).invoke(cli, [*map(str, words), "--server", str(served.base_url)])
        assert done.exit_code == 0, done.output
        return done.stderr

    def export(name: str) -> pandas.DataFrame:
        run("export", job, "-o", tmp_path / name)
        return pandas.read_parquet(tmp_path / name)

    table = export("out.parquet")
    assert (len(table), table["human_label"].count()) == (N, 0)
    changed = table.assign(human_label=[LABELS[n % 3] for n in range(N)], final_label=[LABELS[n % 3] for n in range(N)])
    changed.to_parquet(tmp_path / "changed.parquet")
    said = run("labels", "import", tmp_path / "changed.parquet")
    pandas.testing.assert_frame_equal(export("home.parquet"), changed)
    batch = re.search(r"pawsort labels undo (\S+)", said)
    assert batch is not None
    assert f"{N:,} labels undone." in run("labels", "undo", batch[1])
    pandas.testing.assert_frame_equal(export("undone.parquet"), table)
