"""`pawsort migrate`: migrate the schema. `up` and compose run it too; repeating it is harmless."""

import click

from instance.base.core_errors import translate_core_errors
from instance.services.service_messages import errors_as_log_messages, log_message
from pawsort.help import examples
from pawsort.terminal import show


@click.command(
    "migrate",
    short_help="Migrate the schema and register the included models.",
    epilog=examples("pawsort migrate", "pawsort migrate --json"),
)
def command() -> None:
    """Migrate the database's schema and register the included models.

    In a new installation, the default model is put into use. An upgrade only adds candidates.
    """
    with errors_as_log_messages(), translate_core_errors():
        from core.base.config import load_settings
        from core.models.registry import current_version
        from core.operations.log_setup import set_up_logs
        from instance.base.migration import migrate_installation

        set_up_logs()
        db = migrate_installation(load_settings())
        with db.read() as session:
            version = current_version(session)
        db.close()
    log_message("migrated", f"The schema is up to date. In use: version {version.id} ({version.network}).")
    show({"version": version.id, "network": version.network})
