"""Teaching the last layers of a published network gently, so that it learns our classes and forgets little else.

What the first layers make of each picture was computed before, for several variations of it. The loss is that of a head
for our classes plus, times `memory`, how far the network's own classifier has moved from what the published one said
(Li and Hoiem 2016, "Learning without forgetting", arXiv:1606.09282). The running mean of the weights is what comes out;
a share of the way from the published weights to it is what is used (Wortsman et al. 2022, "Robust fine-tuning of
zero-shot models", arXiv:2109.01903).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.training.losses import NEITHER

if TYPE_CHECKING:
    import keras

WARMUP_STEPS = 200


@dataclass(frozen=True, slots=True)
class Gentle:
    """How the last layers are taught.

    Attributes:
        first: The first layer that learns; all after it do, but for normalisation and the classifiers.
        epochs: How often each picture is seen, each time in one of its variations.
        batch_size: Pictures for each step.
        learning_rate: The highest; it falls along half a cosine to zero.
        weight_decay: Decoupled, as in `model.training.train.Recipe`.
        label_smoothing: Likewise.
        memory: Weight of what the published classifier said.
        averaging: Decay of the running mean of the weights, for each step.
        share: How far to go from the published weights to the taught ones, 0 to 1.
        seed: Of order and variations.
    """

    first: str
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    memory: float
    averaging: float
    share: float
    seed: int


class Seen(NamedTuple):
    """Pictures as the first layers pass them on, in several variations.

    Attributes:
        activations: For each variation float16 (N, height, width, channels).
        logits: For each variation what the published classifier says: float16 (N, 1000).
        labels: (N,): 0, 1, or 2 for neither, which only remind the network of what it knew.
    """

    activations: Sequence[NDArray[np.float16]]
    logits: Sequence[NDArray[np.float16]]
    labels: NDArray[np.integer[Any]]


class Tuner:
    """Teaches one network by one recipe, resumable after each epoch.

    Args:
        model: From `efficientnet.build_efficientnet_lite0` with the published weights; its layers `features` and
            `imagenet` are what is taught and remembered.
        head: Kernel (1280, 1) and offset (1,) to begin with.
    """

    def __init__(self, model: "keras.Model", how: Gentle, seen: Seen, head: Sequence[NDArray[np.float32]]) -> None:
        import keras

        self._how, self._seen = how, seen
        self.n_epochs_done = 0
        self.n_steps = -(-len(seen.labels) // how.batch_size)
        outputs = [model.get_layer("features").output, model.get_layer("imagenet").output]
        self._tail = keras.Model(model.get_layer(how.first).input, outputs)
        self._learning = _learning(model, how.first)
        self._published = [np.asarray(variable) for variable in self._learning]
        self._head = [keras.Variable(array) for array in head]
        self._optimizer = keras.optimizers.AdamW(how.learning_rate, weight_decay=how.weight_decay)
        self._optimizer.build(self._variables)
        self._averages = [np.asarray(variable) for variable in self._variables]
        self._step = self._compile()

    @property
    def _variables(self) -> list[Any]:
        return [*self._learning, *self._head]

    def epochs(self) -> Iterator[tuple[float, float]]:
        """Teach the epochs that are left; of each the mean loss of the head and of memory, in nats."""
        while self.n_epochs_done < self._how.epochs:
            sums = np.zeros(2)
            for index, (places, variation) in enumerate(self._batches()):
                n_before = self.n_epochs_done * self.n_steps + index
                self._optimizer.learning_rate = self._rate(n_before)
                sums += [float(loss) for loss in self._step(*self._take(places, variation))]
                self._average(n_before + 1)
            self.n_epochs_done += 1
            yield float(sums[0]) / self.n_steps, float(sums[1]) / self.n_steps

    def finish(self) -> None:
        """Leave in the model what lies `share` of the way from the published weights to the running mean."""
        for variable, old, new in zip(self._learning, self._published, self._averages, strict=False):
            variable.assign((1 - self._how.share) * old + self._how.share * new)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything needed to go on after the last whole epoch, as named arrays."""
        groups = {"now": self._variables, "average": self._averages, "optimizer": self._optimizer.variables}
        arrays = {f"{name}.{i:04}": np.asarray(one) for name, some in groups.items() for i, one in enumerate(some)}
        return arrays | {"n_epochs_done": np.array(self.n_epochs_done)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave."""
        self.n_epochs_done = int(state["n_epochs_done"])
        for name, variables in (("now", self._variables), ("optimizer", self._optimizer.variables)):
            for index, variable in enumerate(variables):
                variable.assign(state[f"{name}.{index:04}"])
        self._averages = [state[f"average.{index:04}"] for index in range(len(self._averages))]

    def _batches(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Places of each step, sorted, which reads faster, and the variation in which each is seen."""
        random, n = np.random.default_rng((self._how.seed, self.n_epochs_done)), len(self._seen.labels)
        order, variation = random.permutation(n), random.integers(0, len(self._seen.activations), n)
        for start in range(0, n, self._how.batch_size):
            places = np.sort(order[start : start + self._how.batch_size])
            yield places, variation[places]

    def _take(self, places: NDArray[np.intp], variation: NDArray[np.intp]) -> tuple[Any, Any, Any]:
        first, logits = self._seen.activations[0], self._seen.logits[0]
        inputs = np.empty((len(places), *first.shape[1:]), np.float16)
        said = np.empty((len(places), logits.shape[1]), np.float16)
        for number, (activations, of_published) in enumerate(
            zip(self._seen.activations, self._seen.logits, strict=True)
        ):
            here = variation == number
            inputs[here], said[here] = activations[places[here]], of_published[places[here]]
        return inputs, said.astype(np.float32), self._seen.labels[places].astype(np.int32)

    def _rate(self, n_before: int) -> float:
        share = n_before / (self.n_steps * self._how.epochs)
        return self._how.learning_rate * min(1.0, (n_before + 1) / WARMUP_STEPS) * (1 + cos(pi * share)) / 2

    def _average(self, n_steps_done: int) -> None:
        # The mean of the first steps would be mostly the beginning: let it begin short.
        decay = min(self._how.averaging, (1 + n_steps_done) / (10 + n_steps_done))
        for index, variable in enumerate(self._variables):
            self._averages[index] = self._averages[index] + (1 - decay) * (np.asarray(variable) - self._averages[index])

    def _compile(self) -> Any:
        import tensorflow as tf

        how, tail, head, variables = self._how, self._tail, self._head, self._variables

        def step(inputs: Any, said: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                features, logits = tail(tf.cast(inputs, tf.float32), training=False)
                loss = _class_loss(tf.matmul(features, head[0]) + head[1], labels, how.label_smoothing)
                memory = tf.reduce_mean(_divergence(said, logits))
                total = loss + how.memory * memory
            gradients = tape.gradient(total, [variable.value for variable in variables])
            self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return loss, memory

        return tf.function(step, autograph=False, reduce_retracing=True)


def _learning(model: "keras.Model", first: str) -> list[Any]:
    """The weights that learn: from a layer on, but for normalisation and the classifiers on top."""
    import keras

    names = [layer.name for layer in model.layers]
    after = model.layers[names.index(first) :]
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [variable for layer in after if isinstance(layer, kinds) for variable in layer.trainable_variables]


def _class_loss(logits: Any, labels: Any, smoothing: float) -> Any:
    """Binary cross-entropy of those that are of a class."""
    import tensorflow as tf

    is_ours = tf.cast(labels < NEITHER, tf.float32)
    targets = tf.cast(labels == 1, tf.float32) * (1 - smoothing) + smoothing / 2
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits[:, 0])
    return tf.reduce_sum(is_ours * losses) / tf.maximum(tf.reduce_sum(is_ours), 1.0)


def _divergence(said: Any, logits: Any) -> Any:
    """How far what the classifier says now is from what it said, for each picture, in nats (Kullback and Leibler)."""
    import tensorflow as tf

    before, now = tf.nn.log_softmax(said), tf.nn.log_softmax(logits)
    return tf.reduce_sum(tf.exp(before) * (before - now), axis=1)
