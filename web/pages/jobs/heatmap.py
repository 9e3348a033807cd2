"""A heat map as an overlay on a picture: it darkens the places without evidence for the class."""

from dataclasses import dataclass

from core.jobs.heatmaps import Heatmap

DARKEST, WARMEST = 0.68, 0.3
MOST = 255
BEYOND, OVERLAP = 2, 1.02
_ROWS = ("top", "middle", "bottom")
_COLUMNS = ("left", "middle", "right")


@dataclass(frozen=True)
class Cell:
    """One cell: its position and size in cells, and how much it darkens and reddens the picture, from 0 to 1."""

    x: str
    y: str
    width: str
    height: str
    dark: str
    warm: str


@dataclass(frozen=True)
class HeatOverlay:
    """The overlay to draw. `where` describes it in words; None if there is no evidence for the class."""

    class_name: str
    side: int
    cells: list[Cell]
    where: str | None


def make_overlay(heat: Heatmap | None) -> HeatOverlay | None:
    """The overlay for a heat map; None if the version has no heat maps."""
    if heat is None:
        return None
    side = len(heat.rows)
    cells = [
        Cell(*_stretch(x, y, side), f"{DARKEST * (1 - value / MOST):.2f}", f"{WARMEST * value / MOST:.2f}")
        for y, row in enumerate(heat.rows)
        for x, value in enumerate(row)
    ]
    return HeatOverlay(heat.class_name, side, cells, _where(heat.rows))


def _stretch(x: int, y: int, side: int) -> tuple[str, str, str, str]:
    """The position and size of a cell. Cells at the border extend beyond it, or blurring would fade them there."""
    left, top, right, bottom = (
        BEYOND if at_border else 0 for at_border in (x == 0, y == 0, x == side - 1, y == side - 1)
    )
    return (f"{x - left}", f"{y - top}", f"{left + OVERLAP + right:.2f}", f"{top + OVERLAP + bottom:.2f}")


def _where(rows: list[list[int]]) -> str | None:
    """Where the centre of the evidence is: "at the top left"."""
    total = sum(map(sum, rows))
    if not total:
        return None
    down = sum(y * sum(row) for y, row in enumerate(rows)) / total
    across = sum(x * value for row in rows for x, value in enumerate(row)) / total
    row, column = _third(down, len(rows), _ROWS), _third(across, len(rows), _COLUMNS)
    if row == column == "middle":
        return "in the middle"
    words = [word for word in (row, column) if word != "middle"]
    return f"at the {' '.join(words)}"


def _third(centre: float, side: int, words: tuple[str, str, str]) -> str:
    return words[min(2, int(3 * (centre + 0.5) / side))]
