"""Augmentation: each picture seen a little differently in every step, by one resampling."""

# B = batch, H = height, W = width, C = channels

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="openbook")
class RandomView(keras.layers.Layer):
    """In training every picture is mirrored, turned, scaled and shifted at random; else it stays as it is.

    The four changes are one affine map, so that a picture is resampled once and not four times. What comes in from
    beyond the border repeats the border.

    Shapes: (B, H, W, C) → (B, H, W, C).

    Args:
        mirrors: whether half of the pictures are mirrored left to right.
        max_turn: in radians, to both sides.
        max_zoom: 0.2 for between 0.8 and 1.2 times the size.
        max_shift: share of the height and of the width, to both sides.
    """

    def __init__(
        self,
        *,
        mirrors: bool = True,
        max_turn: float = 0.15,
        max_zoom: float = 0.2,
        max_shift: float = 0.1,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mirrors = mirrors
        self.max_turn, self.max_zoom, self.max_shift = max_turn, max_zoom, max_shift
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, pictures_BHWC: Any, training: bool | None = None) -> Any:
        if not training:
            return pictures_BHWC
        batch, height, width, _ = keras.ops.shape(pictures_BHWC)
        draws_5B = keras.random.uniform((5, batch), -1.0, 1.0, seed=self.seed_generator)
        turn_B, zoom_B, shift_x_B, shift_y_B, mirror_B = (draws_5B[index] for index in range(5))
        angle_B = self.max_turn * turn_B
        scale_B = 1.0 / (1.0 + self.max_zoom * zoom_B)
        cos_B, sin_B = scale_B * keras.ops.cos(angle_B), scale_B * keras.ops.sin(angle_B)
        side_B = keras.ops.sign(mirror_B) if self.mirrors else keras.ops.ones_like(mirror_B)
        # Output pixel (x, y), about the middle, looks at x' = a0·x + a1·y + a2, y' = b0·x + b1·y + b2.
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        a0_B, a1_B, b0_B, b1_B = side_B * cos_B, -side_B * sin_B, sin_B, cos_B
        a2_B = middle_x - a0_B * middle_x - a1_B * middle_y + self.max_shift * width * shift_x_B
        b2_B = middle_y - b0_B * middle_x - b1_B * middle_y + self.max_shift * height * shift_y_B
        zeros_B = keras.ops.zeros_like(a0_B)
        maps_B8 = keras.ops.stack([a0_B, a1_B, a2_B, b0_B, b1_B, b2_B, zeros_B, zeros_B], axis=-1)
        return keras.ops.image.affine_transform(
            pictures_BHWC, maps_B8, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mirrors": self.mirrors,
            "max_turn": self.max_turn,
            "max_zoom": self.max_zoom,
            "max_shift": self.max_shift,
            "seed": self.seed,
        }
