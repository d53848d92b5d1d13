"""What looks like a crack and is none: joints, wires, boards, shadows.

Not in the papers. Each differs from a crack by what an inspector would see:
joints and board edges are straight, of constant width and run through the
whole picture; a wire is smooth, round and throws a shadow; a shadow is soft;
a repaired patch is an edge with two tones.
"""

import math
from dataclasses import dataclass

import numpy as np

from mmcrack.datasets.synthetic_cracks import Segments, paint_segments
from mmcrack.datasets.synthetic_style import SceneStyle, even, log_even
from mmcrack.datasets.synthetic_surface import Canvas, smoothstep


def _line(rng, size, spread=6.0):
    """Random line nx x + ny y = c, nearly upright or level."""
    across = rng.random() < 0.5
    angle = math.radians((90 if across else 0) + rng.normal(0, spread))
    x, y = rng.uniform(0.1, 0.9, 2) * (size[1], size[0])
    nx, ny = math.cos(angle), math.sin(angle)
    return float(nx), float(ny), float(nx * x + ny * y)


def _distance(canvas, line):
    """Signed distance of each pixel of the band to a line."""
    x, y = canvas.grid()
    return np.float32(line[0]) * x + np.float32(line[1]) * y - np.float32(
        line[2])


def _slab(distance, width):
    """Share of each pixel inside a strip."""
    d = np.abs(distance)
    return np.clip(
        np.minimum(d + 0.5, width / 2) - np.maximum(d - 0.5, -width / 2), 0,
        1)


@dataclass(frozen=True)
class Joint:
    """Straight joint from edge to edge.

    Attributes:
        line (tuple[float, float, float]): nx x + ny y = c.
        width (float): In pixels.
        contrast (float): Light lost in it.
        bevel (float): Light gained on the lit edge.
    """

    line: tuple[float, float, float]
    width: float
    contrast: float
    bevel: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'list[Joint]':
        """Draw the joints of a scene: none, one, or two that cross."""
        if rng.random() >= style.joint:
            return []
        many = 1 + int(rng.random() < 0.3) + int(max(size) > 1500)
        return [
            cls(line=_line(rng, size), width=log_even(rng, style.joint_width),
                contrast=even(rng, style.joint_contrast),
                bevel=rng.uniform(0.03, 0.2)) for _ in range(many)]

    def apply(self, canvas: Canvas) -> None:
        """Paint it."""
        distance = _distance(canvas, self.line)
        side = 1.0 if (self.line[0] * canvas.light[0]
                       + self.line[1] * canvas.light[1]) > 0 else -1.0
        inner = _slab(distance, self.width)
        # The wall under the light is in shade: the floor is darker there.
        tilt = np.clip(side * distance / self.width, -0.5, 0.5)
        edge = _slab(distance + side * (self.width / 2 + 1), 2.0)
        canvas.multiply(1 - self.contrast * inner * (0.85 + 0.3 * tilt)
                        + self.bevel * edge * (1 - inner))


@dataclass(frozen=True)
class Boards:
    """The print of formwork boards: parallel seams and wood grain.

    Attributes:
        line (tuple[float, float, float]): The first seam.
        spacing (float): Width of a board in pixels.
        seam (float): Amplitude of the seams.
        grain (float): Amplitude of the wood grain.
        tone (float): Difference of tone from board to board.
        flow (tuple[float, float]): Lattice spacing of the grain (y, x).
    """

    line: tuple[float, float, float]
    spacing: float
    seam: float
    grain: float
    tone: float
    flow: tuple[float, float]

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'Boards | None':
        """Draw the boards of a scene, or none."""
        if rng.random() >= style.boards:
            return None
        line = _line(rng, size, spread=1.5)
        fine, long = rng.uniform(2.0, 4.5), rng.uniform(60, 140)
        upright = abs(line[0]) > abs(line[1])
        return cls(
            line=line, spacing=rng.uniform(55, 190),
            seam=rng.uniform(0.08, 0.3), grain=rng.uniform(0.01, 0.05),
            tone=rng.uniform(0.0, 0.05),
            flow=(long, fine) if upright else (fine, long))

    def apply(self, canvas: Canvas) -> None:
        """Paint them."""
        wood = canvas.noise.smooth(
            'wood', spacing=self.flow, top=canvas.top, rows=canvas.rows)
        distance = _distance(canvas, self.line)
        number = np.floor(distance / self.spacing + 0.5).astype(np.int64)
        levels = canvas.noise.generator('boards').normal(0, 1, 257)
        level = levels[number % 257].astype(np.float32)
        near = distance - number * np.float32(self.spacing)
        strong = np.abs(levels[(number + 7) % 257]).astype(np.float32)
        seam = _slab(near, 1.6) - 0.7 * _slab(near - 1.8, 1.6)
        canvas.multiply(
            (1 + self.grain * wood + self.tone * level)
            * (1 - self.seam * np.clip(strong, 0.2, 1.5) * seam))


@dataclass(frozen=True)
class Wire:
    """Smooth wire of constant width with a highlight and a shadow.

    Attributes:
        points (np.ndarray): Float64, (K, 2), its axis.
        width (float): In pixels.
        colour (tuple[float, float, float]): Of the wire.
        offset (tuple[float, float]): Of the shadow, in pixels.
        shade (float): Light lost in the shadow.
    """

    points: np.ndarray
    width: float
    colour: tuple[float, float, float]
    offset: tuple[float, float]
    shade: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int], light) -> 'list[Wire]':
        """Draw the wires of a scene."""
        if rng.random() >= style.wire:
            return []
        height, width = size
        ends = np.array([[-40.0, rng.uniform(0, height)],
                         [width + 40.0, rng.uniform(0, height)]])
        if rng.random() < 0.6:
            ends = np.array([[rng.uniform(0, width), -40.0],
                             [rng.uniform(0, width), height + 40.0]])
        sag = rng.normal(0, 0.12) * max(size)
        t = np.linspace(0, 1, max(16, int(max(size) / 12)))[:, None]
        along = ends[1] - ends[0]
        normal = np.array([-along[1], along[0]]) / np.hypot(*along)
        points = ends[0] + t * along + 4 * sag * t * (1 - t) * normal
        tone = rng.choice((rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.75)))
        gap = rng.uniform(2, 12)
        return [cls(
            points=points, width=log_even(rng, style.wire_width),
            colour=tuple(float(tone * v) for v in rng.normal(1, 0.04, 3)),
            offset=(-gap * light[0], -gap * light[1]),
            shade=rng.uniform(0.15, 0.4))]

    def apply(self, canvas: Canvas) -> None:
        """Paint shadow and wire."""
        one = np.ones(len(self.points))
        window = {'top': canvas.top, 'left': canvas.noise.left,
                  'rows': canvas.rows, 'columns': canvas.columns}
        fall = Segments.of_lines([(self.points + np.array(self.offset),
                                   (self.width + 2.5) * one, one)])
        soft = sum(
            paint_segments(
                Segments(start=fall.start, end=fall.end,
                         widths=fall.widths + grow, values=fall.values),
                **window)[1] for grow in (-2.4, -0.8, 0.8, 2.4)) / 4
        canvas.multiply(1 - self.shade * soft)
        body = Segments.of_lines([(self.points, self.width * one, one)])
        cover = paint_segments(body, **window)[1]
        reach = max(0.6, 0.22 * self.width)
        core = paint_segments(
            Segments.of_lines([(
                self.points + reach * np.array(canvas.light),
                max(0.8, 0.3 * self.width) * one, one)]), **window)[1]
        canvas.blend(cover, self.colour)
        bright = [min(1.0, c + 0.28) for c in self.colour]
        canvas.blend(0.8 * core * cover, bright)


@dataclass(frozen=True)
class Scratches:
    """Thin, nearly straight marks of tools.

    Attributes:
        lines (tuple): ``(points, width, gain)``; a gain above 0 is pale.
    """

    lines: tuple

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'Scratches | None':
        """Draw the scratches of a scene, or none."""
        if rng.random() >= style.scratch:
            return None
        lines = []
        for _ in range(1 + int(rng.poisson(2))):
            start = rng.uniform(0, 1, 2) * (size[1], size[0])
            angle = rng.uniform(0, math.pi)
            length = rng.uniform(0.08, 0.45) * min(max(size), 900)
            bend = rng.normal(0, 0.03) * length
            t = np.linspace(0, 1, 12)[:, None]
            along = np.array([math.cos(angle), math.sin(angle)])
            normal = np.array([-along[1], along[0]])
            points = start + length * t * along + (
                4 * bend * t * (1 - t) * normal)
            gain = rng.uniform(0.08, 0.3) * (1 if rng.random() < 0.8 else -1)
            lines.append((points, float(rng.uniform(0.5, 1.8)), float(gain)))
        return cls(lines=tuple(lines))

    def apply(self, canvas: Canvas) -> None:
        """Paint them."""
        for points, width, gain in self.lines:
            fade = np.sin(np.linspace(0.15, math.pi - 0.15, len(points)))
            lost = paint_segments(
                Segments.of_lines([(points, np.full(len(points), width),
                                    abs(gain) * fade)]),
                top=canvas.top, left=canvas.noise.left, rows=canvas.rows,
                columns=canvas.columns)[2]
            canvas.multiply(1 + math.copysign(1, gain) * lost)


@dataclass(frozen=True)
class Patch:
    """A repaired or later cast area of another tone.

    Attributes:
        line (tuple[float, float, float]): Its edge.
        gain (float): Factor on the brightness inside, less 1.
        wobble (float): Unevenness of the edge in pixels.
        smear (float): Amplitude of its own clouds.
    """

    line: tuple[float, float, float]
    gain: float
    wobble: float
    smear: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'Patch | None':
        """Draw the patch of a scene, or none."""
        if rng.random() >= style.patch:
            return None
        return cls(line=_line(rng, size, spread=12),
                   gain=float(rng.choice((-1, 1)) * rng.uniform(0.05, 0.2)),
                   wobble=rng.uniform(0.2, 4), smear=rng.uniform(0, 0.05))

    def apply(self, canvas: Canvas) -> None:
        """Paint it."""
        edge = canvas.fractal('patch', (9, 40), (0.4, 1))
        share = smoothstep(
            _distance(canvas, self.line) + self.wobble * edge, -1, 1)
        clouds = canvas.fractal('patch-clouds', (14, 50), (1, 1))
        canvas.multiply(1 + share * (self.gain + self.smear * clouds))


@dataclass(frozen=True)
class Shadow:
    """Cast shadow: a half plane or a bar, with a soft edge.

    Attributes:
        line (tuple[float, float, float]): Its edge or axis.
        bar (float): Width of the bar in pixels; 0: half plane.
        soft (float): Width of the half shadow in pixels.
        strength (float): Light lost.
        wobble (float): Unevenness of the edge in pixels.
    """

    line: tuple[float, float, float]
    bar: float
    soft: float
    strength: float
    wobble: float

    @classmethod
    def draw(cls, rng: np.random.Generator, style: SceneStyle,
             size: tuple[int, int]) -> 'Shadow | None':
        """Draw the shadow of a scene, or none."""
        if rng.random() >= style.shadow:
            return None
        bar = rng.uniform(22, 0.25 * min(size) + 24)
        return cls(
            line=_line(rng, size, spread=35),
            bar=bar if rng.random() < 0.5 else 0.0,
            soft=rng.uniform(3, 30),
            strength=even(rng, style.shadow_strength),
            wobble=rng.uniform(0, 8) * (rng.random() < 0.5))

    def apply(self, canvas: Canvas) -> None:
        """Paint it: bluish, for the sky still lights it."""
        distance = _distance(canvas, self.line)
        if self.wobble:
            distance = distance + self.wobble * canvas.fractal(
                'shadow', (30, 90), (0.6, 1))
        if self.bar:
            distance = np.abs(distance) - self.bar / 2
        share = 1 - smoothstep(distance, -self.soft / 2, self.soft / 2)
        for channel, tone in enumerate((1.0, 0.97, 0.9)):
            canvas.rgb[..., channel] *= 1 - tone * self.strength * share


def draw_below(rng: np.random.Generator, *, style: SceneStyle,
               size: tuple[int, int]) -> list:
    """Draw the layers that lie under the cracks.

    Args:
        rng (np.random.Generator): Source of every choice.
        style (SceneStyle): Options.
        size (tuple[int, int]): Height and width in pixels.

    Returns:
        list: Objects with a method ``apply(canvas)``.
    """
    layers = [Boards.draw(rng, style, size), Patch.draw(rng, style, size),
              Scratches.draw(rng, style, size)]
    layers += Joint.draw(rng, style, size)
    return [layer for layer in layers if layer is not None]


def draw_above(rng: np.random.Generator, *, style: SceneStyle,
               size: tuple[int, int], light: tuple[float, float]) -> list:
    """Draw the layers that lie over the cracks: shadow, wires.

    Args:
        rng (np.random.Generator): Source of every choice.
        style (SceneStyle): Options.
        size (tuple[int, int]): Height and width in pixels.
        light (tuple[float, float]): Unit vector (x, y) towards the light.

    Returns:
        list: Objects with a method ``apply(canvas)``.
    """
    layers = [Shadow.draw(rng, style, size)]
    layers += Wire.draw(rng, style, size, light)
    return [layer for layer in layers if layer is not None]
