"""What systems and tools leave in folders, by name, and the copies of its table."""

import json
import unicodedata
from pathlib import Path

import pytest

from core.formats.ignored_names import kind_of_path
from tests.support.ignored_paths import COUNTED, IGNORED

ROOT = Path(__file__).parents[3]
TABLE = ROOT / "core/formats/ignored_names.json"


@pytest.mark.parametrize(("path", "kind"), [(path, kind) for kind, paths in IGNORED.items() for path in paths])
def test_what_is_left_behind_has_its_kind_in_any_case_and_normal_form(path: str, kind: str) -> None:
    for spelling in (path, path.upper(), path.lower(), f"Ü/{path}", unicodedata.normalize("NFD", path)):
        assert kind_of_path(spelling) == kind


@pytest.mark.parametrize("path", COUNTED)
def test_other_files_count(path: str) -> None:
    assert kind_of_path(path) is None


def test_client_and_page_have_the_same_table() -> None:
    script = (ROOT / "web/static/upload/input/ignored_names.js").read_text("utf-8")
    in_page = json.loads(script.partition("IGNORED_NAMES = ")[2].strip().removesuffix(";"))
    in_client = json.loads((ROOT / "client/pawsort/uploads/ignored_names.json").read_text("utf-8"))
    assert in_page == in_client == json.loads(TABLE.read_text("utf-8"))


def test_the_table_is_in_lower_case_and_normal_form() -> None:
    names = [name for kind in json.loads(TABLE.read_text("utf-8")) for name in (*kind["files"], *kind["folders"])]
    assert names == [unicodedata.normalize("NFC", name).lower() for name in names]
    assert len(names) > 100
