"""Draw the pictures of the example: `python -m web.example.draw`.

Cats and dogs with coats of some twenty thousand hairs, and hills. What a picture looks like follows from its seed. The
seeds were chosen so that the default model labels nine drawings with high confidence and is unsure of three.
"""

import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path(__file__).parent / "drawings"
SIDE_PX = 256
SCALE = 3  # drawn larger and reduced, so that no edge is jagged
SIDE = SIDE_PX * SCALE

Colour = tuple[int, int, int]
Point = tuple[float, float]

COATS: tuple[Colour, ...] = (
    (196, 132, 66),
    (120, 112, 106),
    (226, 208, 180),
    (66, 58, 54),
    (158, 112, 74),
    (190, 164, 128),
    (140, 134, 130),
)
GROUNDS: tuple[Colour, ...] = ((96, 120, 84), (138, 120, 100), (112, 128, 140), (150, 142, 126), (88, 96, 90))


class Drawing:
    """A picture in the making. Coordinates are in units of the head's radius, from its centre."""

    def __init__(self, seed: str) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.image = self._background()
        self.pen = ImageDraw.Draw(self.image)
        self.radius = SIDE * self.chance.uniform(0.2, 0.26)
        self.centre = (SIDE * self.chance.uniform(0.44, 0.56), SIDE * self.chance.uniform(0.38, 0.46))
        self.coat = self.chance.choice(COATS)
        self.is_striped = self.chance.random() < 0.6

    def at(self, x: float, y: float) -> Point:
        """A point of the picture."""
        return self.centre[0] + x * self.radius, self.centre[1] + y * self.radius

    def oval(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled ellipse around a point."""
        self.pen.ellipse((*self.at(x - width, y - height), *self.at(x + width, y + height)), fill=colour)

    def shape(self, points: list[Point], colour: Colour) -> None:
        """A filled polygon."""
        self.pen.polygon([self.at(*point) for point in points], fill=colour)

    def line(self, points: list[Point], colour: Colour, width: int = 1) -> None:
        """A line, its width in pixels of the finished picture."""
        self.pen.line([self.at(*point) for point in points], fill=colour, width=width * SCALE)

    def fur(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        colour: Colour | None = None,
        n: int = 4000,
        length: float = 0.16,
        down: float = 0.5,
    ) -> None:
        """Hairs that cover an ellipse: they point away from its centre, and down."""
        for _ in range(n):
            angle, distance = self.chance.uniform(0, 2 * math.pi), math.sqrt(self.chance.random())
            dx, dy = math.cos(angle) * distance, math.sin(angle) * distance
            shade = 0.72 + 0.42 * (0.5 - dy / 2) + self.chance.gauss(0, 0.11)
            wave = math.sin(9 * math.hypot(dx * width, dy * height * 1.2) + 2 * math.cos(3 * angle))
            if self.is_striped and wave > 0.55:
                shade *= 0.72
            root = (x + dx * width, y + dy * height)
            tip = (root[0] + dx * length + self.chance.gauss(0, length / 4), root[1] + dy * length + length * down)
            self.line([root, tip], shaded(colour or self.coat, shade))

    def finish(self) -> Image.Image:
        """The picture in its size, a little soft, with the noise of a sensor."""
        small = self.image.rotate(self.chance.uniform(-8, 8), Image.Resampling.BICUBIC, fillcolor=GROUNDS[0])
        small = small.crop((SIDE // 12, SIDE // 12, SIDE - SIDE // 12, SIDE - SIDE // 12))
        small = small.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
        noise = Image.frombytes("L", small.size, self.chance.randbytes(SIDE_PX * SIDE_PX))
        return Image.blend(small, noise.convert("RGB"), 0.05)

    def _background(self) -> Image.Image:
        """Grass, a wall or a carpet out of focus."""
        image = Image.new("RGB", (SIDE, SIDE), self.chance.choice(GROUNDS))
        pen = ImageDraw.Draw(image)
        for _ in range(900):
            x, y, r = self.chance.uniform(0, SIDE), self.chance.uniform(0, SIDE), self.chance.uniform(8, 60)
            colour = shaded(self.chance.choice(GROUNDS), self.chance.uniform(0.7, 1.2))
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        return image.filter(ImageFilter.GaussianBlur(22))


def shaded(colour: Colour, factor: float) -> Colour:
    """A colour made lighter or darker."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def draw_cat(seed: int) -> Image.Image:
    """A cat: pointed ears, eyes with slits, a small nose, whiskers."""
    drawing = Drawing(f"cat {seed}")
    coat = drawing.coat
    drawing.oval(0, 2.1, 1.25, 1.5, shaded(coat, 0.7))
    drawing.fur(0, 2.1, 1.2, 1.45, n=7000)
    for side in (-1, 1):
        drawing.shape([(side * 1.0, -1.5), (side * 1.02, -0.2), (side * 0.2, -0.75)], shaded(coat, 0.8))
        drawing.fur(side * 0.78, -0.82, 0.3, 0.5, n=900, length=0.1, down=-0.4)
        drawing.shape([(side * 0.93, -1.25), (side * 0.88, -0.45), (side * 0.42, -0.78)], (206, 150, 140))
        drawing.fur(side * 0.66, -0.6, 0.14, 0.3, colour=(230, 216, 200), n=120, length=0.25, down=-0.8)
    drawing.oval(0, 0, 1.05, 0.9, shaded(coat, 0.8))
    drawing.fur(0, 0, 1.03, 0.88, n=8000, length=0.13)
    drawing.fur(0, 0.5, 0.42, 0.3, colour=(238, 228, 214), n=1800, length=0.1)
    _draw_cat_face(drawing)
    return drawing.finish()


def _draw_cat_face(drawing: Drawing) -> None:
    iris = drawing.chance.choice(((150, 176, 84), (206, 172, 66), (110, 160, 150)))
    for side in (-1, 1):
        drawing.oval(side * 0.42, -0.1, 0.25, 0.2, (34, 28, 24))
        drawing.oval(side * 0.42, -0.1, 0.21, 0.17, iris)
        drawing.oval(side * 0.42, -0.1, 0.06, 0.16, (12, 10, 10))
        drawing.oval(side * 0.42 - 0.07, -0.17, 0.04, 0.04, (250, 250, 250))
    drawing.shape([(-0.12, 0.27), (0.12, 0.27), (0, 0.4)], (196, 120, 116))
    drawing.line([(0, 0.4), (0, 0.52), (-0.22, 0.62)], (90, 60, 56), width=2)
    drawing.line([(0, 0.52), (0.22, 0.62)], (90, 60, 56), width=2)
    for side in (-1, 1):
        for tilt in (-0.2, -0.08, 0.04, 0.16):
            drawing.line([(side * 0.3, 0.45), (side * 1.5, 0.42 + tilt * 2)], (244, 240, 232))


def draw_dog(seed: int) -> Image.Image:
    """A dog: hanging ears, round eyes, a long muzzle, a large nose, mostly a tongue."""
    drawing = Drawing(f"dog {seed}")
    coat = drawing.coat
    drawing.is_striped = False
    drawing.oval(0, 2.3, 1.35, 1.6, shaded(coat, 0.7))
    drawing.fur(0, 2.3, 1.3, 1.55, n=7000, length=0.22)
    drawing.oval(0, 0, 0.92, 1.0, shaded(coat, 0.8))
    drawing.fur(0, 0, 0.9, 0.98, n=8000, length=0.15)
    dark, muzzle = shaded(coat, 0.7), shaded(coat, 1.12)
    for side in (-1, 1):
        drawing.oval(side * 0.98, 0.12, 0.3, 0.85, shaded(dark, 0.85))
        drawing.fur(side * 0.98, 0.12, 0.29, 0.84, colour=dark, n=2200, length=0.14, down=1.2)
    drawing.oval(0, 0.55, 0.5, 0.46, shaded(muzzle, 0.9))
    drawing.fur(0, 0.55, 0.48, 0.44, colour=muzzle, n=2600, length=0.09)
    _draw_dog_face(drawing)
    return drawing.finish()


def _draw_dog_face(drawing: Drawing) -> None:
    for side in (-1, 1):
        drawing.oval(side * 0.37, -0.16, 0.17, 0.16, (30, 22, 18))
        drawing.oval(side * 0.37, -0.16, 0.13, 0.13, (84, 52, 30))
        drawing.oval(side * 0.37, -0.16, 0.08, 0.08, (10, 8, 8))
        drawing.oval(side * 0.37 - 0.05, -0.22, 0.04, 0.04, (250, 250, 250))
    if drawing.chance.random() < 0.7:
        drawing.oval(0, 1.0, 0.17, 0.26, (206, 108, 116))
    drawing.oval(0, 0.86, 0.3, 0.1, (60, 40, 38))
    drawing.oval(0, 0.36, 0.24, 0.17, (28, 24, 24))
    drawing.oval(-0.06, 0.29, 0.08, 0.03, (110, 104, 104))
    for side in (-1, 1):
        drawing.oval(side * 0.1, 0.39, 0.045, 0.04, (8, 6, 6))


def draw_hills(seed: int) -> Image.Image:
    """Hills under a sky: neither a cat nor a dog."""
    chance = random.Random(f"hills {seed}")  # noqa: S311
    image = Image.new("RGB", (SIDE, SIDE), (164, 196, 224))
    pen = ImageDraw.Draw(image)
    x, y = chance.uniform(0.2, 0.8) * SIDE, chance.uniform(0.1, 0.3) * SIDE
    pen.ellipse((x - 45, y - 45, x + 45, y + 45), fill=(252, 238, 180))
    for level in range(4):
        base, wave = SIDE * (0.4 + 0.15 * level), chance.uniform(60, 130)
        hills = [(x, base + 40 * math.sin(x / wave + level * 2)) for x in range(0, SIDE + 20, 20)]
        pen.polygon([(0, SIDE), *hills, (SIDE, SIDE)], fill=shaded((92, 132, 84), 1.1 - 0.17 * level))
    return image.filter(ImageFilter.GaussianBlur(2)).resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)


DRAW = {"cat": draw_cat, "dog": draw_dog, "neither": draw_hills}
# What is drawn, its seed, and whether the default model is sure of it.
PICTURES: tuple[tuple[str, int, bool], ...] = (
    ("cat", 5, True),
    ("dog", 18, True),
    ("cat", 0, True),
    ("dog", 12, True),
    ("cat", 11, True),
    ("neither", 0, False),
    ("dog", 16, True),
    ("cat", 17, True),
    ("dog", 21, False),
    ("cat", 12, True),
    ("dog", 15, True),
    ("cat", 2, False),
)


def main() -> None:
    """Draw all pictures into the folder that ships."""
    FOLDER.mkdir(exist_ok=True)
    for number, (what, seed, _) in enumerate(PICTURES, 1):
        DRAW[what](seed).save(FOLDER / f"drawing {number:02}.jpg", quality=85)


if __name__ == "__main__":
    main()
