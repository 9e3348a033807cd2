"""An installation that has been used: jobs of every kind, labels, a deleted upload."""

from core.base.database import Database
from core.base.errors import ErrorCode
from core.cleanup import deletion, purge
from core.labels import labels
from core.models import registry
from core.storage.blobs import Blobs
from tests.support.actors import as_owner
from tests.support.factories import (
    make_job,
    make_labelled,
    make_manifest,
    make_training,
    make_upload,
    run_epochs,
    run_job,
)


def use_installation(db: Database, blobs: Blobs) -> None:
    """Fill an empty installation with what people leave in one."""
    manifest = make_manifest(weights=b"weights")
    with db.write() as session:
        registry.register_shipped(session, [manifest])
    blobs.put(registry.weights_key(manifest["digest"]), b"weights")
    run_job(db, make_job(db, make_upload(db, blobs)), {"photos/2.jpg": ErrorCode.TRUNCATED})
    with db.write() as session:
        labels.add_labels(session, None, [labels.NewLabel(1, "cat")])
    make_job(db, make_upload(db, blobs, is_complete=False), name="under way")
    run_epochs(db, make_training(db, make_labelled(db, blobs)), 3)
    blobs.put("state 3", b"what the training resumes from")
    gone = make_job(db, make_upload(db, blobs, n_files=9))
    with db.write() as session:
        deletion.delete_job(session, as_owner(session), gone)
    purge.purge_all(db, blobs)
