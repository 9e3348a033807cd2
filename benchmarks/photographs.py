"""Pictures for benchmarks: the originals of the test data, repeated as needed, or drawn ones of the same size."""

import os
import shutil
from pathlib import Path

from PIL import Image
from PIL.Image import effect_noise

LARGE_PX = (4032, 3024)
N_DIFFERENT = 20  # large photographs; the others are copies of them


def make_folder(folder: Path, n: int) -> list[Path]:
    """Fill a folder with `n` JPEG files of about 23 KB, 1,000 in each subfolder. Returns their paths in order."""
    sources = _originals() or [_draw(folder / "source.jpg")]
    paths = []
    for number in range(n):
        path = folder / "photos" / f"{number // 1000:03d}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sources[number % len(sources)], path)
        paths.append(path)
    return paths


def make_large_photographs(folder: Path, n: int) -> list[Path]:
    """Fill a folder with `n` JPEG files of 12 megapixels and about 3.5 MB, as phones make them. Returns their paths."""
    sources = _originals() or [_draw(folder / "source.jpg")]
    paths: list[Path] = []
    for number in range(n):
        path = folder / "photos" / f"IMG_{number:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        if number < N_DIFFERENT:
            _enlarge(sources[number % len(sources)], path)
        else:
            shutil.copyfile(paths[number % N_DIFFERENT], path)
        paths.append(path)
    return paths


def _enlarge(source: Path, path: Path) -> None:
    with Image.open(source) as image:
        large = image.convert("RGB").resize(LARGE_PX, Image.Resampling.BICUBIC)
    grain = effect_noise(LARGE_PX, 24)  # as a sensor has it; without it, files are a quarter as large
    Image.blend(large, Image.merge("RGB", (grain, grain, grain)), 0.18).save(path, quality=92)


def _originals() -> list[Path]:
    data = os.environ.get("PAWSORT_TEST_DATA")
    if not data:
        return []
    folder = Path(data) / "dogs-vs-cats"
    return sorted(path for part in ("originals", "val") for path in (folder / part).glob("*/*.jpg"))


def _draw(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = effect_noise((450, 370), 20)
    Image.merge("RGB", (noise, noise, noise)).save(path, quality=80)
    return path
