"""Walking folders: what is sent, under which path, in which order."""

import os
import sys
from pathlib import Path

import pytest

from core.formats import ignored_names as server
from pawsort.uploads.ignored_names import count_words
from pawsort.uploads.sources import IgnoredFile, SkippedPath, SourceFile, count_files, walk
from tests.support.ignored_paths import SOME_PATHS


def paths_of(*given: Path, everything: bool = False) -> list[str]:
    return [item.path for item in walk(given, everything) if isinstance(item, SourceFile)]


def skipped_of(*given: Path) -> dict[str, SkippedPath]:
    return {item.path: item for item in walk(given) if isinstance(item, SkippedPath)}


def write(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_paths_begin_with_the_folders_name_and_are_sorted_in_each_folder(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/2.jpg", "a/1.jpg", "Z.jpg"):
        write(tmp_path / "photos" / name)
    assert paths_of(tmp_path / "photos") == ["photos/Z.jpg", "photos/a/1.jpg", "photos/a/2.jpg", "photos/b.jpg"]


def test_a_folder_given_as_a_dot_has_its_real_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "photos" / "a.jpg")
    monkeypatch.chdir(tmp_path / "photos")
    assert paths_of(Path()) == ["photos/a.jpg"]


def test_what_systems_leave_behind_is_ignored_wherever_it_lies(tmp_path: Path) -> None:
    for name in (
        ".DS_Store",
        "a/Thumbs.db",
        "desktop.ini",
        "a/._cat.jpg",
        "__MACOSX/cat.jpg",
        "a/cat.jpg",
        ".hidden.jpg",
    ):
        write(tmp_path / "photos" / name)
    assert paths_of(tmp_path / "photos", write(tmp_path / "Thumbs.db")) == ["photos/.hidden.jpg", "photos/a/cat.jpg"]


@pytest.mark.parametrize("path", SOME_PATHS)
def test_client_and_server_ignore_the_same_files(tmp_path: Path, path: str) -> None:
    write(tmp_path / "photos" / path)
    kinds = [item.kind if isinstance(item, IgnoredFile) else None for item in walk([tmp_path / "photos"])]
    assert kinds == [server.kind_of_path(path)]
    assert paths_of(tmp_path / "photos", everything=True) == [f"photos/{path}"]


def test_a_folder_is_never_left_out_for_its_own_name(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "a.jpg")
    assert paths_of(tmp_path / ".git") == [".git/a.jpg"]


def test_files_left_out_are_counted_by_kind(tmp_path: Path) -> None:
    for name in ("a.jpg", "@eaDir/a/1.jpg", "@eaDir/a/2.jpg", "a.xmp"):
        write(tmp_path / "photos" / name)
    counts = count_files(walk([tmp_path / "photos"]))
    assert counts.n_files == 1
    assert count_words(counts.ignored) == "3 files: 2 files of a network drive, 1 sidecar file"


def test_links_and_pipes_are_skipped_with_a_reason_and_lose_nothing(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos" / "a.jpg").parent
    (photos / "link.jpg").symlink_to(photos / "a.jpg")
    (photos / "round").symlink_to(photos)
    os.mkfifo(photos / "pipe")
    assert paths_of(photos) == ["photos/a.jpg"]
    skipped = skipped_of(photos)
    assert skipped.keys() == {"photos/link.jpg", "photos/round", "photos/pipe"}
    assert not any(item.lost for item in skipped.values())
    assert "link" in skipped["photos/link.jpg"].reason


def test_unicode_is_kept_exactly_and_case_too(tmp_path: Path) -> None:
    names = [
        "Кошка.jpg",
        "猫.jpg",
        "🐈.jpg",
        "e\u0301.jpg",
        "\u00e9.jpg",
        "Cat.JPG",
        "cat.jpg",
        "x" * 251 + ".jpg",
        "a\nb.jpg",
    ]
    for name in names:
        write(tmp_path / "photos" / name)
    assert sorted(paths_of(tmp_path / "photos")) == sorted(f"photos/{name}" for name in names)


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system there takes UTF-8 names only")
def test_a_name_that_is_not_utf8_is_sent_with_its_bytes_written_out(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos" / "a.jpg").parent
    write(Path(os.fsdecode(os.fsencode(photos) + b"/caf\xe9.jpg")))
    write(photos / r"caf\xe9.jpg")
    assert paths_of(photos) == ["photos/a.jpg", r"photos/caf\xe9.jpg", r"photos/caf\xe9 (2).jpg"]


def test_folders_ten_deep_and_deeper_are_walked(tmp_path: Path) -> None:
    deep = "/".join(f"level{n}" for n in range(60))
    write(tmp_path / "photos" / deep / "a.jpg")
    assert paths_of(tmp_path / "photos") == [f"photos/{deep}/a.jpg"]


def test_two_folders_of_one_name_stay_apart_and_a_folder_given_twice_counts_once(tmp_path: Path) -> None:
    for parent in ("x", "y"):
        write(tmp_path / parent / "photos" / "a.jpg")
    given = [tmp_path / "x" / "photos", tmp_path / "y" / "photos", tmp_path / "x" / ".." / "x" / "photos"]
    assert paths_of(*given) == ["photos/a.jpg", "photos (2)/a.jpg"]


def test_loose_files_are_sent_under_their_names_and_two_of_one_name_stay_apart(tmp_path: Path) -> None:
    assert paths_of(write(tmp_path / "a.jpg"), write(tmp_path / "x" / "a.jpg")) == ["a.jpg", "a (2).jpg"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_lost_and_the_rest_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "closed" / "a.jpg").parent.chmod(0)
    write(tmp_path / "photos" / "open.jpg")
    assert paths_of(tmp_path / "photos") == ["photos/open.jpg"]
    assert skipped_of(tmp_path / "photos")["photos/closed"].lost
