import os
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from model.architectures import registry
from model.architectures.architecture import LastLayers
from model.architectures.batch_norm_folding import build_normalised
from model.training.augmentation import NONE, SEED
from model.training.examples import ActivationExamples, Examples
from model.training.last_layers import Activations, freeze_other_layers, split_at
from model.training.recipe import Recipe, learning_rate
from model.training.trainer import Trainer
from tests.model.conftest import draw_images
from tests.support.paths import ROOT

PLAIN = Recipe(epochs=3, batch_size=8, warmup_epochs=0, averaging=0, augmentation=NONE)


def make_examples(n=24, side_px=64, seed=0):
    labels = np.arange(n) % 2
    return Examples(draw_images(n, side_px, seed), labels)


def build_small(side_px=16):
    """A network with the outputs of `efficientnet-lite0`, small enough for a test: p_cat, p_dog and p_neither."""
    layers = keras.layers
    pixels = keras.Input((side_px, side_px, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255, name="scale")(pixels)
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="low")(x)
    x = layers.BatchNormalization(name="low_norm")(x)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="high")(x)
    x = layers.BatchNormalization(name="high_norm")(x)
    x = layers.Flatten(name="flat")(x)
    fixed = layers.Dense(4, name="fixed")(x)
    dog = layers.Dense(1, activation="sigmoid", name="dog")(x)
    pet = layers.Dense(1, activation="sigmoid", name="pet")(layers.Concatenate(name="signs")([fixed, x]))
    outputs = layers.Concatenate(name="three")([pet * (1 - dog), pet * dog, 1 - pet])
    return keras.Model(pixels, outputs)


def make_three(n=24, seed=0, labels=(0, 1, 2)):
    return Examples(draw_images(n, 16, seed), np.resize(labels, n))


def make_trainer(recipe=PLAIN, build=lambda: registry.build("seed-cnn"), training=None):
    keras.utils.set_random_seed(7)
    return Trainer(build(), recipe, training or make_examples(), make_examples(seed=1))


def test_eight_pictures_are_known_by_heart():
    examples = make_examples(8)
    keras.utils.set_random_seed(7)
    trainer = Trainer(registry.build("seed-cnn"), replace(PLAIN, epochs=60), examples, examples)
    epochs = list(trainer.epochs())
    assert epochs[-1].val_accuracy == 1.0
    assert epochs[-1].val_loss < 0.05 < epochs[0].val_loss


def test_each_epoch_says_what_it_brought():
    epochs = list(make_trainer().epochs())
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    for epoch in epochs:
        assert epoch.loss > 0
        assert epoch.val_loss > 0
        assert 0 <= epoch.accuracy <= 1
        assert 0 <= epoch.val_accuracy <= 1
        assert epoch.images_per_s == pytest.approx(24 / epoch.seconds)
    assert epochs[0].learning_rate > epochs[-1].learning_rate > 0


def test_the_loss_of_the_first_step_is_the_cross_entropy_by_hand():
    examples = make_examples(8)
    keras.utils.set_random_seed(7)
    model = registry.build("seed-cnn")
    p_dog = np.asarray(model(examples.images))[:, 0]
    expected = -np.log(np.where(examples.labels == 1, p_dog, 1 - p_dog)).mean()
    (epoch,) = Trainer(model, replace(PLAIN, epochs=1), examples, examples).epochs()
    assert epoch.loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_a_training_that_is_killed_leaves_no_temporary_file(tmp_path):
    """A process of its own: what TensorFlow rewrites, it rewrites once."""
    code = (
        "import os, tests.model.training.test_trainer as this\n"
        "recipe = this.replace(this.PLAIN, epochs=1, augmentation=this.SEED)\n"
        "assert list(this.make_trainer(recipe).epochs())\n"
        "os._exit(9)\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == 9, run.stderr
    assert list(tmp_path.iterdir()) == []


def test_training_twice_with_one_seed_gives_one_curve():
    recipe = replace(PLAIN, augmentation=SEED, averaging=0.9)
    first, second = ([epoch.loss for epoch in make_trainer(recipe).epochs()] for _ in range(2))
    assert first == pytest.approx(second, rel=1e-4)
    other = [epoch.loss for epoch in make_trainer(replace(recipe, seed=2)).epochs()]
    assert other != pytest.approx(first, rel=1e-4)


def test_going_on_from_a_state_gives_the_undisturbed_curve():
    recipe = replace(PLAIN, epochs=4, augmentation=SEED, averaging=0.9)

    def build():
        return build_normalised("seed-cnn", dropout=0.3)

    undisturbed = [(epoch.loss, epoch.val_loss) for epoch in make_trainer(recipe, build).epochs()]
    stopped = make_trainer(recipe, build)
    epochs = stopped.epochs()
    next(epochs), next(epochs)
    goes_on = make_trainer(recipe, build)
    goes_on.restore(stopped.state())
    rest = [(epoch.loss, epoch.val_loss) for epoch in goes_on.epochs()]
    np.testing.assert_allclose(rest, undisturbed[2:], rtol=1e-3)


def test_between_epochs_the_model_holds_the_averaged_weights():
    trainer = make_trainer(replace(PLAIN, averaging=0.99))
    next(trainer.epochs())
    state = trainer.state()
    held = trainer.model.get_weights()
    for index, weights in enumerate(held):
        np.testing.assert_array_equal(weights, state[f"average.{index:03}"])
    assert not np.allclose(held[4], state["current.004"])


def test_the_state_of_another_network_is_refused():
    state = make_trainer(build=lambda: build_normalised("seed-cnn")).state()
    with pytest.raises(ValueError, match="same network and recipe"):
        make_trainer().restore(state)


def test_what_on_step_raises_ends_the_training_at_once():
    class Cancelled(Exception):
        pass

    seen = []

    def on_step(step, n_steps):
        seen.append((step, n_steps))
        if step == 2:
            raise Cancelled

    trainer = make_trainer()
    with pytest.raises(Cancelled):
        next(trainer.epochs(on_step))
    assert seen == [(1, 3), (2, 3)]
    assert trainer.n_epochs_done == 0


def test_what_is_raised_between_batches_of_validation_pictures_ends_it_too():
    judged = []

    def on_validation_batch():
        judged.append(trainer.n_epochs_done)
        raise InterruptedError

    trainer = make_trainer()
    with pytest.raises(InterruptedError):
        next(trainer.epochs(on_validation_batch=on_validation_batch))
    assert judged == [0]


def test_a_last_small_batch_counts_by_its_pictures():
    trainer = make_trainer(replace(PLAIN, epochs=1, batch_size=16))
    assert trainer.n_steps == 2
    (epoch,) = trainer.epochs()
    assert (epoch.accuracy * 24) == pytest.approx(round(epoch.accuracy * 24), abs=1e-4)


def test_larger_training_pictures_are_brought_to_size():
    recipe = replace(PLAIN, epochs=1)
    (epoch,) = make_trainer(recipe, training=make_examples(side_px=80)).epochs()
    assert np.isfinite(epoch.loss)


def test_the_learning_rate_rises_then_falls_to_zero():
    recipe = Recipe(epochs=10, learning_rate=0.4, warmup_epochs=2)
    assert learning_rate(recipe, 0) == 0
    assert learning_rate(recipe, 1) == pytest.approx(0.4 * 0.5 * (1 + np.cos(np.pi * 0.1)) / 2)
    assert learning_rate(recipe, 5) == pytest.approx(0.2)
    assert learning_rate(recipe, 10) == pytest.approx(0)


def test_a_constant_rate_is_the_highest_from_the_first_step_to_the_last():
    recipe = Recipe(epochs=10, learning_rate=0.4, schedule="constant", warmup_epochs=2)
    assert {learning_rate(recipe, epoch) for epoch in (0, 0.5, 5, 10)} == {0.4}


def test_at_a_constant_rate_training_is_plain_keras_with_adam():
    """Without averaging, smoothing and variation, each step is what `fit` does."""
    examples = make_examples(16)
    keras.utils.set_random_seed(7)
    theirs = registry.build("seed-cnn")
    theirs.compile(keras.optimizers.Adam(1e-3), loss="binary_crossentropy")
    theirs.fit(examples.images, examples.labels, batch_size=16, epochs=5, shuffle=False, verbose=0)
    recipe = replace(PLAIN, epochs=5, batch_size=16, schedule="constant", warmup_epochs=1)
    trainer = make_trainer(recipe, training=examples)
    assert {epoch.learning_rate for epoch in trainer.epochs()} == {1e-3}
    for ours, expected in zip(trainer.model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (np.zeros((4, 64, 64, 3), np.float32), np.zeros(4, int), "uint8"),
        (np.zeros((4, 32, 32, 3), np.uint8), np.zeros(4, int), "at least 64 px"),
        (np.zeros((4, 64, 64, 3), np.uint8), np.zeros(3, int), "one label for each"),
        (np.zeros((0, 64, 64, 3), np.uint8), np.zeros(0, int), "at least one"),
        (np.zeros((4, 64, 64, 3), np.uint8), np.array([0, 1, 2, 0]), "training labels 0 and 1; got"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_before_the_training(images, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_trainer(training=Examples(images, labels))


@pytest.mark.parametrize(("n_steps", "shown"), [(2, {0, 1}), (7, {2, 3})])
def test_an_epoch_can_have_any_number_of_steps(n_steps, shown):
    trainer = make_trainer(replace(PLAIN, steps_per_epoch=n_steps))
    batches = list(trainer._batches())
    assert [len(batch) for batch in batches] == [8] * n_steps
    assert set(np.bincount(np.concatenate(batches), minlength=24).tolist()) == shown
    told = []
    epoch = next(trainer.epochs(lambda step, of: told.append((step, of))))
    assert told == [(step, n_steps) for step in range(1, n_steps + 1)]
    assert epoch.images_per_s == pytest.approx(8 * n_steps / epoch.seconds)


def test_the_loss_of_three_outputs_is_the_cross_entropy_by_hand():
    examples = make_three(12)
    keras.utils.set_random_seed(7)
    model = build_small()
    freeze_other_layers(
        model, LastLayers("high"), has_neither=True
    )  # normalisation then answers in training as it does otherwise
    p = np.asarray(model(examples.images))
    targets = np.eye(3)[examples.labels] * 0.9 + 0.1 / 3
    recipe = replace(PLAIN, epochs=1, batch_size=12, label_smoothing=0.1)
    (epoch,) = Trainer(model, recipe, examples, examples).epochs()
    assert epoch.loss == pytest.approx(-(targets * np.log(p)).sum(axis=1).mean(), rel=1e-4)
    assert epoch.accuracy == pytest.approx((p.argmax(axis=1) == examples.labels).mean())


@pytest.mark.slow
def test_three_kinds_of_pictures_are_known_by_heart():
    examples = make_three(9)
    keras.utils.set_random_seed(7)
    epochs = list(Trainer(build_small(), replace(PLAIN, epochs=80, learning_rate=0.01), examples, examples).epochs())
    assert epochs[-1].val_accuracy == 1.0
    assert epochs[-1].val_loss < 0.1 < epochs[0].val_loss


def test_without_a_picture_of_neither_nothing_is_learned_of_it():
    examples = make_three(12, labels=(0, 1))
    keras.utils.set_random_seed(7)
    model = build_small()
    freeze_other_layers(model, LastLayers("low", neither_only=("pet",)), has_neither=False)
    before = model.get_layer("pet").get_weights()
    dog = model.get_layer("dog").get_weights()[0]
    epoch = next(Trainer(model, PLAIN, examples, examples).epochs())
    for weights, unchanged in zip(model.get_layer("pet").get_weights(), before, strict=True):
        np.testing.assert_array_equal(weights, unchanged)
    assert not np.allclose(model.get_layer("dog").get_weights()[0], dog)
    p = np.asarray(model(examples.images))
    shares = p[np.arange(12), examples.labels] / p[:, :2].sum(axis=1)
    assert epoch.val_loss == pytest.approx(-np.log(shares).mean(), rel=1e-4)


def test_validation_pictures_of_neither_need_some_to_learn_from():
    with pytest.raises(ValueError, match="validation labels 0 and 1; got"):
        Trainer(build_small(), PLAIN, make_three(12, labels=(0, 1)), make_three(12))


def test_what_is_frozen_stays_bit_by_bit_and_takes_no_room():
    examples = make_three()
    keras.utils.set_random_seed(7)
    model = build_small()
    freeze_other_layers(model, LastLayers("high", frozen=("fixed",)), has_neither=True)
    frozen = {name: model.get_layer(name).get_weights() for name in ("low", "low_norm", "high_norm", "fixed")}
    trainer = Trainer(model, replace(PLAIN, averaging=0.9), examples, examples)
    next(trainer.epochs())
    for name, weights in frozen.items():
        for now, before in zip(model.get_layer(name).get_weights(), weights, strict=True):
            np.testing.assert_array_equal(now, before)
    learning = sum(weights.size for name in ("high", "dog", "pet") for weights in model.get_layer(name).get_weights())
    assert sum(weights.size for weights in trainer.weights()) == learning
    counts = {part: sum(v.size for k, v in trainer.state().items() if k.startswith(part)) for part in ("cur", "aver")}
    assert counts == {"cur": learning, "aver": learning}
    assert sum(v.size for k, v in trainer.state().items() if k.startswith("optimizer")) == 2 * learning + 2


def test_a_layer_that_is_not_there_cannot_be_the_first_to_learn():
    with pytest.raises(ValueError, match="none named block_17"):
        freeze_other_layers(build_small(), LastLayers("block_17"), has_neither=True)


def make_tail_trainer(recipe, n_variants=1, build=build_small):
    """A trainer of the last layers on what the others make of the pictures, computed when first wanted."""
    keras.utils.set_random_seed(7)
    model = build()
    freeze_other_layers(model, LastLayers("high"), has_neither=True)
    trunk, tail = split_at(model, "high")
    sets = []
    for examples, variants in ((make_three(), n_variants), (make_three(12, seed=1), 1)):
        room = np.zeros((variants, len(examples.images), 8, 8, 4), np.float16)
        sets.append(ActivationExamples(Activations(trunk, examples.images, room), examples.labels))
    return model, Trainer(tail, recipe, *sets)


def test_training_the_last_layers_on_kept_activations_is_training_the_whole():
    recipe = replace(PLAIN, epochs=4, averaging=0.9)
    keras.utils.set_random_seed(7)
    whole = build_small()
    freeze_other_layers(whole, LastLayers("high"), has_neither=True)
    expected = [(e.loss, e.val_loss) for e in Trainer(whole, recipe, make_three(), make_three(12, seed=1)).epochs()]
    model, trainer = make_tail_trainer(recipe)
    np.testing.assert_allclose([(e.loss, e.val_loss) for e in trainer.epochs()], expected, rtol=2e-3)
    np.testing.assert_allclose(
        model.get_layer("dog").get_weights()[0], whole.get_layer("dog").get_weights()[0], atol=2e-3
    )


def test_kept_activations_change_nothing_when_training_goes_on_elsewhere():
    recipe = replace(PLAIN, epochs=4)
    undisturbed = [e.loss for e in make_tail_trainer(recipe, 2)[1].epochs()]
    stopped = make_tail_trainer(recipe, 2)[1]
    epochs = stopped.epochs()
    next(epochs)
    goes_on = make_tail_trainer(recipe, 2)[1]
    goes_on.restore(stopped.state())
    np.testing.assert_allclose([e.loss for e in goes_on.epochs()], undisturbed[1:], rtol=1e-3)


def test_half_of_the_pictures_are_mirrored_and_the_others_in_the_next_epoch():
    pixels = keras.Input((16, 16, 3), dtype="uint8")
    same = keras.Model(pixels, keras.layers.Rescaling(1.0)(pixels))
    images = draw_images(4, 16)
    activations = Activations(same, images, np.zeros((2, 4, 16, 16, 3), np.float16))
    for epoch in (0, 1, 2):
        activations.start_epoch(epoch)
        for place, shown in enumerate(activations[np.array([0, 1, 2, 3])]):
            expected = images[place, :, ::-1] if (place + epoch) % 2 else images[place]
            np.testing.assert_array_equal(shown, expected.astype(np.float16))


def test_activations_are_not_varied():
    with pytest.raises(ValueError, match="no augmentation of activations"):
        make_tail_trainer(replace(PLAIN, augmentation=SEED))
