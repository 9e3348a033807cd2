"""The formats that results can be exported in: API routes, links on the job page and the client follow this list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import select

from core.base.clock import db_now
from core.jobs import navigation
from core.jobs.export_snapshot import ExportSnapshot
from core.jobs.progress import describe
from core.jobs.result_filter import ALL_RESULTS, ResultFilter
from core.models import registry
from core.orm.jobs import Job
from web.exports import workbook
from web.exports.label_preference import LABEL_BY, By, count_by
from web.exports.origin import describe_origin
from web.exports.originals import list_pictures, read_originals
from web.exports.parquet import parquet_blocks
from web.exports.report import MOST_ERRORS, MOST_PICTURES, report_blocks
from web.exports.rows import check_at_end, in_blocks, iterate_rows
from web.exports.sort_manifest import ManifestWriter
from web.exports.sorted_zip import Tree, zip_blocks
from web.exports.tables import csv_lines, json_lines
from web.http.context import Services


@dataclass(frozen=True)
class ExportOptions:
    """What a caller may choose; a format uses those of its `options`."""

    results: ResultFilter = ALL_RESULTS
    by: By = By.FINAL
    tree: Tree = Tree.KEEP
    has_bom: bool = False


@dataclass(frozen=True)
class ExportFormat:
    """One format.

    Attributes:
        name: Unique; part of the operation's id in OpenAPI.
        path: Below the address of a job in the API; its ending is the ending of the file.
        title: On the button that downloads it.
        hint: On the job page, what it is for.
        summary: One line for the API's description.
        description: More about it for the API's description, or "".
        content: What the file contains, for the API's description.
        options: The `ExportOptions` that it uses, by their names in the query: ("filter",), ("filter", "bom"),
            ("filter", "by") or ("filter", "by", "tree").
        write: Yields the file in blocks.
        page_query: What the button on the page asks for.
        is_for_programs: Whether people have little use for it.
        is_slow: Whether the page shows that it is being made.
        most_pictures: How many pictures it shows; None for all.
        has_limit: Whether it refuses jobs with too many files.
        needs_originals: Whether it cannot be made once the originals were discarded.
        has_bare_rows: Whether it has no room for where its rows come from, so that a header says it.
    """

    name: str
    path: str
    media_type: str
    title: str
    hint: str
    summary: str
    description: str
    content: str
    options: tuple[str, ...]
    write: Callable[[Services, ExportSnapshot, ExportOptions], Iterable[bytes]]
    page_query: str = ""
    is_for_programs: bool = False
    is_slow: bool = False
    most_pictures: int | None = None
    has_limit: bool = False
    needs_originals: bool = False
    has_bare_rows: bool = False

    @property
    def has_choices(self) -> bool:
        """Whether the page asks how to make it, for example with whose labels."""
        return "by" in self.options

    @property
    def ending(self) -> str:
        """The ending of the file, without the dot."""
        return self.path.rpartition(".")[2]


def _write_csv(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    rows, network = iterate_rows(services, snapshot, options.results), _read_network(services, snapshot.job)
    return in_blocks(csv_lines(rows, network, options.has_bom))


def _write_jsonl(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    return in_blocks(
        json_lines(iterate_rows(services, snapshot, options.results), _read_network(services, snapshot.job))
    )


def _write_parquet(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    with services.db.read() as session:
        origin = describe_origin(session, snapshot)
    return parquet_blocks(iterate_rows(services, snapshot, options.results), origin)


def _write_xlsx(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    workbook.check_fits(_count_rows(services, snapshot.job, options.results))
    with services.db.read() as session:
        origin = describe_origin(session, snapshot)
    return workbook.xlsx_blocks(iterate_rows(services, snapshot, options.results), origin)


def _count_rows(services: Services, job: Job, wanted: ResultFilter) -> int:
    """At most how many files a filter lets through; counted only where the job has more than fit into a sheet."""
    n_files = job.n_done + job.n_failed
    if n_files <= workbook.MAX_FILES or wanted == ALL_RESULTS:
        return n_files
    with services.db.read() as session:
        return navigation.count_results(session, job, wanted)


def _read_network(services: Services, job: Job) -> str:
    with services.db.read() as session:
        version = registry.get_any(session, job.model_version_id)
    return version.network if version else ""


def _write_zip(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    with services.db.read() as session:
        exported_at = session.scalars(select(db_now())).one()  # before its labels are read
    manifest = ManifestWriter(snapshot.job.uuid, exported_at, options.by)
    files = read_originals(services, iterate_rows(services, snapshot, options.results))
    return zip_blocks(check_at_end(services, snapshot, files), options.by, options.tree, manifest)


def _write_report(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    with services.db.read() as session:
        view = describe(session, snapshot.job)
        counts = count_by(options.by, navigation.count_by_label(session, snapshot.job, options.results))
    least_sure_first = iterate_rows(services, snapshot, replace(options.results, sort="confidence"))
    labelled = islice((row for row in least_sure_first if LABEL_BY[options.by](row) is not None), MOST_PICTURES)
    errors = islice(iterate_rows(services, snapshot, replace(options.results, failed=True)), MOST_ERRORS)
    pictures = check_at_end(services, snapshot, list_pictures(services, labelled))
    return report_blocks(view, options.by, counts, pictures, errors, services.thumbnails)


CSV = ExportFormat(
    name="csv",
    path="export.csv",
    media_type="text/csv",
    title="Table (CSV)",
    hint="for spreadsheets: one line per file",
    summary="All results as CSV, one line per file that has a result so far",
    description="A cell that a spreadsheet would run as a formula gets a leading `'`. `bom=1` is for Excel.",
    content="UTF-8, six decimals",
    options=("filter", "bom"),
    write=_write_csv,
    page_query="?bom=1",
    has_bare_rows=True,
)
EXPORTS = (
    CSV,
    ExportFormat(
        name="xlsx",
        path="export.xlsx",
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        title="Excel (XLSX)",
        hint="opens with a double click",
        summary="All results as an Excel workbook",
        description="At most 1,048,575 files, which is what a sheet holds. No cell is a formula. The properties of the"
        " document name job, version, threshold and decoding.",
        content="The columns of the CSV, with types",
        options=("filter",),
        write=_write_xlsx,
        is_slow=True,
        has_limit=True,
    ),
    ExportFormat(
        name="jsonl",
        path="export.jsonl",
        media_type="application/jsonl",
        title="JSON Lines",
        hint="for programs: one object per file",
        summary="All results as JSON Lines; paths exactly as uploaded",
        description="",
        content="One object per line",
        options=("filter",),
        write=_write_jsonl,
        is_for_programs=True,
        has_bare_rows=True,
    ),
    ExportFormat(
        name="parquet",
        path="export.parquet",
        media_type="application/vnd.apache.parquet",
        title="Parquet",
        hint="for data analysis: typed columns",
        summary="All results as Parquet",
        description="Its key-value metadata names job, version, threshold and decoding, as `pawsort.job` and so on.",
        content="The columns of the CSV, with types",
        options=("filter",),
        write=_write_parquet,
        is_for_programs=True,
    ),
    ExportFormat(
        name="report",
        path="report.html",
        media_type="text/html",
        title="Report (HTML)",
        hint="A single page with thumbnails, to keep or share",
        summary="A report with thumbnails as a single HTML file, lowest confidence first; works offline",
        description="With `by=person` it shows only pictures that people have labelled.",
        content="One file that includes its pictures",
        options=("filter", "by"),
        write=_write_report,
        is_slow=True,
        most_pictures=MOST_PICTURES,
    ),
    ExportFormat(
        name="zip",
        path="export.zip",
        media_type="application/zip",
        title="Pictures (ZIP)",
        hint="The pictures themselves, in one folder per label",
        summary="The original files in a folder per label, and a list of the failed ones",
        description="Rearranged and sent back, it is read as corrections; with `pawsort-manifest.jsonl` in it, newer"
        " labels stay. Names that Windows cannot unpack are changed; `renamed.csv` lists them.",
        content="Folders by label (`unsure/probably_neither` too), the manifest, errors.csv, renamed.csv if needed",
        options=("filter", "by", "tree"),
        write=_write_zip,
        needs_originals=True,
    ),
)
