"""Devices: what a batch may be there, which device really works, and halves only where they change nothing.

No GPU is needed: TensorFlow divides the processor into two logical devices, in a process of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.architectures.registry import build
from model.artifacts.manifest import Manifest
from model.inference import devices
from model.inference.classifier import Classifier
from model.inference.devices import CPU, Device, batch_sizes, count_bytes, describe
from tests.support.paths import ROOT

SHIPPED = ROOT / "model" / "pretrained"
GIB = 2**30
FAST = Device("/CPU:0", "as a gpu", None, is_fast_in_halves=True)
ON_THE_SECOND = """
import json, sys
import numpy as np
import tensorflow as tf
from pathlib import Path
from model.inference.classifier import Classifier
from model.inference.devices import Device, set_up
from model.artifacts.manifest import Manifest

(cpu,) = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration(), tf.config.LogicalDeviceConfiguration()]
tf.config.set_logical_device_configuration(cpu, two)
tf.debugging.set_log_device_placement(True)
manifest = Manifest.from_json(Path("model/pretrained/seed-cnn.json").read_text())
weights = Path("model/pretrained/seed-cnn.npz").read_bytes()
pictures = np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), np.uint8)
said = [Classifier(manifest, weights, Device(place)).predict(pictures) for place in ("/CPU:0", "/CPU:1")]
same = bool(np.abs(said[0] - said[1]).max() < 1e-6)
answer = {"n": len(tf.config.list_logical_devices("CPU")), "same": same, "set_up": set_up().name}
Path(sys.argv[1]).write_text(json.dumps(answer))
"""


def load(network: str) -> tuple[Manifest, bytes]:
    return (
        Manifest.from_json((SHIPPED / f"{network}.json").read_text()),
        (SHIPPED / f"{network}.npz").read_bytes(),
    )


@pytest.mark.slow
def test_a_network_runs_on_the_logical_device_it_is_given(tmp_path: Path) -> None:
    said = tmp_path / "said.json"  # not printed: threads of TensorFlow write to the same output
    command = [sys.executable, "-c", ON_THE_SECOND, said]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(said.read_text()) == {"n": 2, "same": True, "set_up": "cpu"}
    convolved = [line for line in (run.stdout + run.stderr).splitlines() if "Conv2D" in line and "device:CPU" in line]
    for place in ("device:CPU:0", "device:CPU:1"):
        assert any(line.endswith(place) for line in convolved), f"{place} ran no convolution"


def test_batches_fit_into_the_memory_of_the_device() -> None:
    lite = count_bytes(build("efficientnet-lite0"))
    assert batch_sizes(CPU, count_bytes(build("seed-cnn"))) == (16, 64)
    assert batch_sizes(CPU, lite) == (4, 8)
    of_24_gib = describe({"device_name": "NVIDIA L4", "compute_capability": (8, 9)}, 24 * GIB, 1)
    assert (of_24_gib.name, of_24_gib.is_fast_in_halves) == ("gpu: NVIDIA L4", True)
    assert 10**7 < lite < 10**8
    assert batch_sizes(of_24_gib, lite) == (16, 64, 256)
    shared = describe({"compute_capability": (6, 1)}, 24 * GIB, 12)
    assert not shared.is_fast_in_halves
    assert batch_sizes(shared, lite) == (16,)
    assert batch_sizes(describe({}, 1, 1), lite) == (16,)
    assert batch_sizes(describe({}, None, 1), lite) == (16, 64, 256)


def test_a_chunk_goes_in_one_batch_where_there_is_room(shipped: Classifier) -> None:
    large = Classifier(*load("seed-cnn"), Device("/CPU:0", "as a gpu", 24 * GIB))
    assert (large.engine.sizes, shipped.engine.sizes) == ((16, 64, 256), (16, 64))
    pictures = np.random.default_rng(1).integers(0, 256, (200, 64, 64, 3), np.uint8)
    assert np.abs(large.predict(pictures) - shipped.predict(pictures)).max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("network", ["seed-cnn", "efficientnet-lite0"])
def test_halves_are_used_where_manifest_and_device_allow_them_and_answers_stay(
    network: str, networks_that_ship: dict[str, Classifier]
) -> None:
    manifest, weights = load(network)
    assert manifest.half_precision
    whole, halves = networks_that_ship[network], Classifier(manifest, weights, FAST)
    assert (whole.engine.precision, halves.engine.precision) == ("float32", "float16")
    side = manifest.side_px
    pictures = np.random.default_rng(2).integers(0, 256, (16, side, side, 3), np.uint8)
    one, other = whole.predict_with_features(pictures), halves.predict_with_features(pictures)
    assert 0 < np.abs(one.probabilities - other.probabilities).max() < 0.002
    assert one.probabilities.dtype == other.probabilities.dtype == np.float32


def test_halves_are_not_used_where_the_manifest_forbids_them() -> None:
    manifest, weights = load("seed-cnn")
    forbidding = Manifest.from_dict({**json.loads(manifest.to_json()), "half_precision": False})
    assert Classifier(forbidding, weights, FAST).engine.precision == "float32"


def test_halves_that_change_answers_are_not_used(monkeypatch: pytest.MonkeyPatch, shipped: Classifier) -> None:
    monkeypatch.setattr("model.inference.tensorflow_engine.MAX_DIFFERENCE", 0.0)
    classifier = Classifier(*load("seed-cnn"), FAST)
    assert classifier.engine.precision == "float32"
    pictures = np.random.default_rng(3).integers(0, 256, (5, 64, 64, 3), np.uint8)
    assert np.array_equal(classifier.predict(pictures), shipped.predict(pictures))


def test_a_machine_without_gpus_has_none_of_their_memory() -> None:
    assert devices._memory_bytes() is None
    assert devices.set_up() == CPU


def test_memory_of_gpus_is_taken_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    grown = []
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["first", "second"])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda gpu, on: grown.append((gpu, on)))
    details = {"device_name": "NVIDIA T4", "compute_capability": (7, 5)}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    monkeypatch.setattr(devices, "_memory_bytes", lambda: 16 * GIB)
    assert devices.set_up(2) == Device("/GPU:0", "gpu: NVIDIA T4", 8 * GIB, True)
    assert grown == [("first", True), ("second", True)]
