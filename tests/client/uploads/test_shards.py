"""Packing: every shard is one that the server takes, whatever the files do meanwhile."""

import hashlib
import io
import os
import tarfile
import threading
from pathlib import Path

from core.formats import shards as server
from pawsort.uploads.shards import MAX_BYTES, MAX_FILES, SIZE_KEY, Limits, Shard, pack
from pawsort.uploads.sources import SkippedPath, SourceFile, walk

SMALL = Limits(max_files=3, max_bytes=100, max_image_bytes=200)


def make_sources(folder: Path, sizes: list[int]) -> list[SourceFile]:
    sources = []
    for number, size in enumerate(sizes):
        file = folder / f"{number:04d}.jpg"
        file.write_bytes(bytes([number % 256]) * size)
        sources.append(SourceFile(f"photos/{file.name}", file, file.stat().st_size))
    return sources


def entries_of(shard: Shard, max_image_bytes: int = 2**26) -> tuple[server.Entry, ...]:
    return server.index_shard(io.BytesIO(shard.tar).read, max_image_bytes=max_image_bytes).entries


def pack_all(sources: list[SourceFile], limits: Limits) -> tuple[list[Shard], list[SkippedPath]]:
    skipped: list[SkippedPath] = []
    return list(pack(sources, limits, skipped.append)), skipped


def test_limits_are_those_of_the_server() -> None:
    assert (MAX_FILES, MAX_BYTES, SIZE_KEY) == (server.MAX_FILES, server.MAX_BYTES, server.SIZE_KEY)


def test_shards_are_full_in_order_and_hold_every_file_once(tmp_path: Path) -> None:
    sources = make_sources(tmp_path, [10] * 7 + [60, 60, 40, 150, 10])
    shards, _ = pack_all(sources, SMALL)
    assert [shard.seq for shard in shards] == list(range(len(shards)))
    assert [shard.n_files for shard in shards] == [3, 3, 2, 2, 1, 1]
    assert [shard.n_bytes for shard in shards] == [30, 30, 70, 100, 150, 10]
    entries = [entry for shard in shards for entry in entries_of(shard)]
    assert [entry.path for entry in entries] == [source.path for source in sources]
    for entry, source in zip(entries, sources, strict=True):
        assert entry.sha256 == hashlib.sha256(source.file.read_bytes()).digest()


def test_files_keep_the_dates_of_the_disk(tmp_path: Path) -> None:
    sources = make_sources(tmp_path, [10, 300])
    for source in sources:
        os.utime(source.file, (1_234_567_890.5, 1_234_567_890.5))
    shards, _ = pack_all(sources, SMALL)
    with tarfile.open(fileobj=io.BytesIO(shards[0].tar)) as tar:
        assert [member.mtime for member in tar] == [1_234_567_890] * 2


def test_a_file_over_the_limit_is_an_empty_entry_with_its_size(tmp_path: Path) -> None:
    shards, skipped = pack_all(make_sources(tmp_path, [10, 201, 200, 0]), SMALL)
    entries = [entry for shard in shards for entry in entries_of(shard, max_image_bytes=200)]
    assert [(entry.n_bytes, entry.declared_bytes) for entry in entries] == [
        (10, None),
        (0, 201),
        (200, None),
        (0, None),
    ]
    assert skipped == []


def test_a_file_that_has_vanished_is_reported_and_the_rest_goes_on(tmp_path: Path) -> None:
    sources = make_sources(tmp_path, [10, 10, 10])
    sources[1].file.unlink()
    shards, skipped = pack_all(sources, SMALL)
    assert [entry.path for entry in entries_of(shards[0])] == ["photos/0000.jpg", "photos/0002.jpg"]
    assert [(one.path, one.lost) for one in skipped] == [("photos/0001.jpg", True)]


def test_a_file_that_became_a_folder_or_a_pipe_does_not_hold_anything_up(tmp_path: Path) -> None:
    sources = make_sources(tmp_path, [10, 10, 10])
    for number, make in ((0, os.mkdir), (1, os.mkfifo)):
        sources[number].file.unlink()
        make(sources[number].file)
    shards, skipped = pack_all(sources, SMALL)
    assert "photos/0000.jpg" in {one.path for one in skipped}
    assert entries_of(shards[-1])[-1].path == "photos/0002.jpg"


def test_files_that_grow_and_shrink_meanwhile_never_break_a_tar(tmp_path: Path) -> None:
    file = tmp_path / "log.jpg"
    file.write_bytes(b"x" * 50_000)
    stop = threading.Event()

    def breathe() -> None:
        while not stop.is_set():
            with file.open("r+b") as handle:
                handle.truncate(1000)
                handle.seek(0, os.SEEK_END)
                handle.write(b"y" * 90_000)

    thread = threading.Thread(target=breathe)
    thread.start()
    try:
        shards, _ = pack_all([SourceFile(f"photos/{n}.jpg", file, file.stat().st_size) for n in range(300)], Limits())
    finally:
        stop.set()
        thread.join()
    assert sum(len(entries_of(shard)) for shard in shards) == 300


def test_names_of_every_kind_come_back_as_they_were(tmp_path: Path) -> None:
    names = ["Кошка.jpg", "猫.jpg", "🐈‍⬛.jpg", "x" * 251 + ".jpg", "é.jpg", "é.jpg", "a b\tc.jpg", "back\\slash.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    sources = [item for item in walk([tmp_path]) if isinstance(item, SourceFile)]
    shards, _ = pack_all(sources, Limits())
    assert [entry.path for entry in entries_of(shards[0])] == [source.path for source in sources]


def test_nothing_to_pack_makes_no_shard() -> None:
    assert pack_all([], SMALL) == ([], [])


def test_shards_grow_to_256_files_and_shrink_towards_the_end(tmp_path: Path) -> None:
    shards, _ = pack_all(make_sources(tmp_path, [1] * 2600), Limits())
    sizes = [shard.n_files for shard in shards]
    assert sizes[:6] == [16, 32, 64, 128, 256, 256]
    assert sum(sizes) == 2600
    assert max(sizes) == 256
    shrinking = sizes[sizes.index(256) :]
    assert shrinking == sorted(shrinking, reverse=True)
    assert shrinking[-1] <= 16


def test_large_files_are_shared_out_by_their_bytes(tmp_path: Path) -> None:
    file = tmp_path / "large.jpg"
    file.write_bytes(bytes(4 * 2**20))
    shards, _ = pack_all([SourceFile(f"{number}.jpg", file, 4 * 2**20) for number in range(24)], Limits())
    assert [shard.n_files for shard in shards] == [2, 4, 4, 3, 2, 2, 2, 2, 2, 1]


def test_a_few_files_are_one_shard(tmp_path: Path) -> None:
    assert [shard.n_files for shard in pack_all(make_sources(tmp_path, [1] * 16), Limits())[0]] == [16]
