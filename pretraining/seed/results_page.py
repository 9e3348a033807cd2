"""Makes docs/seed-results.md from the records of the trainings; see `pretraining.seed.reproduce`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pretraining.seed.training_runs import ROWS, VARIANTS

PAGE, FINDINGS = "seed-results.md", "findings.md"

_HEAD = """# The table of the original description, reproduced

`make reproduce DATA=…/dogs-vs-cats/train TEST=…/dogs-vs-cats/val` writes this page from the records in
`seed-results/`. Each training has a curve (`.csv`, one line for each epoch) and a record (`.json`: metrics, recipe,
seed, SHA-256 of data and weights). A test compares the page with them. An interrupted training resumes after its last
epoch.

The network is `seed-cnn` as described, from random weights: Adam (1e-3), binary cross-entropy, shear 0.2, zoom 0.2
(each axis independently), flips. The data are 2,500 cats and 2,500 dogs of `train`, those with the smallest SHA-256, at
64 x 64 pixels. Loss and accuracy are the ones that the original reports: means over the training batches of the last
epoch, on augmented images, while the weights change. The last column is not in the original: accuracy on the 1,000
photographs of `val`, none of which was trained on. Only this table looks at `val` after each epoch; nothing is chosen
by it.
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
    """Write the page next to the folder of the records."""
    (folder.parent / PAGE).write_text(make_page(folder), encoding="utf-8")


def make_page(folder: Path) -> str:
    """The page's text.

    Args:
        folder: Has `<run>.json` of each run, and the findings.
    """
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    parts = [_HEAD, "## The three rows\n", _table(records, ROWS), _origins(records, ROWS)]
    if any(name in records for name in VARIANTS):
        parts += ["## Variants that might explain the original\n", _table(records, VARIANTS)]
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
