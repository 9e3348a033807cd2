"""The shipped networks, opened as a CPU serves them."""

import os
from pathlib import Path
from typing import NamedTuple

from core.base.network_catalog import LIGHT
from core.models.conversions import CONVERTED, read_bodies
from model.artifacts.conversion import ConversionManifest, ConvertedBody
from model.artifacts.manifest import Manifest
from model.inference.classifier import Classifier


class Shipped(NamedTuple):
    """The files of a shipped network."""

    manifest: Manifest
    weights: bytes
    body: ConvertedBody


def read_shipped(network: str, folder: Path) -> Shipped:
    """The files of a network.

    Args:
        network: Its name.
        folder: The shipped networks.
    """
    manifest = Manifest.from_json((folder / f"{network}.json").read_text(encoding="utf-8"))
    conversion = ConversionManifest.from_json((folder / CONVERTED / f"{network}.json").read_text(encoding="utf-8"))
    body = ConvertedBody(conversion, read_bodies(folder)[conversion.digest])
    return Shipped(manifest, (folder / f"{network}.npz").read_bytes(), body)


def open_shipped(network: str, folder: Path, n_threads: int | None = None) -> Classifier:
    """A network in LiteRT; a light one with its teacher.

    Args:
        network, folder: As for `read_shipped`.
        n_threads: None: one for each processor.
    """
    threads = n_threads or os.cpu_count() or 1
    teacher = open_shipped(LIGHT[network].teacher, folder, threads) if network in LIGHT else None
    manifest, weights, body = read_shipped(network, folder)
    return Classifier(manifest, weights, converted=body, n_threads=threads, teacher=teacher)
