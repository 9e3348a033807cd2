"""Jobs of earlier versions know which of their pictures are probably neither."""

from alembic import command
from sqlalchemy import select

from core.base.database import Database
from core.base.errors import ErrorCode
from core.models import registry
from core.orm.results import HistogramBin
from core.storage.blobs import Blobs
from migrations.run import make_config
from tests.support.factories import make_job, make_manifest, make_upload, run_job
from tests.support.soundness import check_counters

SAID = {
    "photos/0.jpg": (0.0, 0.03),
    "photos/1.jpg": (0.42, 0.05),
    "photos/2.jpg": (0.25, 0.25),  # exactly half is not more than half
    "photos/3.jpg": ErrorCode.TRUNCATED,
    "photos/4.jpg": (0.48, 0.5),
}


def test_results_of_an_older_installation_are_counted(db: Database, blobs: Blobs) -> None:
    with db.write() as session:
        registry.register_shipped(session, [make_manifest()])
    job = make_job(db, make_upload(db, blobs, n_files=6))
    run_job(db, job, SAID)
    with db.engine.execution_options(writes=True).begin() as connection:
        config = make_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0024")
        command.upgrade(config, "head")
    with db.read() as session:
        assert sum(session.scalars(select(HistogramBin.n_neither))) == 2
    check_counters(db, str(job))
