"""Folders that schedules may read: below the operator's roots, wherever links lead."""

from pathlib import Path

import pytest

from core.base.config import load_settings
from core.base.errors import ConfigError, Invalid
from core.storage.allowed_roots import check_source, find_root


def test_a_folder_below_a_root_is_taken(tmp_path: Path) -> None:
    (tmp_path / "in" / "2026").mkdir(parents=True)
    assert check_source(f"{tmp_path}/in/2026/", [str(tmp_path / "in")]) == str(tmp_path / "in" / "2026")
    assert check_source(f"{tmp_path}/in", [str(tmp_path / "in")]) == str(tmp_path / "in")


@pytest.mark.parametrize("source", ["/etc", "{root}/..", "{root}/../outside", "{root}x", "{root}/link", "{root}/loop"])
def test_a_folder_outside_of_the_roots_is_refused(tmp_path: Path, source: str) -> None:
    root = tmp_path / "in"
    for folder in (root, tmp_path / "outside", tmp_path / "inx"):
        folder.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root / "loop")
    with pytest.raises(Invalid, match=r"outside the folders|cannot be opened|there is no folder"):
        check_source(source.format(root=root), [str(root)])


@pytest.mark.parametrize(
    "source",
    ["", "photos", "s3://", "s3://bucket/../x", "s3://bucket//x", "s3://bucket/%2e%2e/x", "a\0b", "/x" * 5000],
)
def test_what_is_no_folder_and_no_prefix_is_refused(source: str) -> None:
    with pytest.raises(Invalid, match="source: "):
        check_source(source, ["/srv", "s3://bucket"])


def test_a_folder_that_is_not_there_is_refused_where_its_root_is(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="there is no folder"):
        check_source(f"{tmp_path}/missing", [str(tmp_path)])
    elsewhere = f"{tmp_path}/not/mounted/here"
    assert check_source(f"{elsewhere}/photos", [elsewhere]) == f"{elsewhere}/photos"


def test_a_prefix_below_a_root_is_taken_and_one_that_only_begins_alike_is_not() -> None:
    roots = ["s3://bucket/in/"]
    assert check_source("s3://bucket/in/2026/", roots) == "s3://bucket/in/2026"
    assert find_root("s3://bucket/in/2026", roots) == "s3://bucket/in"
    for source in ("s3://bucket/inside", "s3://other/in", "gs://bucket/in", "s3://bucket"):
        with pytest.raises(Invalid, match="outside"):
            check_source(source, roots)


@pytest.mark.parametrize("escape", ["%2e%2e", ".%2E", "%2e.", "..", ".\t.", "..\\"])
def test_a_stored_prefix_that_leads_out_of_its_root_is_below_none(escape: str) -> None:
    assert find_root(f"s3://bucket/in/{escape}/secret", ["s3://bucket/in"]) is None


def test_without_roots_nothing_is_read_and_the_sentence_says_who_can_allow_it() -> None:
    with pytest.raises(Invalid, match=r"no folder may be read yet\. Ask your administrator"):
        check_source("/srv", [])


def test_roots_are_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWSORT_IMPORT_ROOTS", "/srv/photos, s3://bucket/in")
    assert load_settings().import_root_list == ["/srv/photos", "s3://bucket/in"]
    monkeypatch.setenv("PAWSORT_IMPORT_ROOTS", "photos")
    with pytest.raises(ConfigError, match=r"PAWSORT_IMPORT_ROOTS: .*absolute paths"):
        load_settings()
