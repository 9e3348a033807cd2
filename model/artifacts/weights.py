"""Weights as bytes: an .npz archive that is the same, byte for byte, if the numbers are the same.

`np.savez` writes the time into the archive. Here the time is fixed, so the SHA-256 identifies the numbers.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.architecture import Architecture

if TYPE_CHECKING:
    import keras

_STAMP = (1980, 1, 1, 0, 0, 0)


class BadWeightsError(ValueError):
    """The weights are not those that the manifest names."""


def pack_weights(arrays: Sequence[NDArray[Any]], names: Sequence[str]) -> bytes:
    """Write named arrays as .npz.

    Args:
        arrays: Any shapes and number types.
        names: One for each array, in the order of the network's weights.
    Returns:
        The archive. Equal arrays and names give equal bytes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in zip(names, arrays, strict=True):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _STAMP), entry.getvalue())
    return out.getvalue()


def unpack_weights(data: bytes) -> dict[str, NDArray[Any]]:
    """Read an archive of `pack_weights`. It never runs code from it.

    Returns:
        The arrays by name; float32, or float16 if they were stored in half the size.

    Raises:
        BadWeightsError: The bytes are not an .npz archive of plain arrays.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return dict(archive)
    except (ValueError, OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise BadWeightsError(
            f"expected weights as an .npz archive of plain arrays; it cannot be read: {error}"
        ) from error


def digest_of(data: bytes) -> str:
    """SHA-256 in hexadecimal, by which manifests and the blob store name weights."""
    return hashlib.sha256(data).hexdigest()


def digest_body(arrays: Mapping[str, NDArray[Any]], architecture: Architecture) -> str:
    """SHA-256 over all weights below the head. Networks with the same body give the same features for an image.

    Args:
        arrays: The weights by name, in the order of the network's layers, as `unpack_weights` returns them.
        architecture: Of the network.
    """
    digest = hashlib.sha256()
    for name, array in arrays.items():
        if not architecture.is_above_features(name):
            digest.update(name.encode() + array.astype(np.float32).tobytes())
    return digest.hexdigest()


def count_weights(arrays: Mapping[str, NDArray[Any]]) -> int:
    """The number of weights of a network."""
    return sum(array.size for array in arrays.values())


def weight_names(model: "keras.Model") -> list[str]:
    """A name for each weight of a network, layer and part: `conv_1.kernel`."""
    return [".".join(variable.path.split("/")[-2:]) for variable in model.weights]


def load_into(model: "keras.Model", data: bytes) -> None:
    """Load the weights of an archive into a network.

    Raises:
        BadWeightsError: The names or shapes are not those of the network.
    """
    set_weights(model, unpack_weights(data))


def set_weights(model: "keras.Model", arrays: Mapping[str, NDArray[Any]]) -> None:
    """Load weights by name into a network.

    Raises:
        BadWeightsError: The names or shapes are not those of the network.
    """
    expected = {name: tuple(variable.shape) for name, variable in zip(weight_names(model), model.weights, strict=True)}
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != expected:
        raise BadWeightsError(f"expected weights {expected}; got {shapes}. They belong to another network.")
    model.set_weights([arrays[name].astype(np.float32) for name in expected])
