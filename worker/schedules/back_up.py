"""Runs that back up the installation into the operator's folder and delete backups that are no longer wanted."""

from pathlib import Path

from core.accounts.audit_log import Action, record
from core.accounts.rights import Actor
from core.base.errors import ConfigError, DiskFull, Invalid
from core.base.states import RunState
from core.operations.backup import making
from core.operations.backup.backup_folder import BackupFolder
from core.operations.backup.making import Keep
from core.orm.schedules import ScheduleRun
from core.schedules import runs
from core.schedules.runs import RunClaim
from worker.process.runtime import Runtime


def back_up(runtime: Runtime, claim: RunClaim, run: ScheduleRun, actor: Actor) -> None:
    """Do a claimed backup run. Killed, it begins again and copies only what is not there yet.

    Raises:
        LeaseLost: The claim is no longer valid.
        PawsortError: There is no folder, it cannot be written, or blobs are missing.
    """
    folder = runtime.settings.backup_dir
    if not folder:
        raise ConfigError("PAWSORT_BACKUP_DIR: expected the folder for backups; it is not set. Set it and restart.")
    keep = Keep(run.parameters["keep_daily"], run.parameters["keep_weekly"])
    try:
        manifest = making.back_up(runtime.db, runtime.blobs, BackupFolder(Path(folder)), keep)
    except DiskFull as error:
        raise Invalid(f"The disk of {folder} is full. Free disk space there.") from error
    except OSError as error:
        raise Invalid(f"The folder {folder} cannot be written ({error.strerror}).") from error
    with runtime.db.write() as session:
        outcome = f"Backed up {len(manifest.blobs):,} blobs and the database, {manifest.n_bytes / 1e6:,.1f} MB."
        runs.end_run(session, claim, RunState.DONE, outcome)
        record(session, actor, Action.BACKUP_CREATE, folder=folder, blobs=len(manifest.blobs))
