"""Scripts, styles and icons at addresses that browsers may keep for good."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from web.http.delivery.static_files import FOLDER, SHEETS, StaticFiles

LASTING = "public, max-age=31536000, immutable"


def _addresses(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page)


def test_every_file_that_a_page_names_may_be_kept_for_good(client: FlaskClient) -> None:
    addresses = _addresses(client.get("/").text)
    kept = {address: client.get(address).headers["Cache-Control"] for address in addresses}
    assert len(kept) > 10
    assert set(kept.values()) == {LASTING}


def test_a_page_names_all_modules_that_its_script_imports(client: FlaskClient) -> None:
    addresses = _addresses(client.get("/").text)
    names = {address.split("/", 3)[3] for address in addresses}
    assert set(StaticFiles().imports("upload/view/page.js")) <= names


def test_an_address_of_another_release_gets_the_file_as_it_is_now_and_is_not_kept(client: FlaskClient) -> None:
    answer = client.get(f"/static/{'0' * 16}/shared/server/http.js")
    assert answer.data == (FOLDER / "shared/server/http.js").read_bytes()
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["nowhere.js", "../app.py", "%2e%2e/app.py", "0123456789abcdef/"])
def test_what_is_no_static_file_is_404(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_the_digest_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "style").mkdir()
    for sheet in SHEETS:
        (tmp_path / f"style/{sheet}.css").write_text("p {}")
    before = StaticFiles(tmp_path).digest
    (tmp_path / "style" / f"{SHEETS[-1]}.css").write_text("p { }")
    assert StaticFiles(tmp_path).digest != before


def test_every_sheet_of_the_folder_goes_out() -> None:
    assert {path.stem for path in (FOLDER / "style").iterdir()} == set(SHEETS)


def test_scripts_set_no_property_whose_name_is_computed() -> None:
    """Names from elsewhere, such as `__proto__`, change no object: maps and `Object.fromEntries` hold them."""
    computed = re.compile(r"([\w#]+)\[([^\]\n]+)\]\s*(?:\?\?|\|\||&&|[-+*/|&^])?=(?![=>])")
    harmless = re.compile(r"\d+|i(?: - \d+)?|.* \? \"\w+\" : \"\w+\"")
    numbers = re.compile(r"(\w+) = new \w+(?:8|32|64)Array\b")
    found = []
    for path in FOLDER.rglob("*.js"):
        text = path.read_text("utf-8")
        arrays = numbers.findall(text)
        set_here = [name for name, index in computed.findall(text) if not harmless.fullmatch(index)]
        found += [(path.name, name) for name in set_here if name not in arrays]
        found += [(path.name, word) for word in ("__proto__", ".prototype", "setPrototypeOf") if word in text]
    assert found == []
