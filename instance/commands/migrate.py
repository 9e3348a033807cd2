"""`pawsort migrate`: run by `up` and by compose; harmless to repeat."""

import click

from instance.supervisor.error_messages import sentences
from instance.supervisor.messages import as_service, tell


@click.command("migrate")
def command() -> None:
    """Bring the database's schema up and register the models that are shipped with this version.

    A new installation puts the default model into use; an upgrade only adds candidates.
    """
    with as_service(), sentences():
        from core.base.config import load_settings
        from core.models.registry import current_version
        from core.operations.log_setup import set_up_logs
        from instance.supervisor.prepare import migrate_installation

        set_up_logs()
        db = migrate_installation(load_settings())
        with db.read() as session:
            version = current_version(session)
        db.close()
    tell("migrated", f"The schema is up to date. In use: version {version.id} ({version.network}).")
