import io
import time

import numpy as np
import pytest

from model.architectures import registry
from model.artifacts.weights import BadWeightsError, digest_of, load_into, pack_weights, unpack_weights, weight_names


def pack(model):
    return pack_weights(model.get_weights(), weight_names(model))


def test_equal_weights_give_equal_bytes_whenever_they_are_packed(monkeypatch):
    model = registry.build("seed-cnn")
    first = pack(model)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    assert digest_of(pack(model)) == digest_of(first)


def test_weights_come_back_as_they_went():
    model, other = registry.build("seed-cnn"), registry.build("seed-cnn")
    load_into(other, pack(model))
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_weights_are_named_by_layer():
    model = registry.build("seed-cnn")
    assert weight_names(model)[:2] == ["conv_1.kernel", "conv_1.bias"]
    assert set(unpack_weights(pack(model))) == set(weight_names(model))


def test_weights_of_another_shape_are_refused():
    model = registry.build("seed-cnn")
    arrays = model.get_weights()
    arrays[0] = arrays[0][:, :, :, :16]
    with pytest.raises(BadWeightsError, match="belong to another network"):
        load_into(registry.build("seed-cnn"), pack_weights(arrays, weight_names(model)))


def test_missing_weights_are_refused():
    model = registry.build("seed-cnn")
    with pytest.raises(BadWeightsError, match="belong to another network"):
        load_into(model, pack_weights(model.get_weights()[1:], weight_names(model)[1:]))


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + bytes(40)])
def test_bytes_that_are_no_archive_are_refused(data):
    with pytest.raises(BadWeightsError, match=r"expected weights as an \.npz archive"):
        unpack_weights(data)


def test_pickled_objects_are_never_read():
    out = io.BytesIO()
    np.savez(out, **{"conv_1.kernel": np.array([{"a": 1}], dtype=object)})
    with pytest.raises(BadWeightsError, match=r"expected weights as an \.npz archive"):
        unpack_weights(out.getvalue())


def test_a_truncated_archive_is_refused():
    data = pack(registry.build("seed-cnn"))
    with pytest.raises(BadWeightsError, match=r"expected weights as an \.npz archive"):
        unpack_weights(data[:-100])
