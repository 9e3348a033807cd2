import numpy as np
import pytest

from model.architectures.efficientnet_lite import LITE0, LITE2, LITE2_FAST, build_efficientnet_lite, build_features
from tests.model.conftest import draw_images


def build_lively(size):
    """The network with weights of every size that matters: nothing is 0, 1 or symmetric."""
    model = build_features(size._replace(side_px=40))
    random = np.random.default_rng(3)
    for layer in model.layers:
        if layer.name.endswith("norm"):
            n = layer.gamma.shape[0]
            gamma, variance = random.uniform(0.5, 1.0, n), random.uniform(0.01, 0.05, n)  # small: epsilon counts
            beta, mean = random.normal(0.5, 0.5, n), random.normal(0, 0.1, n)
            layer.set_weights([gamma, beta, mean, variance])
    return model


@pytest.fixture(scope="module")
def features():
    return build_lively(LITE0)


def windows(x, size, stride):
    """(side', side', channels, size, size) windows as TensorFlow's "same" padding places them."""
    side = x.shape[0]
    n = -(-side // stride)
    over = max(0, (n - 1) * stride + size - side)
    x = np.pad(x, ((over // 2, over - over // 2),) * 2 + ((0, 0),))
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))[::stride, ::stride]


def forward_by_hand(model, image, stages):
    def norm(x, name, rectify=True):
        gamma, beta, mean, variance = model.get_layer(f"{name}_norm").get_weights()
        x = (x - mean) / np.sqrt(variance + 0.001) * gamma + beta
        return np.clip(x, 0, 6) if rectify else x

    def kernel(name):
        return model.get_layer(name).get_weights()[0].astype(np.float64)

    x = (image.astype(np.float64) - 127) / 128
    x = norm(np.einsum("ijcyx,yxcf->ijf", windows(x, 3, 2), kernel("stem")), "stem")
    sizes = [(s.kernel, s.stride if i == 0 else 1) for s in stages for i in range(s.n_blocks)]
    for number, (size, stride) in enumerate(sizes, start=1):
        name, came_in = f"block_{number:02}", x
        if number > 1:
            x = norm(x @ kernel(f"{name}_expand")[0, 0], f"{name}_expand")
        x = np.einsum("ijcyx,yxc->ijc", windows(x, size, stride), kernel(f"{name}_depthwise")[..., 0])
        x = norm(norm(x, f"{name}_depthwise") @ kernel(f"{name}_project")[0, 0], f"{name}_project", rectify=False)
        x = x + came_in if x.shape == came_in.shape else x
    return norm(x @ kernel("top")[0, 0], "top").mean(axis=(0, 1))


@pytest.mark.parametrize("size", [LITE0, LITE2], ids=["lite0", "lite2"])
def test_the_forward_pass_is_the_formula_of_the_layers(size):
    model, images = build_lively(size), draw_images(2, 40)
    expected = np.stack([forward_by_hand(model, image, size.stages) for image in images])
    found = np.asarray(model(images))
    assert found.shape == (2, 1280)
    assert np.abs(expected[0] - expected[1]).mean() > 0.05  # the pictures come through
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_windows_that_reach_over_the_border_are_padded_at_the_bottom_and_right():
    """A stride of 2 on an even side: the first window begins at pixel 0, the last has one row and column over."""
    import keras

    model = build_features(LITE0._replace(side_px=32))
    stem = keras.Model(model.input, model.get_layer("stem").output)
    model.get_layer("stem").set_weights([np.ones((3, 3, 3, 32), np.float32)])
    image = np.full((1, 32, 32, 3), 127, np.uint8)  # 0 after scaling
    image[0, 0, 0] = 127 + 64  # 0.5 in each of three channels
    image[0, 31, 31] = 127 + 32
    sums = np.asarray(stem(image))[0, :, :, 0]
    assert sums.shape == (16, 16)
    assert sums[0, 0] == pytest.approx(1.5)
    assert sums[15, 15] == pytest.approx(0.75)
    assert np.count_nonzero(sums) == 2


def test_it_has_16_blocks_of_the_published_widths(features):
    names = [layer.name for layer in features.layers]
    assert sum(name.endswith("_project") for name in names) == 16
    assert sum(name.endswith("_add") for name in names) == 9
    projects = [layer for layer in features.layers if layer.name.endswith("_project")]
    assert [layer.filters for layer in projects] == [16, 24, 24, 40, 40, *[80] * 3, *[112] * 3, *[192] * 4, 320]


def test_it_has_as_many_weights_as_the_published_network(features):
    # 4,694,024 with ImageNet's classifier; the published file's 4,694,073 count each layer's batches too, 49 numbers.
    assert features.count_params() + 1280 * 1000 + 1000 == 4_694_073 - 49


def test_lite2_is_wider_and_deeper_by_the_published_factors():
    widths = [(stage.n_blocks, stage.n_filters) for stage in LITE2.stages]
    assert widths == [(1, 16), (3, 24), (3, 48), (4, 88), (4, 120), (5, 208), (1, 352)]
    assert [stage[1:4] for stage in LITE2.stages] == [stage[1:4] for stage in LITE0.stages]
    assert (LITE2.side_px, LITE2_FAST.side_px, LITE2_FAST.stages) == (260, 260, LITE0.stages)


@pytest.fixture(scope="module")
def whole():
    return build_efficientnet_lite(LITE0._replace(side_px=32))


def test_the_outputs_are_probabilities_of_cat_dog_and_neither(whole):
    outputs = np.asarray(whole(draw_images(3, 32)))
    assert outputs.shape == (3, 3)
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("imagenet_class", "is_pet"),
    [(150, 0), (151, 1), (268, 1), (269, 0), (280, 0), (281, 1), (285, 1), (286, 0), (0, 0), (999, 0)],
)
def test_the_evidence_for_pets_is_that_of_dogs_and_house_cats(whole, imagenet_class, is_pet):
    import keras

    evidence = keras.Model(whole.input, whole.get_layer("signs").output[:, 0])
    pets = [*range(151, 269), *range(281, 286)]
    logits = np.full(1000, -np.log(1000 - len(pets)))  # together 0 for the others ...
    logits[pets] = -np.log(len(pets))  # ... and 0 for the pets
    logits[imagenet_class] = 20.0
    whole.get_layer("imagenet").set_weights([np.zeros((1280, 1000)), logits])
    found = np.asarray(evidence(draw_images(1, 32)))
    assert found == pytest.approx(20.0 if is_pet else -20.0, abs=1e-3)


def test_the_probabilities_are_those_of_a_pet_shared_between_cat_and_dog(whole):
    import keras

    random = np.random.default_rng(2)
    whole.get_layer("dog").set_weights([random.normal(0, 0.2, (1280, 1)), np.array([0.1])])
    whole.get_layer("pet").set_weights([np.array([[0.7], [0.4]]), np.array([-0.3])])
    images = draw_images(4, 32)
    features = np.asarray(keras.Model(whole.input, whole.get_layer("features").output)(images))
    kernel, offset = whole.get_layer("imagenet").get_weights()
    logits = np.exp((features @ kernel + offset).astype(np.float64))
    pets = [*range(151, 269), *range(281, 286)]
    evidence = np.log(logits[:, pets].sum(axis=1)) - np.log(np.delete(logits, pets, axis=1).sum(axis=1))
    lean = (features @ whole.get_layer("dog").get_weights()[0])[:, 0] + 0.1
    pet = 1 / (1 + np.exp(-(0.7 * evidence + 0.4 * np.abs(lean) - 0.3)))
    dog = 1 / (1 + np.exp(-lean))
    expected = np.stack([pet * (1 - dog), pet * dog, 1 - pet], axis=1)
    np.testing.assert_allclose(np.asarray(whole(images)), expected, atol=1e-4)


def test_a_light_network_shrinks_its_images_before_the_first_convolution():
    import keras

    model = build_features(LITE0._replace(side_px=56, body_px=32))
    shrunk = keras.Model(model.input, model.get_layer("shrink").output)
    image = np.tile(np.arange(56, dtype=np.uint8)[None, :, None], (1, 56, 1, 3)).reshape(1, 56, 56, 3)
    places = (np.arange(32) + 0.5) * 56 / 32 - 0.5
    assert model.get_layer("stem").input.shape[1:] == (32, 32, 3)
    np.testing.assert_allclose(np.asarray(shrunk(image))[0, 3, :, 1], (places - 127) / 128, atol=1e-5)
