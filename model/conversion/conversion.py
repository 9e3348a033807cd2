"""A version converted for LiteRT: in int8 if that agrees with TensorFlow, else in float32.

weights ─► body in int8 ─► predictions ─┬─► compare ─► ConvertedBody
   │                                    │      │
   └─► TensorFlow ─► predictions ───────┘      └─► the same in float32 ─► DisagreementError
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.arrays.image_arrays import Images
from model.artifacts.conversion import PRECISIONS, ConversionManifest, ConvertedBody
from model.artifacts.manifest import Manifest
from model.artifacts.weights import digest_of, unpack_weights
from model.conversion.agreement import Agreement, compare, find_disagreements
from model.conversion.body import convert_body
from model.inference.classifier import Classifier

N_CALIBRATION = 250
N_COMPARED = 1000


class DisagreementError(ValueError):
    """The converted network does not say what the network in TensorFlow says."""


class ConversionImages(NamedTuple):
    """The images by which a version is converted.

    Attributes:
        calibration: uint8 (M, side, side, 3), 0 to 255: up to `N_CALIBRATION` are used; with none, nothing is int8.
        compared: uint8 (N, side, side, 3), at least one: both networks classify up to `N_COMPARED` of them.
        labels: int (N,), indices of classes; None if they are not known.
    """

    calibration: NDArray[np.uint8]
    compared: Images
    labels: NDArray[np.integer[Any]] | None = None


def convert(
    manifest: Manifest,
    weights: bytes,
    images: ConversionImages,
    code_version: str,
    on_batch: Callable[[], object] = lambda: None,
) -> ConvertedBody:
    """Convert a version.

    Args:
        manifest: Of the version.
        weights: Its .npz file.
        images: Calibrate and compare.
        code_version: Of Pawsort, for the manifest.
        on_batch: Called now and then; an exception from it ends the work.
    Raises:
        DisagreementError: Neither int8 nor float32 agrees; the message says why.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(images.compared))[:N_COMPARED])
    labels = None if images.labels is None else images.labels[chosen]
    compared = images.compared[chosen]
    expected = Classifier(manifest, weights).predict_with_features(compared, on_batch)
    disagreements: list[str] = []
    for precision in PRECISIONS if len(images.calibration) else PRECISIONS[1:]:
        on_batch()
        calibration = images.calibration[:N_CALIBRATION] if precision == "int8" else None
        flatbuffer = convert_body(manifest.network, unpack_weights(weights), calibration)
        converted = ConvertedBody(describe(manifest, flatbuffer, precision, code_version), flatbuffer)
        classifier = Classifier(manifest, weights, converted=converted)
        agreement = compare(expected, classifier.predict_with_features(compared, on_batch), labels)
        found = find_disagreements(agreement, precision)
        if not found:
            return converted._replace(manifest=replace(converted.manifest, agreement=asdict(agreement)))
        disagreements.append(f"{precision}: {', '.join(found)}")
    raise DisagreementError("; ".join(disagreements))


def describe(manifest: Manifest, flatbuffer: bytes, precision: str, code_version: str) -> ConversionManifest:
    """The manifest of a converted body without its agreement."""
    return ConversionManifest(
        weights=manifest.digest,
        digest=digest_of(flatbuffer),
        n_bytes=len(flatbuffer),
        precision=precision,
        agreement={},
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        code_version=code_version,
    )


def keep_body(converted: ConvertedBody, weights_digest: str) -> ConvertedBody:
    """The converted body of a version for another with the same body, whose head was fitted on features of it.

    Args:
        converted: Of the version that it was made for.
        weights_digest: SHA-256 of the other version's weights.
    """
    known = converted.manifest.agreement
    kept = Agreement(known["n_images"], known["features_cosine"], known["features_cosine_low"])
    conversion = replace(converted.manifest, weights=weights_digest, agreement=asdict(kept))
    return ConvertedBody(conversion, converted.flatbuffer)
