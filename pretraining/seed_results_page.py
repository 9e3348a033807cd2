"""docs/seed-results.md, made from the records of the trainings; see `pretraining.reproduce`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pretraining.seed_training_runs import ROWS, VARIANTS

PAGE, FINDINGS = "seed-results.md", "findings.md"

_HEAD = """# The table of the original description, trained anew

This page is made by `make reproduce DATA=…/dogs-vs-cats/train TEST=…/dogs-vs-cats/val` from the records in
`seed-results/`: for each training a curve (`.csv`, a line for each epoch) and a record (`.json`: figures, recipe, seed,
SHA-256 of data and weights). A test compares the page with them. A training that was stopped goes on after its last
epoch.

`seed-cnn` as described, from random weights: Adam (1e-3), binary cross-entropy, shear 0.2, zoom 0.2 (each axis by
itself), flips; 2,500 cats and 2,500 dogs of `train`, those with the smallest SHA-256, at 64 x 64 pixels. Loss and
accuracy are those that the original reports: means over the training batches of the last epoch, on varied pictures,
while the weights still move. Beside them stands what the original does not say: accuracy on the 1,000 photographs of
`val`, none of which was trained on. This table alone looks at `val` after each epoch; nothing is chosen by it.
"""
_COLUMNS = (
    "Training",
    "Batch",
    "Loss: original",
    "ours",
    "Accuracy: original",
    "ours",
    "On `val`, ours (95 % interval)",
)


def write_page(folder: Path) -> None:
    """Make the page beside the folder of the records."""
    (folder.parent / PAGE).write_text(make_page(folder), encoding="utf-8")


def make_page(folder: Path) -> str:
    """The page's text.

    Args:
        folder: Holds `<run>.json` of the runs that were made, and what people found in them.
    """
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    parts = [_HEAD, "## The three rows\n", _table(records, ROWS), _origins(records, ROWS)]
    if any(name in records for name in VARIANTS):
        parts += ["## Looking for what explains the original\n", _table(records, VARIANTS)]
    findings = folder / FINDINGS
    if findings.exists():
        parts.append(findings.read_text(encoding="utf-8"))
    return "\n".join(parts)


def _table(records: dict[str, Any], names: Iterable[str]) -> str:
    lines = [_COLUMNS, ["---"] * len(_COLUMNS)]
    lines += [_cells(records[name]) for name in names if name in records]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(record: dict[str, Any]) -> list[str]:
    original, test = record["original"], record["test"]
    return [
        record["title"],
        str(record["recipe"]["batch_size"]),
        f"{original['loss']:.4f}",
        f"{record['loss']:.4f}",
        f"{original['accuracy']:.4f}",
        f"{record['accuracy']:.4f}",
        f"{test['accuracy']:.3f} ({test['low']:.3f} to {test['high']:.3f})",
    ]


def _origins(records: dict[str, Any], names: Iterable[str]) -> str:
    lines = ["| Training | Curve | Seed | Data | Weights | Minutes |\n", "|---|---|---|---|---|---|\n"]
    lines += [
        f"| {record['title']} | [{name}.csv](seed-results/{name}.csv) | {record['recipe']['seed']} |"
        f" `{record['data']['sha256'][:16]}` | `{record['weights'][:16]}` | {record['seconds'] / 60:.0f} |\n"
        for name, record in ((name, records[name]) for name in names if name in records)
    ]
    return "".join(lines)
