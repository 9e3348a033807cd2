"""Files that another program lists are uploaded under their own paths; what is wrong with one is said."""

import io
from pathlib import Path

import pytest

from pawsort.uploads.listed_files import name_of_list, read_list, walk_listed
from pawsort.uploads.sources import IgnoredFile, SkippedPath, SourceFile


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.jpg", "photos/new\nline.jpg", "photos/@eaDir/b.jpg", "photos/Thumbs.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1234")
    (tmp_path / "photos/link.jpg").symlink_to("a.jpg")
    return tmp_path


def test_lines_and_zero_bytes_end_paths_and_none_comes_twice() -> None:
    assert read_list(io.BytesIO(b"a.jpg\n./a.jpg\na.jpg\n"), ends_with_null=False) == [Path("a.jpg"), Path("a.jpg")]
    listed = read_list(io.BytesIO(b"photos/new\nline.jpg\0photos/\xff.jpg\0"), ends_with_null=True)
    assert [str(path) for path in listed] == ["photos/new\nline.jpg", "photos/\udcff.jpg"]


def test_files_keep_their_folders_and_what_is_no_file_is_said(folder: Path) -> None:
    names = ("a.jpg", "link.jpg", "gone.jpg", "@eaDir/b.jpg", "Thumbs.db")
    listed = [Path("photos"), *(Path("photos") / name for name in names)]
    source, link, gone, *left_out = walk_listed(listed)
    assert source == SourceFile("photos/a.jpg", Path("photos/a.jpg"), 4)
    assert link == SkippedPath("photos/link.jpg", "a link")
    assert gone == SkippedPath("photos/gone.jpg", "it cannot be read: No such file or directory", lost=True)
    assert [type(one) for one in left_out] == [IgnoredFile, IgnoredFile]
    assert len([one for one in walk_listed(listed, everything=True) if isinstance(one, SourceFile)]) == 3


def test_paths_from_elsewhere_lose_their_root_and_stay_apart(folder: Path) -> None:
    (folder.parent / "x").symlink_to(folder)
    absolute, climbing = folder / "photos/a.jpg", Path("../x/photos/a.jpg")
    paths = [one.path for one in walk_listed([absolute, Path("photos/a.jpg"), climbing])]
    assert paths == [str(absolute).removeprefix("/"), "photos/a.jpg", "x/photos/a.jpg"]


def test_a_job_over_a_list_is_named_after_its_folder() -> None:
    assert name_of_list([Path("photos/a.jpg"), Path("photos/b/c.jpg")]) == "photos"
    assert name_of_list([Path("photos/a.jpg"), Path("more/b.jpg")]) == "files"
    assert name_of_list([Path("a.jpg")]) == "files"
