"""The tables (CSV) of several jobs as one ZIP, streamed: memory holds a part of one table."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

from core.base.file_names import safe_name
from core.jobs.export_snapshot import ExportSnapshot
from web.exports.formats import CSV, ExportOptions
from web.exports.names import UniqueNames
from web.exports.zip_writer import ZipWriter
from web.http.context import Services


def table_blocks(services: Services, snapshots: Sequence[ExportSnapshot]) -> Iterator[bytes]:
    """The ZIP in blocks: for each job a CSV with its name, and `-partial` if the job has not ended."""
    names = UniqueNames()
    with closing(ZipWriter(int(time.time()))) as archive:
        for snapshot in snapshots:
            partial = "-partial" if snapshot.is_partial else ""
            name = names.reserve(safe_name(f"{snapshot.job.name}{partial}.csv"))
            with tempfile.TemporaryFile() as table:
                table.writelines(CSV.write(services, snapshot, ExportOptions(has_bom=True)))
                yield from archive.add_written(name, table)
        yield from archive.finish()
