"""The Excel workbook: the cells of the CSV, as texts and numbers, whatever files are called."""

import csv
import io
import zipfile
from uuid import UUID
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from core.base.database import Database
from core.base.errors import ErrorCode, TooLarge
from core.storage.blobs import Blobs
from tests.support.factories import draw_picture, make_job, make_upload, run_job
from web.exports import workbook

DATABASES = ("sqlite",)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ODD_PATHS = [
    "=1+1.jpg",
    "@SUM(A1)",
    "mailto:a@b.c",
    "1e5",
    "猫 & <b>.jpg",
    "_x0041_.jpg",
    " a  b ",
    "\ufffe.jpg",
    "\1.jpg",
]


@pytest.fixture
def job(app: object, db: Database, blobs: Blobs) -> UUID:
    upload = make_upload(db, blobs, files={path: draw_picture(n) for n, path in enumerate(ODD_PATHS)})
    job = make_job(db, upload, threshold=0.8)
    run_job(db, job, {"1e5": ErrorCode.NOT_AN_IMAGE})
    return job


def read_sheet(data: bytes) -> tuple[ElementTree.Element, list[list[str | float | None]]]:
    """The sheet, and its cells by row; texts as text, numbers as numbers."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    rows: list[list[str | float | None]] = []
    for row in sheet.iter(f"{MAIN}row"):
        cells: dict[int, str | float | None] = {}
        for cell in row:
            column = ord(cell.attrib["r"].rstrip("0123456789")) - ord("A")
            is_text = cell.attrib.get("t") == "inlineStr"
            cells[column] = "".join(cell.itertext()) if is_text else float("".join(cell.itertext()))
        rows.append([cells.get(column) for column in range(14)])
    return sheet, rows


def test_it_has_the_cells_of_the_csv_with_types_and_no_formula(client: FlaskClient, job: UUID) -> None:
    answer = client.get(f"/api/v1/jobs/{job}/export.xlsx")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith("photos.xlsx")
    sheet, (header, *rows) = read_sheet(answer.data)
    lines = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/jobs/{job}/export.csv").text)))
    assert header == list(lines[0])
    assert list(sheet.iter(f"{MAIN}f")) == []
    assert [row[0] for row in rows] == [*ODD_PATHS[:5], "_x005F_x0041_.jpg", ODD_PATHS[6], "\\ufffe.jpg", "_x0001_.jpg"]
    for row, line in zip(rows, lines, strict=True):
        named = dict(zip(header, row, strict=True))
        assert (named["label"] or "", named["error_code"] or "") == (line["label"], line["error_code"])
        assert named["confidence"] == (float(line["confidence"]) if line["confidence"] else None)
        assert named["image_id"] == int(line["image_id"])


def test_it_can_list_the_failed_files_alone(client: FlaskClient, job: UUID) -> None:
    _, rows = read_sheet(client.get(f"/api/v1/jobs/{job}/export.xlsx?error_code=any").data)
    assert [row[0] for row in rows[1:]] == ["1e5"]


def test_a_job_that_a_sheet_cannot_hold_is_refused_with_what_to_do(
    client: FlaskClient, job: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_FILES", 8)
    answer = client.get(f"/api/v1/jobs/{job}/export.xlsx")
    assert answer.status_code == 413
    assert answer.get_json()["detail"].endswith("and this job has 9. Download the table as CSV.")
    assert client.get(f"/api/v1/jobs/{job}/export.xlsx?error_code=any").status_code == 200


def test_the_limit_is_that_of_excel() -> None:
    workbook.check_fits(1_048_575)
    with pytest.raises(TooLarge, match="1,048,575 files"):
        workbook.check_fits(1_048_576)
