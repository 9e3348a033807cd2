from dataclasses import replace

import keras
import numpy as np
import pytest

from model import networks
from model.augment import NONE, SEED
from model.folding import build_twin
from model.train import Examples, Recipe, Trainer, learning_rate
from tests.model.conftest import draw_images

PLAIN = Recipe(epochs=3, batch_size=8, warmup_epochs=0, averaging=0, augmentation=NONE)


def make_examples(n=24, side_px=64, seed=0):
    labels = np.arange(n) % 2
    return Examples(draw_images(n, side_px, seed), labels)


def make_trainer(recipe=PLAIN, build=lambda: networks.build("seed-cnn"), training=None):
    keras.utils.set_random_seed(7)
    return Trainer(build(), recipe, training or make_examples(), make_examples(seed=1))


def test_eight_pictures_are_known_by_heart():
    examples = make_examples(8)
    keras.utils.set_random_seed(7)
    trainer = Trainer(networks.build("seed-cnn"), replace(PLAIN, epochs=60), examples, examples)
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
    model = networks.build("seed-cnn")
    p_dog = np.asarray(model(examples.images))[:, 0]
    expected = -np.log(np.where(examples.labels == 1, p_dog, 1 - p_dog)).mean()
    (epoch,) = Trainer(model, replace(PLAIN, epochs=1), examples, examples).epochs()
    assert epoch.loss == pytest.approx(expected, rel=1e-4)


def test_training_twice_with_one_seed_gives_one_curve():
    recipe = replace(PLAIN, augmentation=SEED, averaging=0.9)
    first, second = ([epoch.loss for epoch in make_trainer(recipe).epochs()] for _ in range(2))
    assert first == pytest.approx(second, rel=1e-4)
    other = [epoch.loss for epoch in make_trainer(replace(recipe, seed=2)).epochs()]
    assert other != pytest.approx(first, rel=1e-4)


def test_going_on_from_a_state_gives_the_undisturbed_curve():
    recipe = replace(PLAIN, epochs=4, augmentation=SEED, averaging=0.9)

    def build():
        return build_twin("seed-cnn", dropout=0.3)

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
    state = make_trainer(build=lambda: build_twin("seed-cnn")).state()
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
    theirs = networks.build("seed-cnn")
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
        (np.zeros((4, 64, 64, 3), np.uint8), np.array([0, 1, 2, 0]), "labels 0 and 1"),
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
