"""The checks of `pawsort doctor`. Each one returns that all is well, or what is wrong and what to do."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from instance.base.data_dir import describe_access, prepare_data_dir
from instance.supervisor.attach import find_instance
from pawsort.api.connection import Connection
from pawsort.api.errors import ClientError, Unreachable
from pawsort.api.transport import Transport

if TYPE_CHECKING:
    from core.base.config import Settings
    from core.base.database import Database
    from core.storage.blobs import Blobs

MIB = 2**20
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the output. With `is_wrong`, the command ends with 1; None: there was nothing to check."""

    subject: str
    is_wrong: bool | None
    sentence: str


class Checkup:
    """All checks of one installation.

    Args:
        orphan_age_s: Younger blobs are ignored: they may belong to a shard that is being uploaded.
    """

    def __init__(self, settings: "Settings", orphan_age_s: float) -> None:
        self._settings = settings
        self._orphan_age_s = orphan_age_s
        self._instance = find_instance(settings.data_dir)

    def run(self) -> Iterator[Finding]:
        """Run the checks, basic ones first. Checks that need a broken part are left out."""
        yield _guarded("disk", self._check_disk)
        yield self._check_page()
        yield _guarded("broker", self._check_broker)
        if self._settings.oidc_issuer:
            yield _guarded("login provider", self._check_provider)
        settings = _guarded("settings", self._check_settings)
        yield settings
        if settings.is_wrong:
            return
        db, blobs = self._open()
        database = _guarded("database", lambda: self._check_database(db))
        store = _guarded("blob store", lambda: self._check_store(blobs))
        yield from (database, store)
        if not database.is_wrong:
            yield _guarded("workers", lambda: self._check_workers(db))
            yield _guarded("backup", lambda: self._find_backup(db))
            if not store.is_wrong:
                yield _guarded("model", lambda: self._check_model(db, blobs))
                yield _guarded("orphans", lambda: self._check_orphans(db, blobs))
                yield _guarded("shards", lambda: self._check_missing(db, blobs))
        db.close()

    def _check_disk(self) -> Finding:
        folder = self._settings.data_dir
        if not folder.exists():
            return Finding("disk", True, f"PAWSORT_DATA_DIR: {folder} does not exist yet. `pawsort up` creates it.")
        prepare_data_dir(folder)
        folders = self._data_folders()
        if not folders:
            return Finding("disk", None, "database and blobs are on servers; this machine keeps copies only")
        warning = describe_access(folder)
        free, folder = min((shutil.disk_usage(one).free, one) for one in folders)
        sentence = f"{free // MIB:,} MiB free for {folder}"
        if free < 2 * self._settings.min_free_bytes:
            return Finding(
                "disk", True, f"{sentence}: too little. Free disk space or delete jobs; uploads are soon refused."
            )
        return Finding("disk", None, f"{sentence}. {warning}") if warning else Finding("disk", False, sentence)

    def _data_folders(self) -> list[Path]:
        """The folders of this machine that grow: with SQLite's file, and with blobs."""
        urls = (self._settings.sql_url, self._settings.store_url)
        paths = [Path(unquote(urlsplit(url).path)) for url in urls if url.startswith(("sqlite:", "file:"))]
        return [next(one for one in (path, *path.parents) if one.is_dir()) for path in paths]

    def _check_provider(self) -> Finding:
        from core.accounts.openid.settings import read_provider_settings

        provider = read_provider_settings(self._settings)
        assert provider is not None
        try:
            from core.accounts.openid.provider import ProviderClient
        except ModuleNotFoundError:
            return Finding("login provider", None, "is checked where the web server is installed")
        ProviderClient(provider).metadata()
        return Finding("login provider", False, f"{provider.issuer} answers")

    def _check_settings(self) -> Finding:
        """Check what web and workers refuse at their start, as far as it is set here."""
        from core.base.config import check_secret_key
        from core.base.gpus import check_gpus

        db, _ = self._open()
        db.close()
        check_gpus()
        if self._settings.secret_key.get_secret_value():
            check_secret_key(self._settings)
        return Finding("settings", False, "are valid")

    def _open(self) -> "tuple[Database, Blobs]":
        from core.base.database import Database
        from core.storage.blobs import Blobs

        return Database(self._settings.sql_url), Blobs(self._settings.store_url)

    def _check_page(self) -> Finding:
        if self._instance is None:
            return Finding("page", None, f"no `pawsort up` runs on {self._settings.data_dir}")
        address = self._instance.address
        with suppress(Unreachable), closing(Transport(Connection(address))) as transport:
            if transport.greet():
                return Finding("page", False, f"{address} answers")
        logs = self._settings.data_dir / "logs" / "web.log"
        return Finding("page", True, f"{address} does not answer. Read {logs}, or restart Pawsort.")

    def _check_broker(self) -> Finding:
        from core.messaging.broker import check_broker

        url = self._settings.redis_url or (self._instance.redis_url if self._instance else "")
        if not url:
            todo = "`pawsort web` and `pawsort worker` need PAWSORT_REDIS_URL"
            return Finding("broker", None, f"embedded in `pawsort up`, which does not run; {todo}")
        check_broker(self._settings.model_copy(update={"redis_url": url}))
        return Finding("broker", False, f"{_without_password(url)} answers")

    def _check_database(self, db: "Database") -> Finding:
        from migrations.run import check_schema

        check_schema(db)
        db.check_writable()
        return Finding("database", False, f"{_without_password(self._settings.sql_url)} answers")

    def _check_store(self, blobs: "Blobs") -> Finding:
        key = f"doctor/{os.urandom(8).hex()}"
        blobs.put(key, b"ok")
        try:
            if bytes(blobs.get(key)) != b"ok":
                return Finding("blob store", True, "a blob reads differently than it was written. Check the store.")
        finally:
            blobs.delete([key])
        return Finding("blob store", False, f"{self._settings.store_url} stores and returns blobs")

    def _check_workers(self, db: "Database") -> Finding:
        from core.operations.workers import list_alive, list_silent

        alive_s = self._settings.alive_s
        with db.read() as session:
            unresponsive = [f"{row.queue} on {row.host} (process {row.pid})" for row in list_silent(session, alive_s)]
            alive = [(worker.queue, worker.host, worker.device) for worker in list_alive(session, alive_s)]
        if not alive and self._instance is None:
            return Finding("workers", None, "none is alive. `pawsort up` starts them")
        n_inference = sum(queue == "inference" for queue, _, _ in alive)
        if n_inference == 0:
            logs = self._settings.data_dir / "logs" / "inference.log"
            todo = "Start one, or read its log" if self._instance is None else f"Read {logs}"
            return Finding("workers", True, f"no inference worker is alive, so jobs wait. {todo}.")
        if unresponsive:
            todo = "End those that hang. The logs of the others say why they ended"
            return Finding(
                "workers", True, f"{len(unresponsive)} stopped sending heartbeats: {_first(unresponsive)}. {todo}."
            )
        hosts = sorted({f"{host} ({device})" for queue, host, device in alive if queue == "inference"})
        return Finding("workers", False, f"{n_inference} for inference on {', '.join(hosts)}")

    def _check_model(self, db: "Database", blobs: "Blobs") -> Finding:
        import hashlib

        from core.models.conversions import find
        from core.models.registry import current_version, weights_key

        with db.read() as session:
            version = current_version(session)
            conversion = find(session, version.id)
        converted = None if conversion is None else conversion.digest
        for digest in (version.digest, converted):
            if digest is not None and hashlib.sha256(blobs.get(weights_key(digest))).hexdigest() != digest:
                damaged = f"the weights of version {version.id} are damaged. Run `pawsort migrate`."
                return Finding("model", True, damaged)
        return Finding("model", False, f"version {version.id} ({version.network}) is in use, its weights are intact")

    def _find_backup(self, db: "Database") -> Finding:
        from core.operations.backup.holds import find_last

        with db.read() as session:
            last = find_last(session)
        if last is None or last.finished_at is None:
            return Finding("backup", None, "none was made yet. `pawsort backup FOLDER` makes one")
        return Finding(
            "backup", False, f"the last one ended at {last.finished_at:%Y-%m-%d %H:%M} UTC, in {last.folder}"
        )

    def _check_orphans(self, db: "Database", blobs: "Blobs") -> Finding:
        from core.cleanup.purge import find_orphans

        orphans = list(find_orphans(db, blobs, time.time() - self._orphan_age_s))
        if orphans:
            todo = "The maintenance worker deletes them within an hour, if it runs."
            return Finding("orphans", True, f"{len(orphans):,} blobs are orphans: {_first(orphans)}. {todo}")
        return Finding("orphans", False, "there are none")

    def _check_missing(self, db: "Database", blobs: "Blobs") -> Finding:
        from core.cleanup.purge import find_missing

        missing = find_missing(db, blobs)
        if missing:
            todo = "Restore them from a backup of the blob store, or delete the jobs that need them."
            return Finding("shards", True, f"{len(missing):,} are missing in the blob store: {_first(missing)}. {todo}")
        return Finding("shards", False, "all are in the blob store")


def _guarded(subject: str, check: Callable[[], Finding]) -> Finding:
    """Run a check. Its failure is a finding, too."""
    from core.base.errors import PawsortError

    try:
        return check()
    except (PawsortError, ClientError) as error:
        return Finding(subject, True, error.message)
    except Exception as error:  # whatever a library raises: the other checks go on
        reason = next(iter(str(error).splitlines()), "")
        return Finding(subject, True, f"it failed with {type(error).__name__}: {reason}")


def _first(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(islice(names, SHOWN)) + more


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
