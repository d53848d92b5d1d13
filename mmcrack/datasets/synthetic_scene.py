"""One synthetic scene: everything drawn once, then painted in bands.

Not in the papers.
"""

import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from cv2 import GaussianBlur

from mmcrack.datasets.synthetic_camera import JPEG_ROWS, REACH, Camera
from mmcrack.datasets.synthetic_cracks import (
    LIME,
    CrackPlan,
    CrackTruth,
    paint_segments,
)
from mmcrack.datasets.synthetic_noise import Noise
from mmcrack.datasets.synthetic_objects import draw_above, draw_below
from mmcrack.datasets.synthetic_style import SceneStyle, even
from mmcrack.datasets.synthetic_surface import Canvas, draw_surface, shifted
from mmcrack.datasets.synthetic_visibility import Visibility

# Pixels of a block: what bounds the memory. The height of a block depends on
# the picture's width only, so every caller sees the same blocks.
_BLOCK_PIXELS = 1 << 20
_STAIN_SIGMA = 7.0


class Scene:
    """Plan of one picture.

    Args:
        seed (int): Seed, >= 0.
        size (tuple[int, int]): Height and width in pixels, each >= 16.
        style (SceneStyle): Options.
        block_rows (int | None): Height of the blocks that are painted at
            once, a multiple of 16; None: chosen from the width.
    """

    def __init__(self, seed: int, size: tuple[int, int], style: SceneStyle,
                 *, block_rows: int | None = None):
        self.size = size
        self.noise = Noise(seed, left=-REACH, width=size[1] + 2 * REACH)
        rng = self.noise.generator('light')
        angle = rng.uniform(0, 2 * math.pi)
        self.light = (math.cos(angle), math.sin(angle))
        self.rim = even(rng, style.rim_light)
        self.core = even(rng, style.core_depth)
        self.dirt = even(rng, style.crack_dirt)
        self.stain = even(rng, style.crack_stain) * float(
            rng.choice((1.0, 1.0, -1.0)))
        shape = {'style': style, 'size': size}
        self.camera = Camera.draw(self.noise.generator('camera'), style=style)
        surface = draw_surface(self.noise.generator('surface'), **shape)
        self.plan = CrackPlan(
            self.noise.generator('cracks'),
            visibility=Visibility(
                surface, self.camera, seed=seed, size=size, light=self.light,
                wanted=style.visibility[1] > 0), **shape)
        self.under = surface + draw_below(
            self.noise.generator('below'), **shape)
        self.above = draw_above(
            self.noise.generator('above'), light=self.light, **shape)
        self._dark = self.plan.segments(pale=False)
        self._pale = self.plan.segments(pale=True)
        self._rows = block_rows or 16 * max(
            4, min(64, _BLOCK_PIXELS // size[1] // 16))

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Paint the picture from top to bottom.

        Yields:
            tuple[np.ndarray, np.ndarray]: The next rows: the image (uint8,
            (rows, W, 3), RGB) and the mask (uint8, (rows, W), {0, 1}).
        """
        for top in range(0, self.size[0], self._rows):
            yield self._block(top, min(self._rows, self.size[0] - top))

    def _block(self, top, rows):
        halo = JPEG_ROWS if self.camera.jpeg_quality is not None else 0
        first = max(0, top - halo)
        last = min(self.size[0], top + rows + halo)
        canvas = Canvas(
            rgb=np.zeros((last - first + 2 * REACH, self.noise.width, 3),
                         np.float32),
            noise=self.noise, top=first - REACH, size=self.size,
            light=self.light)
        for layer in self.under:
            layer.apply(canvas)
        mask = self._paint_cracks(canvas)
        for layer in self.above:
            layer.apply(canvas)
        image = self.camera.compress(self.camera.expose(canvas))
        skip = top - first
        inner = mask[skip + REACH:skip + REACH + rows, REACH:-REACH]
        return image[skip:skip + rows], np.ascontiguousarray(inner)

    def _paint_cracks(self, canvas):
        """Paint the cracks and return the mask of the whole canvas."""
        pad = math.ceil(3 * _STAIN_SIGMA)
        window = {'top': canvas.top - pad, 'left': self.noise.left - pad,
                  'rows': canvas.rows + 2 * pad,
                  'columns': canvas.columns + 2 * pad}
        inner = (slice(pad, -pad), slice(pad, -pad))
        mask, cover, lost = paint_segments(self._dark, **window)
        if not len(self._dark) and not len(self._pale):
            return mask[inner]
        if cover.any():
            self._paint_dark(canvas, cover, lost, inner)
        if len(self._pale):
            more, _, gained = paint_segments(self._pale, **window)
            mask |= more
            canvas.blend(gained[inner], LIME)
        return mask[inner]

    def _paint_dark(self, canvas, cover, lost, inner):
        x, y = self.light
        if self.stain:
            wide = GaussianBlur(cover, (0, 0), _STAIN_SIGMA)[inner]
            where = canvas.fractal('crack-stain', (14, 40), (0.6, 1))
            canvas.multiply(
                1 - self.stain * np.clip(0.5 + where, 0, 2)
                * np.minimum(1, 2.5 * wide))
        lost = lost[inner]
        if self.core:
            deep = GaussianBlur(cover, (0, 0), 1.8)[inner]
            lost = lost * (1 + self.core * np.clip(2 * deep - 1, 0, 1))
        if self.dirt:
            # What lies in a crack is as uneven as what is beside it.
            lost = lost * np.clip(1 + self.dirt * canvas.fractal(
                'dirt', (2.5, 7), (1, 0.8)), 0.3, 1.6)
        factor = 1 - np.minimum(lost, 0.97)
        if self.rim:
            # The edge that faces the light shines, outside and a little
            # way down the far wall. A hairline has no wall to be lit.
            open_ = np.clip(2 * GaussianBlur(cover, (0, 0), 2.0) - 0.5, 0, 1)
            outside = np.clip(
                shifted(cover, -1.3 * x, -1.3 * y) - cover, 0, 1)[inner]
            wall = np.clip(
                cover - shifted(cover, 2.5 * x, 2.5 * y), 0, 1)[inner]
            factor = factor * (1 + self.rim * open_[inner] * (
                outside + 2 * wall))
        canvas.multiply(factor)


@dataclass(frozen=True, kw_only=True)
class SyntheticScene:
    """A picture with its truth.

    Attributes:
        image (np.ndarray): Uint8, (H, W, 3), RGB.
        mask (np.ndarray): Uint8, (H, W), 1 is crack, 0 is none.
        cracks (list[CrackTruth]): Every crack as it was drawn; a branch
            stands after its parent.
        jpeg_quality (int | None): Compression that the image went through.
    """

    image: np.ndarray
    mask: np.ndarray
    cracks: list[CrackTruth]
    jpeg_quality: int | None


@dataclass(frozen=True, kw_only=True)
class SceneBand:
    """Some rows of a picture.

    Attributes:
        top (int): The first row in the picture.
        image (np.ndarray): Uint8, (rows, W, 3), RGB.
        mask (np.ndarray): Uint8, (rows, W), {0, 1}.
    """

    top: int
    image: np.ndarray
    mask: np.ndarray


def _whole_number(name, value, low):
    """Return an int that is at least ``low``, or raise."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f'{name} must be a whole number, got {value!r}.') from None
    if number < low:
        raise ValueError(f'{name} must be at least {low}, got {number}.')
    return number


def check_scene(seed, size, style) -> tuple[int, tuple[int, int], SceneStyle]:
    """Check what a caller gave for a scene.

    Args:
        seed (int): Seed, >= 0.
        size (tuple[int, int]): Height and width, each 16 to 65500.
        style (SceneStyle | None): Options; None is the default style.

    Returns:
        tuple[int, tuple[int, int], SceneStyle]: The same, as plain types.

    Raises:
        TypeError: If a value is of another type.
        ValueError: If a value is out of range.
    """
    seed = _whole_number('seed', seed, 0)
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f'size must be (height, width), got {size!r}.')
    size = tuple(_whole_number('size', side, 16) for side in size)
    if max(size) > 65500:
        raise ValueError(
            f'size must be at most 65500 on each side (the limit of JPEG), '
            f'got {size}.')
    if style is not None and not isinstance(style, SceneStyle):
        raise TypeError(
            'style must be a SceneStyle or None, got '
            f'{type(style).__name__}.')
    return seed, size, style or SceneStyle.default()


def generate_scene(seed: int, size: tuple[int, int], *,
                   style: SceneStyle | None = None) -> SyntheticScene:
    """Paint one picture.

    Not in the papers. The same seed, size and style give the same picture,
    bit for bit.

    Args:
        seed (int): Seed, >= 0.
        size (tuple[int, int]): Height and width in pixels, each 16 to 65500.
        style (SceneStyle | None): Options; None is the default style.

    Returns:
        SyntheticScene: Image, mask and the truth about each crack.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of range.
    """
    seed, size, style = check_scene(seed, size, style)
    scene = Scene(seed, size, style)
    image = np.empty((*size, 3), np.uint8)
    mask = np.empty(size, np.uint8)
    top = 0
    for rows, mask_rows in scene.blocks():
        image[top:top + len(rows)] = rows
        mask[top:top + len(rows)] = mask_rows
        top += len(rows)
    return SyntheticScene(
        image=image, mask=mask, cracks=scene.plan.cracks,
        jpeg_quality=scene.camera.jpeg_quality)


def iter_scene_bands(seed: int, size: tuple[int, int], *,
                     style: SceneStyle | None = None,
                     band_height: int = 256) -> Iterator[SceneBand]:
    """Paint one picture band by band.

    Not in the papers. The bands together equal ``generate_scene`` bit for
    bit, whatever the height of a band; the memory needed does not grow with
    the height of the picture.

    Args:
        seed (int): Seed, >= 0.
        size (tuple[int, int]): Height and width in pixels, each 16 to 65500.
        style (SceneStyle | None): Options; None is the default style.
        band_height (int): Rows of a band, >= 1; the last may have fewer.

    Yields:
        SceneBand: The next rows, from top to bottom.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of range.
    """
    seed, size, style = check_scene(seed, size, style)
    band_height = _whole_number('band_height', band_height, 1)
    return _bands(Scene(seed, size, style), size[0], band_height)


def _bands(scene, height, band_height):
    """Cut the scene's own blocks into bands of another height."""
    blocks = scene.blocks()
    image, mask = next(blocks)
    for top in range(0, height, band_height):
        rows = min(band_height, height - top)
        while len(image) < rows:
            more = next(blocks)
            image = np.concatenate([image, more[0]])
            mask = np.concatenate([mask, more[1]])
        yield SceneBand(top=top, image=image[:rows], mask=mask[:rows])
        image, mask = image[rows:], mask[rows:]
        if not len(image) and top + rows < height:
            image, mask = next(blocks)


def scene_truth(seed: int, size: tuple[int, int], *,
                style: SceneStyle | None = None) -> list[CrackTruth]:
    """Return the cracks of a picture without painting it.

    Not in the papers.

    Args:
        seed (int): Seed, >= 0.
        size (tuple[int, int]): Height and width in pixels, each 16 to 65500.
        style (SceneStyle | None): Options; None is the default style.

    Returns:
        list[CrackTruth]: The cracks of ``generate_scene``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of range.
    """
    return Scene(*check_scene(seed, size, style)).plan.cracks
