"""The concrete itself: clouds, grain, bumps, stones, pores, stains.

Not in the papers. A layer is a frozen set of numbers drawn once per scene;
``apply`` paints it onto any band of rows, the same way for each.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from mmcrack.datasets.synthetic_noise import Noise
from mmcrack.datasets.synthetic_style import SceneStyle, even, log_even

_CELL = 128
_LARGEST_OBJECT = 48


@dataclass
class Canvas:
    """A band of the picture while it is painted.

    Attributes:
        rgb (np.ndarray): Float32, (rows, columns, 3), brightness, 0 to 1.
        noise (Noise): Random fields over these columns.
        top (int): Row of the first pixel (may be negative: margins).
        size (tuple[int, int]): Height and width of the whole picture.
        light (tuple[float, float]): Unit vector (x, y) towards the light.
    """

    rgb: np.ndarray
    noise: Noise
    top: int
    size: tuple[int, int]
    light: tuple[float, float]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.rgb.shape[0]

    @property
    def columns(self) -> int:
        """Number of columns."""
        return self.rgb.shape[1]

    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions: x (1, columns) and y (rows, 1), float32, in pixels."""
        x = np.arange(self.columns, dtype=np.float32) + self.noise.left
        y = np.arange(self.rows, dtype=np.float32) + self.top
        return x[None, :], y[:, None]

    def multiply(self, factor: np.ndarray) -> None:
        """Multiply all channels by a (rows, columns) map."""
        self.rgb *= factor.astype(np.float32)[..., None]

    def blend(self, alpha: np.ndarray, colour) -> None:
        """Mix a colour in, by a (rows, columns) map of shares, 0 to 1."""
        alpha = alpha.astype(np.float32)[..., None]
        self.rgb += alpha * (np.asarray(colour, np.float32) - self.rgb)

    def fractal(self, name: str, spacings, weights) -> np.ndarray:
        """Fractal noise over this band."""
        return self.noise.fractal(
            name, spacings=tuple(spacings), weights=tuple(weights),
            top=self.top, rows=self.rows)


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Cubic step from 0 at ``low`` to 1 at ``high``, element by element."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def shifted(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """Move a map by a fraction of pixels; the border is repeated."""
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    return cv2.warpAffine(
        image, matrix, image.shape[::-1], flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class Ground:
    """Brightness, colour, clouds, grain and bumps.

    Attributes:
        colour (tuple[float, float, float]): Mean red, green and blue.
        mottle (float): Amplitude of the clouds.
        grain (float): Amplitude of the grain.
        relief (float): Amplitude of the bumps' shading.
        bump (float): Size of the bumps in pixels.
        scale (float): Factor on all sizes of the texture.
        coarse (float): Share of the clouds' power in the largest ones.
    """

    colour: tuple[float, float, float]
    mottle: float
    grain: float
    relief: float
    bump: float
    scale: float
    coarse: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             scale: float) -> 'Ground':
        """Draw a ground."""
        warm = rng.normal(0.012, 0.03) * even(rng, style.tint)
        green = rng.normal(0.0, 0.006) * even(rng, style.tint)
        level = even(rng, style.brightness)
        return cls(
            colour=(level * (1 + warm), level * (1 + green),
                    level * (1 - warm)),
            mottle=even(rng, style.mottle), grain=even(rng, style.grain),
            relief=even(rng, style.relief), bump=rng.uniform(2.5, 9.0),
            scale=scale, coarse=rng.uniform(0.4, 1.2))

    def apply(self, canvas: Canvas) -> None:
        """Fill the canvas."""
        canvas.rgb[:] = self.colour
        if self.mottle:
            self._clouds(canvas)
        if self.grain:
            self._grain(canvas)
        if self.relief:
            spacings = (self.bump * self.scale, 2.2 * self.bump * self.scale)
            bumps = canvas.fractal('bumps', spacings, (1.0, 0.8))
            x, y = canvas.light
            slope = shifted(bumps, x, y) - shifted(bumps, -x, -y)
            canvas.multiply(1 - self.relief * 1.2 * slope)

    def _clouds(self, canvas):
        large = max(60.0, 0.5 * min(canvas.size))
        spacings = (9 * self.scale, 22 * self.scale, 55 * self.scale, 140,
                    min(large, 480), min(2.5 * large, 1500))
        weights = (0.35, 0.4, 0.5, 0.7 * self.coarse, self.coarse,
                   self.coarse)
        clouds = canvas.fractal('clouds', spacings, weights)
        canvas.multiply(1 + self.mottle * clouds)
        hue = canvas.fractal('hue', (70, min(large, 400)), (0.5, 1.0))
        for channel, sign in ((0, 1), (2, -1)):
            canvas.rgb[..., channel] *= 1 + 0.14 * sign * self.mottle * hue

    def _grain(self, canvas):
        white = canvas.noise.white('grain', top=canvas.top, rows=canvas.rows)
        fine = canvas.fractal(
            'fine', (1.6 * self.scale, 3.2 * self.scale, 6 * self.scale),
            (1.0, 0.8, 0.5))
        # Patches differ in how rough they are, as on a real wall.
        rough = canvas.fractal('rough', (45, 150), (1.0, 1.0))
        amount = self.grain * np.clip(1 + 0.35 * rough, 0.3, 2)
        canvas.multiply(1 + amount * (0.45 * white + 0.8 * fine))


def _cells(canvas, name):
    """Yield a generator and the corner of each cell that can be seen."""
    reach = _LARGEST_OBJECT
    left = canvas.noise.left
    for row in range((canvas.top - reach) // _CELL,
                     (canvas.top + canvas.rows + reach) // _CELL + 1):
        for column in range((left - reach) // _CELL,
                            (left + canvas.columns + reach) // _CELL + 1):
            yield (canvas.noise.generator(name, row, column),
                   row * _CELL - canvas.top, column * _CELL - left)


def _ellipse(layer, x, y, a, b, angle, colour):
    """Filled, antialiased ellipse; positions to 1/16 pixel."""
    cv2.ellipse(
        layer, (round(16 * x), round(16 * y)), (round(16 * a), round(16 * b)),
        angle, 0, 360, colour, -1, cv2.LINE_AA, 4)


@dataclass(frozen=True)
class Stones:
    """Visible aggregate: stones of other tones in the mortar.

    Attributes:
        cover (float): Share of the area.
        radius (float): Median radius in pixels.
        contrast (float): Spread of the stones' brightness.
    """

    cover: float
    radius: float
    contrast: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             scale: float) -> 'Stones | None':
        """Draw the stones of a scene, or none."""
        if rng.random() >= style.stones:
            return None
        return cls(
            cover=even(rng, style.stone_cover),
            radius=scale * rng.uniform(0.9, 2.4),
            contrast=rng.uniform(0.05, 0.16))

    def apply(self, canvas: Canvas) -> None:
        """Paint the stones."""
        layer = np.full(canvas.rgb.shape, 128, np.uint8)
        mean_area = 2.2 * (1.3 * self.radius)**2
        for rng, y0, x0 in _cells(canvas, 'stones'):
            count = int(rng.poisson(self.cover * _CELL**2 / mean_area))
            place = rng.uniform(0, _CELL, (count, 2))
            radius = np.minimum(
                self.radius * rng.lognormal(0, 0.4, count), 40)
            tone = 128 + 128 * self.contrast * rng.normal(0, 1, (count, 1))
            tone = tone + 128 * 0.025 * rng.normal(0, 1, (count, 3))
            tone = np.clip(tone, 2, 253).astype(int).tolist()
            shapes = self._polygons(rng, place + (x0, y0), radius)
            for shape, colour in zip(shapes, tone, strict=True):
                cv2.fillConvexPoly(layer, shape, colour, cv2.LINE_AA, 4)
        layer = layer.astype(np.float32) * np.float32(1 / 128)
        canvas.rgb *= np.clip(layer, 0.3, 1.7)

    def _polygons(self, rng, centre, radius):
        """Broken stones: uneven polygons, corners to 1/16 pixel."""
        count = len(radius)
        angle = np.linspace(0, 2 * math.pi, 7, endpoint=False)
        angle = angle + rng.uniform(-0.35, 0.35, (count, 7))
        reach = radius[:, None] * rng.uniform(0.8, 1.15, (count, 7))
        x, y = reach * np.cos(angle), reach * np.sin(angle)
        y = y * rng.uniform(0.55, 1, (count, 1))
        turn = rng.uniform(0, math.pi, (count, 1))
        corners = np.stack([x * np.cos(turn) - y * np.sin(turn),
                            x * np.sin(turn) + y * np.cos(turn)], 2)
        return np.rint(16 * (corners + centre[:, None])).astype(np.int32)


@dataclass(frozen=True)
class Pores:
    """Air holes: dark, lit on the far rim.

    Attributes:
        density (float): Number per cell of 128x128 px.
        radius (float): Median radius in pixels.
        depth (float): Light lost in them.
    """

    density: float
    radius: float
    depth: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             scale: float) -> 'Pores | None':
        """Draw the pores of a scene, or none."""
        count = even(rng, style.pores) * (_CELL / 100)**2 / scale**2
        if count < 0.05:
            return None
        return cls(density=count, radius=scale * rng.uniform(0.7, 1.4),
                   depth=rng.uniform(0.25, 0.65))

    def apply(self, canvas: Canvas) -> None:
        """Paint the pores."""
        layer = np.zeros(canvas.rgb.shape[:2], np.uint8)
        for rng, y0, x0 in _cells(canvas, 'pores'):
            crowd = rng.gamma(1.5, 1 / 1.5)
            count = int(rng.poisson(self.density * crowd))
            place = rng.uniform(0, _CELL, (count, 2))
            radius = np.minimum(
                self.radius * rng.lognormal(0, 0.55, count), 30)
            flat = rng.uniform(0.5, 1, count)
            angle = rng.uniform(0, 180, count)
            depth = 255 * self.depth * rng.uniform(0.4, 1.2, count)
            for i in range(count):
                _ellipse(layer, x0 + place[i, 0], y0 + place[i, 1],
                         radius[i], radius[i] * flat[i], angle[i],
                         int(min(depth[i], 230)))
        hole = cv2.GaussianBlur(layer, (3, 3), 0.6).astype(np.float32) / 255
        x, y = canvas.light
        # The wall on the light's side lies in its own shadow; the far wall
        # is lit.
        lit = np.clip(hole - shifted(hole, 1.6 * x, 1.6 * y), 0, 1)
        edge = np.clip(shifted(hole, -1.2 * x, -1.2 * y) - hole, 0, 1)
        canvas.multiply(1 - hole + 0.45 * lit + 0.25 * edge)


@dataclass(frozen=True)
class Stain:
    """Blotches: damp, soot, rust or lime.

    Attributes:
        name (str): Name of its noise.
        colour (tuple[float, float, float]): Factor on red, green and blue
            where the stain is full.
        level (float): Threshold in standard deviations: higher is rarer.
        soft (float): Width of the edge in standard deviations.
        size (float): Size of the blotches in pixels.
    """

    name: str
    colour: tuple[float, float, float]
    level: float
    soft: float
    size: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'list[Stain]':
        """Draw the blotches of a scene."""
        found = []
        for number in range(2):
            if rng.random() >= style.stain:
                continue
            s = even(rng, style.stain_strength)
            kinds = ((1 - s, 1 - s, 1 - 0.95 * s),
                     (1 - 0.35 * s, 1 - 0.8 * s, 1 - 1.25 * s),
                     (1 + 0.8 * s, 1 + 0.8 * s, 1 + 0.75 * s))
            kind = int(rng.choice(3, p=(0.6, 0.15, 0.25)))
            large = 0.6 * min(size)
            found.append(cls(
                name=f'stain{number}', colour=kinds[kind],
                level=rng.uniform(0.2, 1.4), soft=rng.uniform(0.4, 2.0),
                size=log_even(rng, (12, max(20, min(large, 400))))))
        if rng.random() < style.spots:
            s = min(0.9, 1.6 * even(rng, style.stain_strength))
            found.append(cls(
                name='spots', colour=(1 - s, 1 - s, 1 - s),
                level=rng.uniform(1.5, 2.3), soft=rng.uniform(0.15, 0.6),
                size=log_even(rng, (7, 45))))
        return found

    def apply(self, canvas: Canvas) -> None:
        """Paint the blotches."""
        s = self.size
        field = canvas.fractal(
            self.name, (s, s / 2.3, s / 5, s / 11), (1, 0.6, 0.4, 0.25))
        share = smoothstep(field, self.level, self.level + self.soft)
        share = share * (1 + 0.2 * canvas.fractal(
            self.name + '-rough', (3, 8), (1, 1)))
        gain = np.array(self.colour, np.float32) - 1
        for channel in range(3):
            canvas.rgb[..., channel] *= 1 + gain[channel] * share


@dataclass(frozen=True)
class Streaks:
    """Vertical runs of water and dirt.

    Attributes:
        strength (float): Amplitude; below 0 they are pale.
        width (float): Size across in pixels.
        length (float): Size along in pixels.
    """

    strength: float
    width: float
    length: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'Streaks | None':
        """Draw the runs of a scene, or none."""
        if rng.random() >= style.streak:
            return None
        sign = 1 if rng.random() < 0.65 else -0.7
        return cls(
            strength=sign * even(rng, style.stain_strength),
            width=rng.uniform(6, 30),
            length=max(40, min(600, size[0] * rng.uniform(0.2, 0.8))))

    def apply(self, canvas: Canvas) -> None:
        """Paint the runs."""
        # Broad runs carry narrow ones: equal widths would look like bars.
        parts = [
            canvas.noise.smooth(
                f'streak{k}', spacing=(self.length / (1 + k), self.width * w),
                top=canvas.top, rows=canvas.rows)
            for k, w in enumerate((3.5, 1.0, 0.4))]
        where = canvas.fractal('streak-where', (90, 260), (1, 1))
        field = 0.9 * parts[0] + 0.65 * parts[1] + 0.3 * parts[2] + 0.3
        share = smoothstep(field, -0.6, 2.2) * smoothstep(where, -0.4, 1.6)
        rough = canvas.fractal('streak-rough', (4, 11), (1, 1))
        canvas.multiply(1 - self.strength * share * (1 + 0.25 * rough))


def draw_surface(rng: np.random.Generator, *, style: SceneStyle,
                 size: tuple[int, int]) -> list:
    """Draw the layers of a surface, from the ground up.

    Args:
        rng (np.random.Generator): Source of every choice.
        style (SceneStyle): Options.
        size (tuple[int, int]): Height and width in pixels.

    Returns:
        list: Objects with a method ``apply(canvas)``.
    """
    scale = log_even(rng, style.texture_scale)
    layers = [Ground.draw(rng, style, scale), Stones.draw(rng, style, scale)]
    layers += Stain.draw(rng, style, size)
    layers += [Streaks.draw(rng, style, size),
               Pores.draw(rng, style, scale)]
    return [layer for layer in layers if layer is not None]
