"""Random augmentation of training images: rotated, sheared, shifted, mirrored, recoloured, partly covered.

Everything follows from the seed given with the batch, so an epoch can be repeated exactly. The result is uint8 in the
size of the network's input, the same kind of input as in serving.
"""

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow as tf

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601: the brightness of red, green and blue
_N_DRAWS = 15


@dataclass(frozen=True, slots=True)
class Augmentation:
    """The limits of augmentation. Each value is drawn for every image; zero leaves it out.

    Attributes:
        zoom: Smallest and largest share of the image's sides that is shown, drawn on a logarithmic scale. Above 1 the
            border is repeated.
        stretch: Each axis is scaled independently by up to this fraction more or less.
        shift: Largest shift in each direction, as a fraction of the side.
        rotation_degrees: Largest rotation to either side.
        shear_degrees: Largest shear to either side.
        flip: Whether half of the images are mirrored left to right.
        brightness: All values are multiplied by up to this fraction more or less.
        contrast: Distance from the mean grey, likewise.
        saturation: Distance of each pixel from its own grey, likewise.
        tint: Each colour channel is multiplied independently, likewise.
        sharpness: Largest amount of sharpening or blurring: 1 doubles fine detail, or removes it.
        cover: Largest side of a plain rectangle drawn over the image, as a fraction of the image's side.
    """

    zoom: tuple[float, float] = (1.0, 1.0)
    stretch: float = 0.0
    shift: float = 0.0
    rotation_degrees: float = 0.0
    shear_degrees: float = 0.0
    flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    tint: float = 0.0
    sharpness: float = 0.0
    cover: float = 0.0


NONE = Augmentation()
# As in the original description: Keras's old ImageDataGenerator read shear 0.2 as degrees and zoomed each axis apart.
SEED = Augmentation(stretch=0.2, shear_degrees=0.2, flip=True)
STRONG = Augmentation(
    zoom=(0.6, 1.05),
    stretch=0.15,
    shift=0.1,
    rotation_degrees=12.0,
    shear_degrees=8.0,
    flip=True,
    brightness=0.25,
    contrast=0.25,
    saturation=0.3,
    tint=0.05,
    cover=0.4,
)


def augment(images: "tf.Tensor", side_px: int, limits: Augmentation, seed: "tf.Tensor") -> "tf.Tensor":
    """Augment each image of a batch and resample it to the size of the network's input.

    Args:
        images: uint8 (N, S, S, 3), 0 to 255; S may be larger than `side_px`, so zooming in shows real detail.
        side_px: Height and width of the result.
        limits: Of the augmentation.
        seed: int32 (2,); the same seed gives the same result.
    Returns:
        uint8 (N, side_px, side_px, 3), 0 to 255.
    """
    import tensorflow as tf

    if limits == NONE and images.shape[1] == side_px:
        return images
    draws = tf.random.stateless_uniform((tf.shape(images)[0], _N_DRAWS), seed, -1.0, 1.0)
    columns = tf.unstack(draws, axis=1)
    pixels = _move(tf.cast(images, tf.float32), side_px, limits, columns[:8])
    if limits.brightness or limits.contrast or limits.saturation or limits.tint:
        pixels = _recolour(pixels, limits, draws[:, 8:11], draws[:, 11:14])
    if limits.sharpness:
        amounts = tf.random.stateless_uniform((tf.shape(images)[0],), seed + 2, -1.0, 1.0) * limits.sharpness
        pixels = _sharpen(pixels, amounts)
    if limits.cover:
        pixels = _cover(pixels, side_px, limits.cover, tf.random.stateless_uniform((tf.shape(images)[0], 4), seed + 1))
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)


def _move(pixels: "tf.Tensor", side_px: int, limits: Augmentation, draws: "list[tf.Tensor]") -> "tf.Tensor":
    """Zoom, stretch, rotate, shear, shift and mirror in one resampling (bilinear, the border repeated)."""
    import tensorflow as tf

    source_px = int(pixels.shape[1])
    zoom, stretch_x, stretch_y, angle, slant, shift_x, shift_y, mirror = draws
    low, high = (tf.math.log(limit) for limit in limits.zoom)
    scale = tf.exp((low + high) / 2 + zoom * (high - low) / 2) * (source_px / side_px)
    scale_x = scale * (1 + stretch_x * limits.stretch)
    scale_y = scale * (1 + stretch_y * limits.stretch)
    if limits.flip:
        scale_x *= tf.where(mirror < 0, -1.0, 1.0)
    rotation = angle * (limits.rotation_degrees * pi / 180)
    shear = tf.tan(slant * (limits.shear_degrees * pi / 180))
    cos, sin = tf.cos(rotation), tf.sin(rotation)
    # From a point in the result to a point in the source: rotation x shear x scale, about the middle.
    xx, xy = cos * scale_x, (cos * shear - sin) * scale_y
    yx, yy = sin * scale_x, (sin * shear + cos) * scale_y
    middle, source_middle = (side_px - 1) / 2, (source_px - 1) / 2
    x0 = source_middle + shift_x * limits.shift * source_px - (xx + xy) * middle
    y0 = source_middle + shift_y * limits.shift * source_px - (yx + yy) * middle
    zero = tf.zeros_like(x0)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=pixels,
        transforms=tf.stack([xx, xy, x0, yx, yy, y0, zero, zero], axis=1),
        output_shape=[side_px, side_px],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )


def _recolour(pixels: "tf.Tensor", limits: Augmentation, gains: "tf.Tensor", tints: "tf.Tensor") -> "tf.Tensor":
    """Brightness, contrast, saturation and tint as one 3 x 3 matrix and one offset for each image."""
    import tensorflow as tf

    n, side_px = tf.shape(pixels)[0], int(pixels.shape[1])
    flat = tf.reshape(pixels, (n, side_px * side_px, 3))
    brightness, contrast, saturation = (
        1 + gains[:, i, None, None] * limit
        for i, limit in enumerate((limits.brightness, limits.contrast, limits.saturation))
    )
    grey = tf.tile(tf.reshape(tf.constant(_LUMA), (1, 3, 1)), (1, 1, 3))
    channel = (1 + tints[:, None, :] * limits.tint) * brightness
    matrix = (saturation * tf.eye(3)[None] + (1 - saturation) * grey) * contrast * channel
    mean_grey = tf.reduce_mean(flat, axis=1, keepdims=True) @ grey
    recoloured = flat @ matrix + mean_grey * (1 - contrast) * channel
    return tf.reshape(recoloured, (n, side_px, side_px, 3))


def _sharpen(pixels: "tf.Tensor", amounts: "tf.Tensor") -> "tf.Tensor":
    """Add a multiple of each image's fine detail (itself minus a blurred copy), or subtract it."""
    import tensorflow as tf

    row = tf.constant((1.0, 4.0, 6.0, 4.0, 1.0)) / 16  # binomial: about a Gaussian of one pixel
    kernel = tf.tile((row[:, None] * row[None, :])[:, :, None, None], (1, 1, 3, 1))
    padded = tf.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)), "SYMMETRIC")
    blurred = tf.nn.depthwise_conv2d(padded, kernel, (1, 1, 1, 1), "VALID")
    return pixels + amounts[:, None, None, None] * (pixels - blurred)


def _cover(pixels: "tf.Tensor", side_px: int, cover: float, draws: "tf.Tensor") -> "tf.Tensor":
    """Draw a rectangle in the image's mean colour over it (DeVries and Taylor 2017, arXiv:1708.04552)."""
    import tensorflow as tf

    positions = (tf.range(side_px, dtype=tf.float32) + 0.5) / side_px
    inside_y = tf.abs(positions[None] - draws[:, 0:1]) < draws[:, 2:3] * cover / 2
    inside_x = tf.abs(positions[None] - draws[:, 1:2]) < draws[:, 3:4] * cover / 2
    covered = (inside_y[:, :, None] & inside_x[:, None, :])[..., None]
    return tf.where(covered, tf.reduce_mean(pixels, axis=(1, 2), keepdims=True), pixels)
