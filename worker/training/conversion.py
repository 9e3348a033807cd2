"""Converting versions for LiteRT: the one that a training has just made, and those that have not been converted yet.

    training: training split ─► calibrate, validation split ─► compare ─► ConvertedBody, stored with the version
    earlier versions: stored pictures ─► calibrate and compare ─► blob, then a row

Where the converted network does not agree with TensorFlow, TensorFlow serves the version, and the row says why.
"""

from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from core.base.errors import ImageError, PawsortError, Unavailable
from core.base.network_catalog import CLASSES
from core.models import conversions, registry
from core.storage.blobs import weights_key
from core.training import datasets
from core.training.datasets import Content
from core.training.splits import Split
from model.arrays.image_arrays import Images
from model.artifacts.conversion import ConvertedBody
from model.artifacts.manifest import Manifest
from model.conversion.conversion import (
    N_CALIBRATION,
    N_COMPARED,
    ConversionImages,
    DisagreementError,
    convert,
)
from model.inference import litert_engine
from worker.process.code_version import code_version
from worker.process.runtime import Runtime
from worker.training.dataset import LABEL_NAMES, Pixels
from worker.training.stored_images import decode_located, locate_contents
from worker.training.training_lease import TrainingLease

log = structlog.get_logger()
N_NOISE = 16  # images that are compared if no picture is stored
ENOUGH = 50  # pictures for int8


def convert_trained(manifest: Manifest, weights: bytes, pixels: Pixels, lease: TrainingLease) -> ConvertedBody | None:
    """Convert the version that a training has made; None if it stays with TensorFlow.

    Args:
        manifest: Without what is fitted and measured.
        weights: The .npz file of the network.
        pixels: Of the training.
        lease: Receives progress.
    """
    if not litert_engine.is_installed():
        return None
    training, validation = pixels.of(Split.TRAINING), pixels.of_classes(Split.VALIDATION)
    chosen = np.sort(np.random.default_rng(0).permutation(len(training.images))[:N_CALIBRATION])
    calibration = _crop(training.images[chosen], manifest.side_px)
    images = ConversionImages(calibration, validation.images, validation.labels)
    try:
        return convert(manifest, weights, images, code_version(), lambda: lease.report("judging"))
    except DisagreementError as error:
        log.warning("version_stays_with_tensorflow", reason=str(error))
        return None


def convert_missing(runtime: Runtime) -> None:
    """Convert the versions that have not been converted yet. It is safe to run it twice at the same time."""
    if not litert_engine.is_installed():
        return
    with runtime.db.read() as session:
        missing = conversions.list_missing(session)
    for version_id in missing:
        _convert_stored(runtime, version_id)


def _convert_stored(runtime: Runtime, version_id: int) -> None:
    """Convert a version with the pictures that are stored here, and record the outcome."""
    document: dict[str, Any]
    try:
        with runtime.db.read() as session:
            version = registry.get_version(session, version_id)
        manifest = Manifest.from_dict(version.manifest)
        weights = runtime.networks.weights(version)
        converted = convert(manifest, weights, _choose_images(runtime, manifest.side_px), code_version())
        runtime.blobs.put(weights_key(converted.manifest.digest), converted.flatbuffer)
        document = converted.manifest.to_dict()
    except Unavailable as error:  # it is tried again
        log.warning("conversion_put_off", version=version_id, reason=error.message)
        return
    except (PawsortError, ValueError) as error:  # deleted meanwhile, damaged, or of a newer Pawsort, too
        document = {"reason": str(error)}
    log.info("version_converted", version=version_id, **_summarise(document))
    with runtime.db.write() as session:
        if registry.get_any(session, version_id) is not None:
            conversions.add(session, version_id, document)


def _summarise(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("precision", "n_bytes", "agreement", "reason") if name in document}


def _choose_images(runtime: Runtime, side_px: int) -> ConversionImages:
    """Labelled pictures, or if there are too few any that are stored, or noise if there are none."""
    n_wanted = N_CALIBRATION + N_COMPARED
    with runtime.db.read() as session:
        contents = [content for content in datasets.find_labelled(session).contents if content.label in CLASSES]
        if len(contents) < ENOUGH:
            contents = datasets.find_any(session, n_wanted)
    chosen = [contents[row] for row in np.random.default_rng(0).permutation(len(contents))[:n_wanted]]
    images, labels = _decode(runtime, chosen, side_px)
    if len(images) < ENOUGH:
        noise = np.random.default_rng(0).integers(0, 256, (N_NOISE, side_px, side_px, 3), np.uint8)
        return ConversionImages(images[:0], np.concatenate([images, noise]))
    n_calibration = min(N_CALIBRATION, len(images) // 2)
    compared = slice(n_calibration, None)
    has_labels = bool((labels[compared] < len(CLASSES)).all())
    return ConversionImages(images[:n_calibration], images[compared], labels[compared] if has_labels else None)


def _decode(runtime: Runtime, contents: list[Content], side_px: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The contents that can be read, uint8 (N, side_px, side_px, 3), and their labels, in their order."""
    decoded = {
        content.image_id: pixels
        for content, pixels in decode_located(runtime, locate_contents(runtime, contents), lambda _: side_px)
        if not isinstance(pixels, ImageError)
    }
    readable = [content for content in contents if content.image_id in decoded]
    images = np.empty((len(readable), side_px, side_px, 3), np.uint8)
    for row, content in enumerate(readable):
        images[row] = decoded[content.image_id]
    return images, np.array([LABEL_NAMES.index(content.label) for content in readable], np.int64)


def _crop(images: Images, side_px: int) -> NDArray[np.uint8]:
    """The middle of images, uint8 (N, side_px, side_px, 3): those of a training may be larger than the input."""
    margin = (images.shape[1] - side_px) // 2
    return np.asarray(images[:])[:, margin : margin + side_px, margin : margin + side_px]
