"""Weights as bytes: an .npz archive that is the same, byte for byte, whenever the numbers are.

`np.savez` stamps the time into the archive; here the stamp is fixed, so the SHA-256 names the numbers.
"""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.architectures.heads import Head

if TYPE_CHECKING:
    import keras

_STAMP = (1980, 1, 1, 0, 0, 0)


class BadWeightsError(ValueError):
    """Weights are not those that their manifest promises."""


def pack_weights(arrays: Sequence[NDArray[Any]], names: Sequence[str]) -> bytes:
    """Write named arrays as .npz.

    Args:
        arrays: Any shapes and number types.
        names: One for each array, in the order in which the network wants them.
    Returns:
        The archive; equal arrays and names give equal bytes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, array in zip(names, arrays, strict=True):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _STAMP), entry.getvalue())
    return out.getvalue()


def unpack_weights(data: bytes) -> dict[str, NDArray[Any]]:
    """Read what `pack_weights` wrote; never runs code from it.

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
    """SHA-256 in hexadecimal: what manifests and the blob store name weights by."""
    return hashlib.sha256(data).hexdigest()


def digest_body(model: "keras.Model", head: Head) -> str:
    """SHA-256 over all weights below the head: networks that share it make the same features of the same picture."""
    digest = hashlib.sha256()
    for name, variable in zip(weight_names(model), model.weights, strict=True):
        if name.partition(".")[0] not in head.above:
            digest.update(name.encode() + np.asarray(variable).tobytes())
    return digest.hexdigest()


def weight_names(model: "keras.Model") -> list[str]:
    """A name for each weight of a network: its layer and what it is there, `conv_1.kernel`."""
    return [".".join(variable.path.split("/")[-2:]) for variable in model.weights]


def load_into(model: "keras.Model", data: bytes) -> None:
    """Give a network the weights of an archive.

    Raises:
        BadWeightsError: Names or shapes are not the network's.
    """
    arrays = unpack_weights(data)
    expected = {name: tuple(variable.shape) for name, variable in zip(weight_names(model), model.weights, strict=True)}
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        raise BadWeightsError(f"expected weights {expected}; got {found}. They belong to another network.")
    model.set_weights([arrays[name].astype(np.float32) for name in expected])
