"""One list of export formats: whatever is in it has a route, a description, a link on the job page, and a client."""

from collections.abc import Iterable, Iterator
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from core.base.config import Settings
from core.base.database import Database
from core.jobs.export_snapshot import ExportSnapshot
from core.storage.blobs import Blobs
from pawsort.operations.jobs import FORMATS
from tests.support.applications import own_app
from tests.support.factories import make_job, make_upload, read_results, run_job
from web.api.jobs.exports import QUERIES
from web.exports import formats
from web.exports.formats import EXPORTS, ExportFormat, ExportOptions
from web.exports.rows import iterate_rows
from web.http.context import Services


def _write_paths(services: Services, snapshot: ExportSnapshot, options: ExportOptions) -> Iterable[bytes]:
    return (f"{row.path}\n".encode() for row in iterate_rows(services, snapshot, options.results))


LIST_OF_PATHS = ExportFormat(
    name="paths",
    path="paths.txt",
    media_type="text/plain",
    title="Paths only",
    hint="for scripts",
    summary="The paths of all files",
    description="",
    content="One path a line",
    options=("filter",),
    write=_write_paths,
)


@pytest.fixture
def client(settings: Settings, token: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A client of an application with one more format."""
    monkeypatch.setattr(formats, "EXPORTS", (*EXPORTS, LIST_OF_PATHS))
    with own_app(settings) as app:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        yield client


def test_a_format_added_to_the_list_is_served_described_and_offered(
    client: FlaskClient, db: Database, blobs: Blobs
) -> None:
    job = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    answer = client.get(f"/api/v1/jobs/{job}/paths.txt")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert ".txt" in answer.headers["Content-Disposition"]
    assert sorted(answer.text.splitlines()) == sorted(row.path for row in read_results(db, job))
    described = client.get("/openapi.json").json["paths"]["/api/v1/jobs/{job_uuid}/paths.txt"]["get"]  # type: ignore[index]
    assert described["summary"] == LIST_OF_PATHS.summary
    page = client.get(f"/jobs/{job}").text
    assert f'href="/api/v1/jobs/{job}/paths.txt"' in page
    assert LIST_OF_PATHS.title in page


def test_the_client_knows_the_ending_of_every_format() -> None:
    assert set(FORMATS) == {export_format.ending for export_format in EXPORTS}


def test_names_paths_and_endings_differ() -> None:
    for attribute in ("name", "path", "ending"):
        assert len({getattr(export_format, attribute) for export_format in EXPORTS}) == len(EXPORTS)


def test_every_format_has_a_query_of_its_options() -> None:
    assert {export_format.options for export_format in EXPORTS} <= QUERIES.keys()


def test_a_job_offers_every_format(client: FlaskClient, db: Database, blobs: Blobs) -> None:
    job: UUID = make_job(db, make_upload(db, blobs))
    run_job(db, job)
    page = client.get(f"/jobs/{job}").text
    for export_format in EXPORTS:
        assert f"/api/v1/jobs/{job}/{export_format.path}" in page
