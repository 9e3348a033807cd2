"""Figures of a benchmark: printed as one table in Markdown, and kept as JSON."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        subject: What was measured, such as "1,000 originals, seed-cnn, end to end".
        value: In `unit`; a median where there were several rounds.
        ratio: To the limit of the same round; None where there is none.
    """

    subject: str
    value: float
    unit: str
    ratio: float | None = None


@dataclass
class Figures:
    """All figures of one run."""

    rows: list[Figure] = field(default_factory=list)

    def add(self, subject: str, value: float, unit: str, ratio: float | None = None) -> None:
        """Add a figure, and show it at once."""
        self.rows.append(Figure(subject, value, unit, ratio))
        print(_line(self.rows[-1]), flush=True)

    def table(self) -> str:
        """The machine, and all figures in Markdown."""
        head = (
            f"{describe_machine()}, {datetime.now(UTC):%Y-%m-%d}.\n\n| What | Measured | Of the limit |\n|---|---|---|"
        )
        return "\n".join([head, *map(_line, self.rows)])

    def write_json(self, path: Path) -> None:
        """Write the figures for programs."""
        content = {"machine": describe_machine(), "figures": [asdict(row) for row in self.rows]}
        path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def describe_machine() -> str:
    """The processor and its cores."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.partition(": ")[2] for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {names[0] if names else platform.processor() or platform.machine()}"


def _line(row: Figure) -> str:
    value = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3g}"
    return f"| {row.subject} | {value} {row.unit} | {'' if row.ratio is None else f'{row.ratio:.2f}'} |"
