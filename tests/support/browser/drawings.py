"""Drawn cats and dogs: photographs of real ones do not belong into the repository's screenshots."""

import io
import math
import random

from PIL import Image, ImageDraw

SIDE = 360
FURS = ["#d98a3d", "#6b6b6f", "#f0e3d0", "#3b3a3c", "#a9744f", "#c9b08a", "#8d8f99"]
GROUNDS = ["#9cc5a1", "#a7c4e0", "#e6c9a8", "#d7c0d9", "#c5d5c5", "#e3b5a4", "#b8c9d9"]


def draw_pet(kind: str, seed: int) -> bytes:
    """A cat or a dog as a JPEG; what it looks like follows from the seed."""
    chance = random.Random(f"{kind} {seed}")
    image = Image.new("RGB", (SIDE, SIDE), chance.choice(GROUNDS))
    pen = ImageDraw.Draw(image)
    _scenery(pen, chance)
    fur = chance.choice(FURS)
    x, y = chance.randint(140, 220), chance.randint(165, 215)
    size = chance.randint(75, 110)
    pen.ellipse((x - size * 1.1, y + size * 0.4, x + size * 1.1, y + size * 3), fill=_darker(fur))
    (_cat_ears if kind == "cat" else _dog_ears)(pen, x, y, size, fur)
    pen.ellipse((x - size, y - size * 0.85, x + size, y + size * 0.9), fill=fur)
    _face(pen, x, y, size, kind)
    return _jpeg(image.rotate(chance.uniform(-12, 12), Image.Resampling.BICUBIC, fillcolor=image.getpixel((2, 2))))


def draw_scene(seed: int) -> bytes:
    """A picture of neither: hills and a sun."""
    chance = random.Random(f"scene {seed}")
    image = Image.new("RGB", (SIDE, SIDE), chance.choice(GROUNDS))
    pen = ImageDraw.Draw(image)
    pen.ellipse((220, 40, 290, 110), fill="#f6e27a")
    for level in range(3):
        base = 190 + 50 * level
        points = [(x, base + 30 * math.sin(x / 50 + level + chance.random())) for x in range(0, SIDE + 20, 20)]
        pen.polygon([(0, SIDE), *points, (SIDE, SIDE)], fill=_darker(chance.choice(GROUNDS)))
    return _jpeg(image)


def _scenery(pen: ImageDraw.ImageDraw, chance: random.Random) -> None:
    pen.rectangle((0, 270, SIDE, SIDE), fill=_darker(chance.choice(GROUNDS)))
    for _ in range(4):
        x, y, r = chance.randint(0, SIDE), chance.randint(0, 200), chance.randint(10, 45)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=chance.choice(GROUNDS))


def _cat_ears(pen: ImageDraw.ImageDraw, x: int, y: int, size: int, fur: str) -> None:
    for side in (-1, 1):
        outer = [(x + side * size * 0.95, y - size * 1.35), (x + side * size * 0.98, y - size * 0.1)]
        pen.polygon([*outer, (x + side * size * 0.25, y - size * 0.7)], fill=fur)
        inner = [(x + side * size * 0.85, y - size * 1.1), (x + side * size * 0.85, y - size * 0.4)]
        pen.polygon([*inner, (x + side * size * 0.45, y - size * 0.7)], fill="#e3a7a0")


def _dog_ears(pen: ImageDraw.ImageDraw, x: int, y: int, size: int, fur: str) -> None:
    for side in (-1, 1):
        middle = x + side * size * 1.0
        pen.ellipse((middle - size * 0.38, y - size * 0.75, middle + size * 0.38, y + size * 0.75), fill=_darker(fur))


def _face(pen: ImageDraw.ImageDraw, x: int, y: int, size: int, kind: str) -> None:
    for side in (-1, 1):
        eye = x + side * size * 0.38
        pen.ellipse((eye - size * 0.17, y - size * 0.32, eye + size * 0.17, y + size * 0.04), fill="#fdfdf5")
        width = 0.05 if kind == "cat" else 0.1
        pen.ellipse((eye - size * width, y - size * 0.28, eye + size * width, y), fill="#1d1b1a")
    if kind == "dog":
        pen.ellipse((x - size * 0.45, y + size * 0.08, x + size * 0.45, y + size * 0.8), fill="#f3ebe0")
        pen.ellipse((x - size * 0.22, y + size * 0.12, x + size * 0.22, y + size * 0.4), fill="#2b2524")
        pen.ellipse((x - size * 0.14, y + size * 0.55, x + size * 0.14, y + size * 0.95), fill="#d9737a")
        return
    nose = [(x - size * 0.11, y + size * 0.18), (x + size * 0.11, y + size * 0.18), (x, y + size * 0.32)]
    pen.polygon(nose, fill="#c4636b")
    for side in (-1, 1):
        for tilt in (-0.12, 0, 0.12):
            start = (x + side * size * 0.25, y + size * 0.38)
            pen.line([start, (x + side * size * 1.15, y + size * (0.36 + tilt * 1.6))], fill="#faf7f0", width=2)


def _darker(colour: str) -> tuple[int, ...]:
    return tuple(int(int(colour[i : i + 2], 16) * 0.82) for i in (1, 3, 5))


def _jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=88)
    return data.getvalue()
