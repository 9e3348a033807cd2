"""Sorting on one's own disk: found by path and content, never overwritten, repeated without effect."""

import errno
import hashlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pawsort.api.errors import ClientError
from pawsort.files.place_file import PlacementMode
from pawsort.files.sort_by_label import LabelledPicture, LabelSource, Sorter, SortSummary, read_pictures

FILES = {"photos/a.jpg": b"a", "photos/sub/b.jpg": b"b", "photos/c.jpg": b"c"}
LABELS = {"photos/a.jpg": "cat", "photos/sub/b.jpg": "dog", "photos/c.jpg": "unsure"}
SORTED = {"cat/photos/a.jpg": b"a", "dog/photos/sub/b.jpg": b"b", "unsure/photos/c.jpg": b"c"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """The folder as it was sent."""
    write(tmp_path, FILES)
    return tmp_path / "photos"


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def pictures(files: dict[str, bytes] = FILES, labels: dict[str, str] = LABELS) -> list[LabelledPicture]:
    return [LabelledPicture(path, hashlib.sha256(data).digest(), labels.get(path)) for path, data in files.items()]


def sort(
    photos: Path, way: PlacementMode = PlacementMode.LINK, some: list[LabelledPicture] | None = None, **how: bool
) -> SortSummary:
    return Sorter(photos, photos.parent / "sorted", way, **how).sort(pictures() if some is None else some)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("way", list(PlacementMode))
def test_pictures_lie_in_folders_by_label(photos: Path, way: PlacementMode) -> None:
    outcome = sort(photos, way)
    assert tree(photos.parent / "sorted") == SORTED
    assert (outcome.placed, outcome.is_complete) == ({"cat": 1, "dog": 1, "unsure": 1}, True)
    assert len(tree(photos)) == (0 if way == PlacementMode.MOVE else 3)
    if way != PlacementMode.MOVE:
        is_same = (photos / "a.jpg").samefile(photos.parent / "sorted/cat/photos/a.jpg")
        assert is_same == (way == PlacementMode.LINK)


@pytest.mark.parametrize("way", list(PlacementMode))
def test_repeated_it_changes_nothing(photos: Path, way: PlacementMode) -> None:
    sort(photos, way)
    before = {file: file.stat().st_mtime_ns for file in photos.parent.rglob("*")}
    outcome = sort(photos, way)
    assert (outcome.n_already_placed, outcome.placed.total(), outcome.is_complete) == (3, 0, True)
    assert {file: file.stat().st_mtime_ns for file in photos.parent.rglob("*")} == before


def test_a_dry_run_says_the_same_and_does_nothing(photos: Path) -> None:
    assert sort(photos, is_dry=True).placed == {"cat": 1, "dog": 1, "unsure": 1}
    assert not (photos.parent / "sorted").exists()


def test_renamed_and_moved_pictures_are_found_by_their_content(photos: Path) -> None:
    (photos / "a.jpg").rename(photos / "sub" / "holiday.jpg")
    photos.rename(photos.parent / "pictures")
    outcome = sort(photos.parent / "pictures")
    assert tree(photos.parent / "sorted") == SORTED
    assert outcome.is_complete


def test_a_picture_that_was_changed_or_removed_is_listed_and_the_others_are_sorted(photos: Path) -> None:
    (photos / "a.jpg").write_bytes(b"edited")
    (photos / "c.jpg").unlink()
    outcome = sort(photos)
    assert outcome.missing == ["photos/a.jpg", "photos/c.jpg"]
    assert tree(photos.parent / "sorted") == {"dog/photos/sub/b.jpg": b"b"}


def test_something_different_in_the_way_is_never_overwritten(photos: Path) -> None:
    write(photos.parent, {"sorted/cat/photos/a.jpg": b"something else"})
    sort(photos)
    sort(photos)
    assert tree(photos.parent / "sorted") == SORTED | {
        "cat/photos/a.jpg": b"something else",
        "cat/photos/a (2).jpg": b"a",
    }


def test_flat_folders_number_pictures_of_the_same_name_and_keep_that_when_repeated(photos: Path) -> None:
    files = {"photos/1/a.jpg": b"1", "photos/2/a.jpg": b"2", "photos/3/a.jpg": b"2"}
    write(photos.parent, files)
    some = pictures(files, dict.fromkeys(files, "cat"))
    for _ in range(2):
        outcome = sort(photos, some=some, is_flat=True)
        assert tree(photos.parent / "sorted") == {"cat/a.jpg": b"1", "cat/a (2).jpg": b"2", "cat/a (3).jpg": b"2"}
    assert outcome.n_already_placed == 3


def test_what_somebody_put_into_another_folder_stays_there(photos: Path) -> None:
    sort(photos)
    target = photos.parent / "sorted"
    (target / "cat/photos/a.jpg").rename(target / "dog/a.jpg")
    outcome = sort(photos)
    assert outcome.elsewhere == [("photos/a.jpg", target / "dog/a.jpg")]
    assert not (target / "cat/photos/a.jpg").exists()
    assert not outcome.is_complete


def test_a_move_that_was_killed_between_its_two_steps_is_finished(photos: Path) -> None:
    target = photos.parent / "sorted/cat/photos/a.jpg"
    target.parent.mkdir(parents=True)
    os.link(photos / "a.jpg", target)
    outcome = sort(photos, PlacementMode.MOVE)
    assert (outcome.n_already_placed, tree(photos)) == (1, {})


def test_a_folder_inside_the_one_that_was_sent_takes_the_sorted_ones(photos: Path) -> None:
    for _ in range(2):
        outcome = Sorter(photos, photos / "sorted", PlacementMode.COPY).sort(pictures())
    assert tree(photos / "sorted") == SORTED
    assert outcome.n_already_placed == 3


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM])
def test_where_hard_links_cannot_be_the_sentence_names_the_other_ways(
    photos: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(ClientError, match="Use --copy to copy"):
        sort(photos)
    assert tree(photos) == {"a.jpg": b"a", "sub/b.jpg": b"b", "c.jpg": b"c"}
    sort(photos, PlacementMode.MOVE)
    assert (tree(photos.parent / "sorted"), tree(photos)) == (SORTED, {})


@pytest.mark.parametrize("path", ["../../x.jpg", "photos/../../../x.jpg", "/x.jpg"])
def test_a_server_that_names_climbing_paths_gets_nowhere(photos: Path, path: str) -> None:
    outcome = sort(photos, some=[LabelledPicture(path, hashlib.sha256(b"a").digest(), "../cat")])
    assert outcome.placed.total() == 1
    assert [str(file) for file in tree(photos.parent)].count("x.jpg") == 0
    assert all(file.name == "x.jpg" for file in (photos.parent / "sorted").rglob("*") if file.is_file())
    assert len(tree(photos.parent)) == 4


def test_links_in_the_source_are_not_followed(photos: Path) -> None:
    (photos.parent / "outside.jpg").write_bytes(b"secret")
    (photos / "link.jpg").symlink_to(photos.parent / "outside.jpg")
    outcome = sort(photos, some=[LabelledPicture("photos/link.jpg", hashlib.sha256(b"secret").digest(), "cat")])
    assert outcome.missing == ["photos/link.jpg"]


@pytest.mark.parametrize(
    ("by", "labels"),
    [
        (LabelSource.FINAL, ["dog", "cat", None]),
        (LabelSource.MODEL, ["cat", "cat", None]),
        (LabelSource.PERSON, ["dog", "unlabelled", None]),
    ],
)
def test_whose_label_decides(by: LabelSource, labels: list[str | None]) -> None:
    line = '{"path":"p","label":%s,"human_label":%s,"final_label":%s,"error_code":%s,"sha256":"00"}'
    rows = [('"cat"', '"dog"', '"dog"', "null"), ('"cat"', "null", '"cat"', "null"), ("null", "null", "null", '"x"')]
    data = "\n".join(line % row for row in rows).encode()
    assert [one.folder for one in read_pictures([data[:50], data[50:]], by)] == labels


def test_what_is_probably_neither_lies_in_a_folder_below_unsure(photos: Path) -> None:
    row = {"path": "photos/a.jpg", "sha256": hashlib.sha256(b"a").hexdigest(), "error_code": None}
    rows = [row | {"final_label": "unsure", "p_neither": p} for p in (0.51, 0.5, None)]
    some = list(read_pictures([json.dumps(one).encode() + b"\n" for one in rows], LabelSource.FINAL))
    assert [one.folder for one in some] == ["unsure/probably_neither", "unsure", "unsure"]
    sort(photos, some=some[:1])
    assert tree(photos.parent / "sorted") == {"unsure/probably_neither/photos/a.jpg": b"a"}


@pytest.mark.parametrize("is_reversed", [False, True])
def test_equal_names_take_time_in_proportion_to_their_number(tmp_path: Path, is_reversed: bool) -> None:
    def cost(n_files: int) -> int:
        files = {f"photos/{n}/a.jpg": b"%d" % n for n in range(n_files)}
        folder = tmp_path / str(n_files)
        write(folder, files)
        labels = dict.fromkeys(files, "cat")
        calls = Counter[str]()

        def count(frame: FrameType, event: str, _: object) -> None:
            calls[event] += 1

        some = pictures(files, labels)
        sort(folder / "photos", some=some, is_flat=True)
        sys.setprofile(count)
        try:
            again = sort(folder / "photos", some=some[::-1] if is_reversed else some, is_flat=True)
        finally:
            sys.setprofile(None)
        assert again.n_already_placed == n_files
        return calls.total()

    assert cost(400) < 5 * cost(100)


def test_names_that_windows_does_not_accept_are_changed_and_named(photos: Path) -> None:
    files = {"photos/aux.jpg": b"x", "photos/12:30.jpg": b"y"}
    write(photos.parent, files)
    some = pictures(files, dict.fromkeys(files, "cat"))
    summary = sort(photos, some=some)
    assert tree(photos.parent / "sorted") == {"cat/photos/_aux.jpg": b"x", "cat/photos/12_30.jpg": b"y"}
    assert summary.renamed == [
        ("photos/aux.jpg", "cat/photos/_aux.jpg"),
        ("photos/12:30.jpg", "cat/photos/12_30.jpg"),
    ]
    assert sort(photos, some=some).n_already_placed == 2


def test_names_that_differ_only_in_case_or_composition_get_numbers(photos: Path) -> None:
    files = {"photos/A.jpg": b"1", "photos/caf\u00e9.jpg": b"2", "photos/cafe\u0301.jpg": b"3", "photos/a.jpg": b"4"}
    write(photos.parent, files)
    some = pictures(files, dict.fromkeys(files, "cat"))
    sort(photos, some=some)
    names = {"A.jpg": b"1", "caf\u00e9.jpg": b"2", "caf\u00e9 (2).jpg": b"3", "A (2).jpg": b"4"}
    assert tree(photos.parent / "sorted") == {f"cat/photos/{name}": data for name, data in names.items()}
