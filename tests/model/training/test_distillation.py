"""A tiny light network learns to answer as its teacher does."""

import keras
import numpy as np
import pytest

from model.architectures.efficientnet_lite import LITE0, build_efficientnet_lite
from model.architectures.registry import get_architecture
from model.training.augmentation import Augmentation
from model.training.distillation import Answers, DistillationRecipe, Distiller
from model.training.examples import Examples
from model.training.recipe import Recipe

SIDE_PX = 48
HOW = DistillationRecipe(
    recipe=Recipe(
        epochs=3,
        batch_size=8,
        learning_rate=3e-3,
        warmup_epochs=0.5,
        averaging=0.5,
        augmentation=Augmentation(flip=True),
        seed=1,
    ),
    label_share=0.0,
    published_share=0.1,
    source_px=SIDE_PX,
    n_drawn=1,
    negative_repeats=1,
)


def judge_brightness(images):
    """A teacher: dark pictures are cats, bright ones dogs, grey ones neither, whatever their labels say."""
    grey = images.mean(axis=(1, 2, 3)) / 255
    outputs = np.stack([grey < 0.3, grey > 0.7, (grey >= 0.3) & (grey <= 0.7)], axis=1).astype(np.float32)
    return Answers(outputs, np.zeros((len(images), 1000), np.float32))


@pytest.fixture(scope="module")
def examples():
    random = np.random.default_rng(2)
    levels = np.repeat([20, 128, 235], 8)
    noise = random.integers(-15, 16, (24, SIDE_PX, SIDE_PX, 3))
    return Examples((levels[:, None, None, None] + noise).astype(np.uint8), np.zeros(24, np.int64))


def make_distiller(examples):
    keras.utils.set_random_seed(1)
    model = build_efficientnet_lite(LITE0._replace(side_px=SIDE_PX, body_px=32))
    return model, Distiller(model, get_architecture("efficientnet-lite0-fast"), HOW, judge_brightness, examples)


@pytest.mark.slow
def test_the_student_learns_the_answers_and_an_interrupted_training_ends_in_the_same_weights(examples):
    model, distiller = make_distiller(examples)
    published = model.get_layer("imagenet").get_weights()
    losses, states = [], []
    for loss in distiller.epochs():
        losses.append(loss)
        states.append(distiller.state())
    assert losses[-1] < losses[0]
    distiller.finish()
    np.testing.assert_array_equal(model.get_layer("imagenet").get_weights()[0], published[0])

    resumed, again = make_distiller(examples)
    again.restore(states[1])
    assert len(list(again.epochs())) == 1
    again.finish()
    trained = {variable.path for variable in model.trainable_variables}
    pairs = zip(states[1].values(), model.weights, resumed.weights, strict=False)
    moved = off = 0.0
    for before, after, found in pairs:
        if after.path in trained:
            moved += float(np.square(np.asarray(after) - before).sum())
            off += float(np.square(np.asarray(after) - np.asarray(found)).sum())
    assert off < 0.25 * moved, "threads add in another order, which an epoch amplifies, but not to half of its way"
