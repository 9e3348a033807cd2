"""Hard links in tars repeat the file that they name, within limits."""

import io

import pytest

from core.formats.archives import budget
from core.formats.archives.entries import File, Item, SkippedEntry
from core.formats.archives.reading import read_archive
from core.formats.shard_packing import ShardPacker
from tests.support.archives import make_linked_tar

A, B = b"\0a" * 50, b"\0b" * 70
ABSENT = "a hard link to a file that is not in the archive"


def read(entries: list[tuple[str, bytes | str]], max_upload_bytes: int = 2**34) -> list[Item]:
    files: dict[str, File] = {}
    found: list[Item] = []
    body = io.BytesIO(make_linked_tar(entries))
    limits = {"max_image_bytes": 2**20, "max_upload_bytes": max_upload_bytes}
    for item in read_archive(body.read, **limits, find_file=files.get):  # type: ignore[arg-type]
        if isinstance(item, File):
            files[item.path] = item
        found.append(item)
    return found


def contents(items: list[Item]) -> dict[str, bytes]:
    return {item.path: bytes(item.data or b"") for item in items if isinstance(item, File)}


@pytest.mark.parametrize(
    "entries",
    [
        [("p/a.jpg", A), ("s/cat/a.jpg", "p/a.jpg")],
        [("s/cat/a.jpg", "p/a.jpg"), ("p/a.jpg", A)],
        [("./p/a.jpg", A), ("./s/cat/a.jpg", "./p/a.jpg")],
    ],
    ids=["behind", "before", "with dots"],
)
def test_a_link_repeats_the_file_it_names(entries: list[tuple[str, bytes | str]]) -> None:
    assert contents(read(entries)) == {"p/a.jpg": A, "s/cat/a.jpg": A}


def test_links_to_links_are_followed_in_any_order() -> None:
    entries: list[tuple[str, bytes | str]] = [("3", "2"), ("2", "1"), ("1", A), ("4", "3"), ("b", B), ("5", "b")]
    assert contents(read(entries)) == {"1": A, "2": A, "3": A, "4": A, "b": B, "5": B}


def test_links_in_a_circle_to_themselves_and_to_nothing_are_skipped_and_named() -> None:
    entries: list[tuple[str, bytes | str]] = [("self", "self"), ("x", "y"), ("y", "x"), ("lost", "gone"), ("a", A)]
    items = read(entries)
    assert contents(items) == {"a": A}
    assert {item.path: item.reason for item in items if isinstance(item, SkippedEntry)} == dict.fromkeys(
        ("self", "x", "y", "lost"), ABSENT
    )


def test_a_link_to_a_file_over_the_limit_is_one_as_well() -> None:
    items = read([("big", bytes(2**20 + 1)), ("link", "big")])
    assert [(item.path, item.data, item.n_bytes) for item in items if isinstance(item, File)] == [
        ("big", None, 2**20 + 1),
        ("link", None, 2**20 + 1),
    ]


def test_what_links_repeat_counts_against_the_limit_of_an_upload() -> None:
    entries: list[tuple[str, bytes | str]] = [("a", bytes(10_000)), *((str(n), "a") for n in range(20))]
    items = read(entries, max_upload_bytes=100_000)
    n_bytes = sum(item.n_bytes for item in items if isinstance(item, File))
    assert 50_000 < n_bytes <= 100_000
    assert next(item.reason for item in items if isinstance(item, SkippedEntry)).startswith("a hard link that repeats")


def test_links_repeat_a_multiple_of_what_arrived_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "FREE_BYTES", 0)
    monkeypatch.setattr(budget, "MAX_LINK_RATIO", 2)
    items = read([("a", bytes(2**20)), *((str(n), "a") for n in range(20))])
    assert len(contents(items)) == 3


def test_a_link_repeats_a_file_of_the_shard_that_is_being_filled() -> None:
    packer = ShardPacker()
    body = io.BytesIO(make_linked_tar([("a", A), ("b", B), ("c", "a")]))
    items = read_archive(body.read, max_image_bytes=2**20, max_upload_bytes=2**30, find_file=packer.find)
    (packed,) = packer.pack(items)
    assert packed.shard is not None
    with packed.shard as shard:
        files = {item.path: item.data for item in read_tar(shard.read())}
    assert files == {"a": A, "b": B, "c": A}


def read_tar(data: bytes) -> list[File]:
    items = read_archive(io.BytesIO(data).read, max_image_bytes=2**20, max_upload_bytes=2**30)
    return [item for item in items if isinstance(item, File)]
