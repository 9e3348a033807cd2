"""The tars that the page makes, read by Python's own library and by the server's parser."""

import base64
import io
import tarfile
from typing import Any

from playwright.sync_api import Page

from core.formats.shards import MAX_BYTES, MAX_FILES, index_shard

DATABASES = ("sqlite",)  # pages do not differ between databases

MAKE_TAR = """async (entries) => {
  const { tarBlob } = await import("/static/upload/plan/tar.js");
  const blob = tarBlob(entries.map(({ path, text, declared }) => {
    const body = text === null ? null : new File([text], "x");
    return { path, size: body?.size ?? declared, body, declared, modifiedAt: 1234567890 };
  }));
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(blob);
  });
  return url.slice(url.indexOf(",") + 1);
}"""

PLAN = """async ([sizes, limits]) => {
  const { planShards } = await import("/static/upload/plan/shards.js");
  const files = sizes.map(([path, size]) => ({ path, file: { size } }));
  return planShards(files, limits).map((shard) => [shard.seq, shard.files.map((found) => found.path)]);
}"""

ODD_NAMES = [
    "plain.jpg",
    "фото/Москва 2026.jpg",
    "照片/猫.jpg",
    "emoji/🐱🐶.jpg",
    "case/a.jpg",
    "case/A.jpg",
    "long/" + "x" * 251 + ".jpg",
    "/".join(f"folder {n}" for n in range(10)) + "/deep.jpg",
    "n" * 100,
    "n" * 101,
    "percent %20 & <b>quotes\"'</b>.jpg",
    "spaces at the end .jpg ",
    "new\nline.jpg",
    "e\u0301 decomposed.jpg",
    "back\\slash.jpg",
]


def _make(page: Page, site: str, entries: list[dict[str, Any]]) -> bytes:
    page.goto(f"{site}/login")
    return base64.b64decode(page.evaluate(MAKE_TAR, entries))


def test_odd_names_and_contents_arrive_exactly(page: Page, site: str) -> None:
    entries = [{"path": path, "text": f"content of {path} " * n, "declared": None} for n, path in enumerate(ODD_NAMES)]
    data = _make(page, site, entries)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
        assert [member.name for member in members] == ODD_NAMES
        assert all(member.isreg() and member.mtime == 1_234_567_890 for member in members)
        contents = [tar.extractfile(member).read().decode() for member in members]  # type: ignore[union-attr]
    assert contents == [entry["text"] for entry in entries]
    index = index_shard(io.BytesIO(data).read, max_image_bytes=2**26)
    assert [entry.path for entry in index.entries] == ODD_NAMES
    assert len(data) % 512 == 0


def test_sizes_around_a_block_are_padded_right(page: Page, site: str) -> None:
    sizes = [0, 1, 511, 512, 513, 1024, 100_000]
    data = _make(page, site, [{"path": f"{size}.bin", "text": "x" * size, "declared": None} for size in sizes])
    index = index_shard(io.BytesIO(data).read, max_image_bytes=2**26)
    assert [(entry.path, entry.n_bytes) for entry in index.entries] == [(f"{size}.bin", size) for size in sizes]


def test_every_pax_length_counts_its_own_digits(page: Page, site: str) -> None:
    paths = ["é" * half + "x" * odd for half in range(1, 120) for odd in (0, 1)]
    data = _make(page, site, [{"path": path, "text": "", "declared": None} for path in paths])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == paths


def test_a_file_too_large_to_send_is_an_empty_entry_with_its_size(page: Page, site: str) -> None:
    data = _make(
        page,
        site,
        [
            {"path": "фото/huge.tif", "text": None, "declared": 5_000_000_000},
            {"path": "small.jpg", "text": "small", "declared": None},
        ],
    )
    first, second = index_shard(io.BytesIO(data).read, max_image_bytes=2**26).entries
    assert (first.path, first.n_bytes, first.declared_bytes) == ("фото/huge.tif", 0, 5_000_000_000)
    assert (second.path, second.n_bytes, second.declared_bytes) == ("small.jpg", 5, None)


def test_shards_keep_to_both_limits_and_names_are_once_in_each(page: Page, site: str) -> None:
    limits = {"maxFiles": MAX_FILES, "maxBytes": MAX_BYTES, "maxImageBytes": 2 * MAX_BYTES}
    sizes = [[f"{n:04}.jpg", 1000] for n in range(600)]
    sizes += [
        ["large.jpg", MAX_BYTES + 1],
        ["next.jpg", 10],
        ["over.jpg", 3 * MAX_BYTES],
        ["twin.jpg", 1],
        ["twin.jpg", 2],
    ]
    page.goto(f"{site}/login")
    shards = page.evaluate(PLAN, [sizes, limits])
    assert [seq for seq, _ in shards] == list(range(len(shards)))
    assert [path for _, paths in shards for path in paths] == [path for path, _ in sizes]
    size_of = {path: size if size <= limits["maxImageBytes"] else 0 for path, size in sizes}
    for _, paths in shards:
        assert len(paths) <= MAX_FILES
        assert len(set(paths)) == len(paths)
        assert len(paths) == 1 or sum(size_of[path] for path in paths) <= MAX_BYTES
