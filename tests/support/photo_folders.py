"""A folder as people have them: photographs, files that are broken or none, and names of every kind."""

import os
from pathlib import Path

from tests.support.photographs import photographs
from tests.support.pictures import broken_files

N_PHOTOGRAPHS = 100
N_BROKEN = 20

NAMES = (
    "кошка/фото 1.jpg",
    "猫/照片.jpg",
    "emoji 😺🐶.jpg",
    "caf\u00e9.jpg",  # one character
    "cafe\u0301.jpg",  # looks the same, is another name
    "IMG.jpg",
    "img.jpg",
    "IMG.JPG",
    'comma, "quotes" and; semicolon.jpg',
    "two\nlines.jpg",
    " leading and trailing .jpg ",
    "back\\slash.jpg",
    "=1+1.jpg",
    "percent %2e%2e %s.jpg",
    "ж" * 125 + "1.jpg",  # 255 bytes
    "x" * 251 + ".jpg",
    "/".join(f"level {depth}" for depth in range(1, 11)) + "/deep.jpg",
)
NOT_UTF_8 = b"latin-\xe9.jpg"
IGNORED = (".DS_Store", "Thumbs.db", "desktop.ini", "._img.jpg", "__MACOSX/img.jpg", "кошка/.DS_Store")


def make_mixed_folder(folder: Path) -> dict[str, str | None]:
    """Fill a folder; returns the path of each file that counts, with the error code that it must end with, or None."""
    pictures = photographs(N_PHOTOGRAPHS)
    names = [*NAMES, *(f"photos/{number:03}.jpg" for number in range(N_PHOTOGRAPHS - len(NAMES) - 1))]
    expected: dict[str, str | None] = {}
    for name, data in zip(names, pictures, strict=False):
        _write(folder / name, data)
        expected[f"{folder.name}/{name}"] = None
    (folder / os.fsdecode(NOT_UTF_8)).write_bytes(pictures[-1])
    expected[f"{folder.name}/latin-\\xe9.jpg"] = None
    for name, (data, code) in _broken(pictures).items():
        _write(folder / "broken" / name, data)
        expected[f"{folder.name}/broken/{name}"] = str(code)
    for name in IGNORED:
        _write(folder / name, b"left behind by a system")
    (folder / "link.jpg").symlink_to(folder / "IMG.jpg")
    (folder / "link to a folder").symlink_to(folder / "photos")
    (folder / "empty folder").mkdir()
    return expected


def _broken(pictures: list[bytes]) -> dict[str, tuple[bytes, str]]:
    """20 broken files: every kind once (an empty file, a text, a PDF, ...), then photographs that end too early."""
    known = {name: (data, str(code)) for name, (data, code) in broken_files().items()}
    assert {"empty.jpg", "text.jpg", "document.pdf"} <= known.keys()
    n_cut = N_BROKEN - len(known)
    cut = {f"cut {number}.jpg": (pictures[number][: 400 + 97 * number], "truncated") for number in range(n_cut)}
    return known | cut


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
