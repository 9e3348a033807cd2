"""What another number of the decoding rules changes: predictions of both checkouts, compared picture by picture.

    PYTHONPATH=OLD python benchmarks/decoding_numbers.py predict -o old.json FOLDER...
    PYTHONPATH=NEW python benchmarks/decoding_numbers.py predict -o new.json FOLDER...
    python benchmarks/decoding_numbers.py compare old.json new.json

A folder whose name is `cats` or `dogs` has that label; pictures of any other folder are right when they are unsure.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

BATCH = 64
LABELS = {"cats": "cat", "dogs": "dog"}


def predict(networks: list[str], folders: list[Path]) -> dict[str, dict[str, str]]:
    """The label of each picture, or its error code, by network and path."""
    import core.decoding.images
    from model.artifacts.manifest import Manifest
    from model.inference.classifier import Classifier

    pretrained = Path(core.decoding.images.__file__).parents[2] / "model" / "pretrained"
    paths = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    labels = {}
    for network in networks:
        manifest = Manifest.from_json((pretrained / f"{network}.json").read_text())
        classifier = Classifier(manifest, (pretrained / f"{network}.npz").read_bytes())
        labels[network] = _predict(classifier, manifest, paths)
    return labels


def _predict(classifier: Any, manifest: Any, paths: list[Path]) -> dict[str, str]:
    import numpy as np

    from core.base.errors import ImageError
    from core.decoding.images import decode_image

    labels = {}
    for start in range(0, len(paths), BATCH):
        images = {}
        for path in paths[start : start + BATCH]:
            try:
                images[path] = decode_image(path.read_bytes(), manifest.side_px)
            except ImageError as error:
                labels[str(path)] = error.code.value
        if images:
            for path, row in zip(images, classifier.predict(np.stack(list(images.values()))), strict=True):
                best = int(row.argmax())
                labels[str(path)] = manifest.classes[best] if row[best] >= manifest.threshold else "unsure"
    return labels


def compare(old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]) -> None:
    """Print how many labels differ, and whether one side is right more often than chance allows."""
    from core.models.accuracy import mcnemar

    for network, before in old.items():
        after = new[network]
        pairs = [(path, before[path], after[path]) for path in before]
        differ = [pair for pair in pairs if pair[1] != pair[2]]
        better = sum(_is_right(path, new_label) and not _is_right(path, label) for path, label, new_label in differ)
        worse = sum(_is_right(path, label) and not _is_right(path, new_label) for path, label, new_label in differ)
        print(
            f"{network}: {len(pairs)} pictures, {len(differ)} labels differ;"
            f" right only now {better}, right only before {worse}, McNemar's test p = {mcnemar(better, worse):.3f}"
        )
        for path, label, new_label in differ:
            print(f"    {path}: {label} -> {new_label}")


def _is_right(path: str, label: str) -> bool:
    return label == LABELS.get(Path(path).parent.name, "unsure")


def main() -> None:
    """Run one of the commands of the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    predicting = commands.add_parser("predict")
    predicting.add_argument("folders", nargs="+", type=Path)
    predicting.add_argument("-o", "--output", required=True, type=Path)
    predicting.add_argument("--network", action="append", default=[])
    comparing = commands.add_parser("compare")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    options = parser.parse_args()
    if options.command == "predict":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        labels = predict(options.network or ["seed-cnn", "efficientnet-lite0"], options.folders)
        options.output.write_text(json.dumps(labels))
    else:
        compare(json.loads(options.old.read_text()), json.loads(options.new.read_text()))


if __name__ == "__main__":
    main()
