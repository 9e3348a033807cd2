"""Training on arrays, one epoch at a time.

Everything random in an epoch (order, augmentation) follows from the recipe's seed and the epoch's number. So training
can stop after any epoch, store `Trainer.state()`, and resume elsewhere with the same result.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from model.arrays.image_arrays import Images
from model.training.augmentation import NONE, augment
from model.training.examples import ActivationExamples, Examples, check_examples
from model.training.last_layers import Activations, trained_weights
from model.training.losses import NEITHER, make_loss, measure
from model.training.recipe import Recipe, learning_rate

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_VALIDATION_BATCH = 256
_VALIDATION_PIXELS = 2**21  # a batch of larger images is smaller, so cancelling is noticed soon


@dataclass(frozen=True, slots=True)
class Epoch:
    """The result of one epoch. Loss is the mean cross-entropy in nats; accuracy is a share, 0 to 1.

    `loss` and `accuracy` are means over the training steps, on augmented images, while the weights change. `val_loss`
    and `val_accuracy` are those of the averaged weights after the epoch, on plain images. `seconds` and `images_per_s`
    count the training steps alone.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    images_per_s: float


class Trainer:
    """Trains one network by one recipe.

    Args:
        model: From `registry.build`, with the weights to start from; layers that are not trainable stay as they are.
            After each epoch it has the averaged weights.
        recipe: How to train.
        training: The training split; its images may be larger than the network's input.
        validation: The validation split, in the size of the network's input.
    Raises:
        ValueError: Images and labels do not match each other or the network.
    """

    def __init__(
        self,
        model: "keras.Model",
        recipe: Recipe,
        training: Examples | ActivationExamples,
        validation: Examples | ActivationExamples,
    ) -> None:
        self.model, self.recipe = model, recipe
        self.training, self.validation = training, validation
        self._side_px = int(model.input_shape[1])
        self._has_neither = bool((training.labels == NEITHER).any())
        labels = (0, 1, NEITHER) if self._has_neither else (0, 1)
        check_examples(
            model, training, "training", (0, 1, NEITHER) if model.output_shape[1] > 1 else (0, 1), exact=False
        )
        check_examples(model, validation, "validation", labels, exact=True)
        if isinstance(training.images, Activations) and recipe.augmentation != NONE:
            raise ValueError("expected no augmentation of activations: they are no pictures")
        self.n_steps = recipe.steps_per_epoch or -(-len(training.images) // recipe.batch_size)
        self.n_epochs_done = 0
        self._optimizer = _make_optimizer(recipe)
        self._optimizer.build(model.trainable_variables)
        self._trained = trained_weights(model)
        self._current = self.weights()
        self._average = self._current
        self._running = _make_variables(self._average)
        self._step = self._compile()
        self._forward = _compile_forward(model)

    def epochs(
        self,
        on_step: Callable[[int, int], object] = lambda step, n_steps: None,
        on_validation_batch: Callable[[], object] = lambda: None,
    ) -> Iterator[Epoch]:
        """Train the remaining epochs.

        Args:
            on_step: Called after each step with its number, from 1, and the number of steps. An exception from it ends
                the training at once; the current epoch is lost.
            on_validation_batch: Called after each batch of validation images; likewise.
        Yields:
            The result of each epoch. Between two epochs the model has the averaged weights.
        """
        while self.n_epochs_done < self.recipe.epochs:
            yield self._run_epoch(on_step, on_validation_batch)

    def weights(self) -> list[NDArray[Any]]:
        """The weights of the model that are not frozen, float32 each; after an epoch, those that were validated."""
        return [np.asarray(weight) for weight in self._trained]

    def use(self, weights: Sequence[NDArray[Any]]) -> None:
        """Put a result of `weights` into the model."""
        _assign(self._trained, weights)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to resume after the last whole epoch, as named arrays (for `np.savez`); nothing frozen."""
        parts = {"current": self._current, "optimizer": self._optimizer_arrays()}
        parts |= {"average": self._average} if self.recipe.averaging else {}
        arrays = {f"{part}.{i:03}": array for part, group in parts.items() for i, array in enumerate(group)}
        return arrays | {"n_epochs_done": np.array(self.n_epochs_done)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Resume from a result of `state`, in this or another process.

        Raises:
            ValueError: The state belongs to another network or optimizer.
        """
        own = self.state()
        if {name: array.shape for name, array in own.items()} != {name: array.shape for name, array in state.items()}:
            raise ValueError(
                "expected the state of the same network and recipe; got arrays of other names or shapes."
                " Train from scratch."
            )
        self.n_epochs_done = int(state["n_epochs_done"])
        self._current = _group(state, "current")
        self._average = _group(state, "average") or self._current
        _assign(self._optimizer.variables, _group(state, "optimizer"))
        _assign(self._running, self._average)
        self.use(self._average)

    def _run_epoch(self, on_step: Callable[[int, int], object], on_validation_batch: Callable[[], object]) -> Epoch:
        """One epoch: train the current weights, then validate the averaged ones and leave them in the model."""
        began = perf_counter()
        self.use(self._current)
        if isinstance(self.training.images, Activations):
            self.training.images.start_epoch(self.n_epochs_done)
        _reseed(self.model, self.recipe.seed, self.n_epochs_done)
        sums = np.zeros(2)
        rate, n_images = 0.0, 0
        for step, rows in enumerate(self._batches()):
            rate = learning_rate(self.recipe, self.n_epochs_done + step / self.n_steps)
            sums += len(rows) * self._take_step(step, rows, rate)
            n_images += len(rows)
            on_step(step + 1, self.n_steps)
        self._current = self.weights()
        self._average = [variable.numpy() for variable in self._running] if self.recipe.averaging else self._current
        seconds = perf_counter() - began
        self.use(self._average)
        val_loss, val_accuracy = self._validate(on_validation_batch)
        self.n_epochs_done += 1
        loss, accuracy = (float(value) for value in sums / n_images)
        return Epoch(
            self.n_epochs_done, loss, accuracy, val_loss, val_accuracy, rate, seconds, images_per_s=n_images / seconds
        )

    def _validate(self, on_batch: Callable[[], object]) -> tuple[float, float]:
        """Loss and accuracy of the model, as it is, on the validation split."""
        outputs = predict_in_batches(self._forward, self.validation.images, on_batch)
        return measure(outputs, self.validation.labels, self._has_neither)

    def _batches(self) -> Iterator[NDArray[np.intp]]:
        """The rows of each step, in the epoch's own order; sorted within a step, which reads faster."""
        random, n = np.random.default_rng((self.recipe.seed, self.n_epochs_done)), len(self.training.images)
        n_rows = self.n_steps * self.recipe.batch_size if self.recipe.steps_per_epoch else n
        order = np.concatenate([random.permutation(n) for _ in range(-(-n_rows // n))])[:n_rows]
        for start in range(0, len(order), self.recipe.batch_size):
            yield np.sort(order[start : start + self.recipe.batch_size])

    def _take_step(self, step: int, rows: NDArray[np.intp], rate: float) -> NDArray[np.float64]:
        """One step on these rows; returns their loss and accuracy, float64 (2,)."""
        import tensorflow as tf

        self._optimizer.learning_rate = rate
        n_steps_done = self.n_epochs_done * self.n_steps + step
        # A long mean of the first steps would be mostly the initial weights, so it starts short.
        decay = min(self.recipe.averaging, (1 + n_steps_done) / (10 + n_steps_done))
        images, labels = self.training.images[rows], self.training.labels[rows]
        seed = tf.constant([self.recipe.seed, n_steps_done], tf.int32)
        loss, accuracy = self._step(
            tf.constant(images), tf.constant(labels, tf.int32), seed, tf.constant(decay, tf.float32)
        )
        return np.array([float(loss), float(accuracy)])

    def _compile(self) -> Any:
        """The step as one graph: augment, forward, loss, gradient, update, average."""
        import tensorflow as tf

        model, recipe, optimizer = self.model, self.recipe, self._optimizer
        averages = list(zip(self._running, self._trained, strict=True)) if recipe.averaging else []
        measure_loss = make_loss(int(model.output_shape[1]), self._has_neither, recipe.label_smoothing)

        def step(images: Any, labels: Any, seed: Any, decay: Any) -> Any:
            pixels = augment(images, self._side_px, recipe.augmentation, seed)
            with tf.GradientTape() as tape:
                loss, right = measure_loss(labels, model(pixels, training=True))
            variables = model.trainable_variables
            optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            for average, variable in averages:
                average.assign_add((1 - decay) * (variable.value - average))
            return loss, right

        return tf.function(step, autograph=False, reduce_retracing=True)

    def _optimizer_arrays(self) -> list[NDArray[Any]]:
        return [np.asarray(variable) for variable in self._optimizer.variables]


def predict_in_batches(
    forward: Callable[[Any], Any],
    images: Images | Activations,
    on_batch: Callable[[], object] = lambda: None,
) -> NDArray[np.float32]:
    """Run many images through a network in batches.

    Args:
        forward: From a batch of images to float32 (B, C), 0 to 1.
        images: uint8 (N, side, side, 3), 0 to 255, or float16 activations (N, height, width, channels).
        on_batch: Called after each batch.
    Returns:
        float32 (N, C), 0 to 1, in the same order.
    """
    size = max(1, min(_VALIDATION_BATCH, _VALIDATION_PIXELS // images.shape[1] ** 2))
    outputs = []
    for start in range(0, len(images), size):
        outputs.append(np.asarray(forward(images[start : start + size])))
        on_batch()
    return np.concatenate(outputs)


def _compile_forward(model: "keras.Model") -> Any:
    import tensorflow as tf

    return tf.function(lambda images: model(images, training=False), autograph=False, reduce_retracing=True)


def _make_optimizer(recipe: Recipe) -> "keras.optimizers.Optimizer":
    import keras

    if recipe.weight_decay:
        return keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
    return keras.optimizers.Adam(recipe.learning_rate)


def _make_variables(arrays: Sequence[NDArray[Any]]) -> "list[tf.Variable]":
    import tensorflow as tf

    return [tf.Variable(array, trainable=False) for array in arrays]


def _assign(variables: Sequence[Any], arrays: Sequence[NDArray[Any]]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _reseed(model: "keras.Model", seed: int, epoch: int) -> None:
    """Make the random numbers of layers (dropout) follow from the epoch too, as order and augmentation do."""
    for index, layer in enumerate(model.layers):
        generator = getattr(layer, "seed_generator", None)
        if generator is not None:
            generator.state.assign([seed * 1000 + index, epoch])


def _group(state: Mapping[str, NDArray[Any]], part: str) -> list[NDArray[Any]]:
    return [state[name] for name in sorted(state) if name.startswith(f"{part}.")]
