"""Draws the pictures that tests work on, so that no photograph is needed.

Every drawing is made from a seed: the same seed gives the same bytes, another seed another picture. "Cats" are warm
discs, "dogs" cold bars, so that even a small network can learn to tell them apart.
"""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.base.errors import ErrorCode

pillow_heif.register_heif_opener()

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "HEIF", "JPEG2000")
SUFFIXES = {"JPEG": "jpg", "TIFF": "tif", "HEIF": "heic", "JPEG2000": "jp2"}


def test_data() -> Path:
    """The folder with real photographs, or skip the test where PAWSORT_TEST_DATA is not set."""
    folder = os.environ.get("PAWSORT_TEST_DATA")
    if not folder:
        pytest.skip("PAWSORT_TEST_DATA is not set")
    return Path(folder)


test_data.__test__ = False  # type: ignore[attr-defined]  # a helper, though its name begins like a test's


def draw(seed: int, kind: str = "cat", size: tuple[int, int] = (120, 90)) -> Image.Image:
    """Draw a picture: a noisy ground with a warm disc (cat) or cold bars (dog) on it."""
    rng = np.random.default_rng([seed, kind == "dog"])
    width, height = size
    ground = rng.integers(0, 60, (height, width, 3)) + rng.integers(60, 180, 3)
    image = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    x, y = rng.uniform(0.2, 0.5, 2) * size
    extent = rng.uniform(0.3, 0.5) * min(size)
    if kind == "cat":
        pen.ellipse((x, y, x + extent, y + extent), fill=(240, int(rng.integers(80, 170)), 40))
    else:
        for step in range(3):
            left = x + step * extent / 2
            pen.rectangle((left, y, left + extent / 4, y + extent), fill=(30, int(rng.integers(60, 140)), 230))
    return image


def encode(image: Image.Image, format: str = "JPEG", **options: object) -> bytes:
    """Write a picture to bytes."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_16_bits(samples: NDArray[np.uint16]) -> bytes:
    """A PNG of (rows, columns, samples), of which Pillow writes only the greys."""
    height, width, n_samples = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[n_samples], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def jpeg(seed: int = 0, kind: str = "cat", size: tuple[int, int] = (120, 90)) -> bytes:
    """Draw a JPEG."""
    return encode(draw(seed, kind, size), "JPEG", quality=80)


def cat_or_dog_folder(folder: Path, n: int) -> list[Path]:
    """Fill a folder with n distinct JPEGs, cats and dogs in turn, below `cats/` and `dogs/`; return their paths."""
    paths = []
    for seed in range(n):
        kind = ("cat", "dog")[seed % 2]
        path = folder / f"{kind}s" / f"{kind}.{seed}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(seed, kind))
        paths.append(path)
    return paths


def every_format(seed: int = 0) -> dict[str, bytes]:
    """One drawing in each format that is read, by file name."""
    return {f"picture.{SUFFIXES.get(format, format.lower())}": encode(draw(seed), format) for format in FORMATS}


def broken_files() -> dict[str, tuple[bytes, ErrorCode]]:
    """Files that cannot be decoded, by name, each with the code it must end with."""
    whole = encode(draw(0, size=(400, 300)), "JPEG")
    png = encode(draw(0), "PNG")
    return {
        "empty.jpg": (b"", ErrorCode.EMPTY_FILE),
        "text.jpg": (b"This is a letter, not a picture.\n" * 20, ErrorCode.NOT_AN_IMAGE),
        "document.pdf": (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", ErrorCode.NOT_AN_IMAGE),
        "half.jpg": (whole[: len(whole) // 2], ErrorCode.TRUNCATED),
        "head.jpg": (whole[:40], ErrorCode.TRUNCATED),
        "half.png": (png[: len(png) // 2], ErrorCode.TRUNCATED),
        "layers.psd": (b"8BPS\0\x01" + bytes(60), ErrorCode.UNSUPPORTED_FORMAT),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', ErrorCode.UNSUPPORTED_FORMAT),
        "huge.png": (_huge_png(), ErrorCode.TOO_MANY_PIXELS),
    }


def _huge_png() -> bytes:
    """A PNG of a few kilobytes that would be 10,000 x 10,000 pixels."""
    return encode(Image.new("1", (10_000, 10_000)), "PNG")
