"""Fine-tuning the last layers of a tiny network with weights drawn at random."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from model.architectures.efficientnet_lite import LITE0, build_efficientnet_lite
from model.architectures.registry import get_architecture
from model.training.fine_tuning import FineTuner, FineTuningExamples, FineTuningRecipe

ARCHITECTURE = get_architecture("efficientnet-lite0")
FIRST = "block_16_expand"
HOW = FineTuningRecipe(
    first=FIRST,
    epochs=3,
    batch_size=16,
    learning_rate=3e-3,
    weight_decay=0.01,
    label_smoothing=0.05,
    distillation=0.1,
    averaging=0.5,
    share=1.0,
    seed=1,
)


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    return build_efficientnet_lite(LITE0._replace(side_px=32))


def make_examples(model, n=48):
    """Activations whose mean tells the class, two variations, and what the classifier says of them now."""
    random = np.random.default_rng(1)
    shape = model.get_layer(FIRST).input.shape[1:]
    labels = np.arange(n) % 3
    plain = random.normal(0, 0.3, (n, *shape)) + np.array([-1.0, 1.0, 0.0])[labels][:, None, None, None]
    activations = [some.astype(np.float16) for some in (plain, plain + random.normal(0, 0.1, plain.shape))]
    tail = keras.Model(model.get_layer(FIRST).input, model.get_layer("imagenet").output)
    return FineTuningExamples(
        activations, [np.asarray(tail(some.astype(np.float32)), np.float16) for some in activations], labels
    )


def make_tuner(model, how=HOW):
    head = [np.zeros((1280, 1), np.float32), np.zeros(1, np.float32)]
    return FineTuner(model, ARCHITECTURE, how, make_examples(model), head)


def weights_of(model):
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def changed(before, after):
    def differ(name):
        return any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))

    return {name for name in before if differ(name)}


def test_the_loss_falls_and_only_the_last_convolutions_change(model):
    before = weights_of(model)
    tuner = make_tuner(model)
    losses = [loss for loss, _ in tuner.epochs()]
    tuner.finish()
    assert losses[-1] < losses[0]
    assert changed(before, weights_of(model)) == {
        "block_16_expand",
        "block_16_depthwise",
        "block_16_project",
        "top",
    }


def test_no_share_of_the_way_leaves_the_published_weights(model):
    before = weights_of(model)
    tuner = make_tuner(model, replace(HOW, epochs=1, share=0.0))
    list(tuner.epochs())
    tuner.finish()
    assert changed(before, weights_of(model)) == set()


def test_distillation_keeps_the_classifier_near_the_published_one(model):
    weights = model.get_weights()
    forgot = [memory for _, memory in make_tuner(model, replace(HOW, distillation=0.0)).epochs()][-1]
    model.set_weights(weights)
    kept = [memory for _, memory in make_tuner(model, replace(HOW, distillation=5.0)).epochs()][-1]
    assert kept < forgot


@pytest.mark.slow
def test_what_was_stopped_ends_as_what_was_not(model):
    weights = model.get_weights()
    whole = make_tuner(model)
    losses = list(whole.epochs())
    whole.finish()
    expected = model.get_weights()

    model.set_weights(weights)
    first = make_tuner(model)
    stopped = next(first.epochs())
    state = {name: array.copy() for name, array in first.state().items()}
    model.set_weights(weights)
    second = make_tuner(model)
    second.restore(state)
    np.testing.assert_allclose([stopped, *second.epochs()], losses, rtol=1e-4)
    second.finish()
    for one, other in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_images_of_neither_only_enter_the_distillation_loss(model):
    """The loss of the classes does not depend on them."""
    tuner = make_tuner(model, replace(HOW, epochs=1, batch_size=48, distillation=0.0))
    loss, memory = next(tuner.epochs())
    assert loss == pytest.approx(np.log(2), abs=1e-3)  # an empty head: as good as a coin, for those of a class
    assert memory == pytest.approx(0.0, abs=1e-3)
