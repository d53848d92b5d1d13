"""What the synthetic photographs look like: every option, with its unit."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np


def _span(low: float,
          high: float,
          *,
          at_least: float = 0.0,
          at_most: float = float('inf')):
    """Field for a range (low, high) that must lie inside two bounds."""
    return field(
        default=(low, high),
        metadata={'kind': 'span', 'bounds': (at_least, at_most)})


def _share(value: float):
    """Field for a probability or a fraction in [0, 1]."""
    return field(default=value, metadata={'kind': 'share'})


@dataclass(frozen=True, kw_only=True)
class SceneStyle:
    """Options of the synthetic generator.

    Not in the papers: neither paper generates data. A range ``(low, high)``
    is drawn from once per scene or object: evenly, or evenly in the
    logarithm where that is said. "Brightness" runs from 0 (black) to 1
    (white); an amplitude is a share of the local brightness.

    Cracks:

    Args:
        crack_free (float): Share of scenes without any crack, 0 to 1.
        cracks (tuple[int, int]): Main cracks of a 320x320 scene. The number
            grows with (area / 320^2) ** 0.35.
        crack_width (tuple[float, float]): Width in pixels, 0.3 to 60;
            the mean width of a main crack is drawn evenly in the logarithm.
            No width along any crack leaves the range.
            In scenes with a short side below 167 px the upper end falls to
            0.12 of that side.
        width_variation (tuple[float, float]): Standard deviation of the
            logarithm of the width along one crack.
        crack_length (tuple[float, float]): Length before the frame cuts it,
            as a share of the shorter side.
        branches (tuple[float, float]): Mean number of branches per 100 px of
            a parent of 320 px or less (longer ones: the number grows with
            the square root of the length).
        branch_width (tuple[float, float]): Width of a branch as a share of
            the parent's width where it leaves.
        branch_shade (tuple[float, float]): Darkness of a branch as a share
            of its parent's.
        facet_length (tuple[float, float]): Mean length in pixels of the
            straight pieces of a thin crack (wider ones have longer pieces);
            they lie on a course of pieces about four times as long.
        kink_angle (tuple[float, float]): Standard deviation in degrees of
            the pieces' directions.
        crack_contrast (tuple[float, float]): Darkness of a crack: the share
            of the surface's light that is lost where it is fully covered.
        hairline_depth (float): Extra darkness, as a share, of a crack of no
            width; it falls by e for every 2 px.
        visibility (tuple[float, float]): Least contrast of a crack, drawn
            for each main crack, in standard deviations of the surface's
            unevenness at the crack's scale. Cracks that would be fainter
            are painted darker, and wider where that is not enough. 0 asks
            for nothing.
        contrast_variation (tuple[float, float]): Relative standard deviation
            of that darkness along a crack.
        pale_crack (float): Probability that a crack is lighter than the
            surface (filled with lime, at most 5 px wide).
        core_depth (tuple[float, float]): Extra darkness, as a share, in the
            middle of cracks wider than about 4 px.
        crack_dirt (tuple[float, float]): Relative amplitude of the uneven
            darkness inside a crack.
        crack_stain (tuple[float, float]): Amplitude of the stain beside a
            crack.
        rim_light (tuple[float, float]): Amplitude of the lit edge.

    Surface:

    Args:
        brightness (tuple[float, float]): Mean brightness.
        tint (tuple[float, float]): Strength of the colour cast.
        texture_scale (tuple[float, float]): Factor on the sizes of grains,
            stones and pores, drawn evenly in the logarithm.
        mottle (tuple[float, float]): Amplitude of clouds of 10 to 500 px.
        grain (tuple[float, float]): Amplitude of grain of 1 to 6 px.
        relief (tuple[float, float]): Amplitude of light and shade on bumps.
        stones (float): Probability of visible aggregate.
        stone_cover (tuple[float, float]): Share of the area under stones.
        pores (tuple[float, float]): Number per 100x100 px, before
            ``texture_scale``.
        stain (float): Probability of blotches (damp, rust, lime, soot).
        streak (float): Probability of vertical runs of water.
        spots (float): Probability of small dark spots with sharp edges.
        stain_strength (tuple[float, float]): Amplitude of stains and runs;
            spots are 1.6 times as strong.

    Objects that look like cracks:

    Args:
        boards (float): Probability of the print of formwork boards.
        joint (float): Probability of straight joints, full length, constant
            width.
        wire (float): Probability of a hanging wire with its shadow.
        scratch (float): Probability of scratches.
        patch (float): Probability of a repaired area of another tone.
        shadow (float): Probability of a cast shadow.
        joint_width (tuple[float, float]): In pixels.
        wire_width (tuple[float, float]): In pixels.
        joint_contrast (tuple[float, float]): Light lost in a joint.
        shadow_strength (tuple[float, float]): Light lost in a shadow.

    Camera:

    Args:
        light_fall (tuple[float, float]): Brightness difference across the
            frame.
        vignette (tuple[float, float]): Light lost in the corners.
        blur (tuple[float, float]): Standard deviation of the lens blur in
            pixels, at most 3, drawn evenly in the logarithm unless 0.
        motion (tuple[float, float]): Length of motion blur in pixels, at
            most 8.
        sharpening (tuple[float, float]): Gain of the camera's sharpening.
        noise (tuple[float, float]): Standard deviation of the sensor noise
            at brightness 0.5.
        jpeg_quality (tuple[int, int] | None): 1 to 100; None leaves the
            compression away.

    Raises:
        TypeError: If a value is of another type than the one named.
        ValueError: If a value lies outside its bounds.
    """

    crack_free: float = _share(0.05)
    cracks: tuple[int, int] = _span(1, 4)
    crack_width: tuple[float, float] = _span(
        0.6, 20.0, at_least=0.3, at_most=60.0)
    width_variation: tuple[float, float] = _span(0.15, 0.4, at_most=1.5)
    crack_length: tuple[float, float] = _span(0.5, 1.5, at_least=0.01)
    branches: tuple[float, float] = _span(0.0, 0.9, at_most=10)
    branch_width: tuple[float, float] = _span(0.4, 0.8, at_most=1.0)
    branch_shade: tuple[float, float] = _span(0.75, 1.05, at_most=2.0)
    facet_length: tuple[float, float] = _span(3.0, 9.0, at_least=1.0)
    kink_angle: tuple[float, float] = _span(16.0, 40.0, at_most=90)
    crack_contrast: tuple[float, float] = _span(0.3, 0.48, at_most=1.0)
    hairline_depth: float = _share(0.5)
    visibility: tuple[float, float] = _span(2.6, 4.5, at_most=10.0)
    contrast_variation: tuple[float, float] = _span(0.1, 0.3, at_most=1.0)
    pale_crack: float = _share(0.02)
    core_depth: tuple[float, float] = _span(0.0, 0.25, at_most=3.0)
    crack_dirt: tuple[float, float] = _span(0.02, 0.2, at_most=1.0)
    crack_stain: tuple[float, float] = _span(0.0, 0.12, at_most=1.0)
    rim_light: tuple[float, float] = _span(0.0, 0.25, at_most=1.0)

    brightness: tuple[float, float] = _span(0.34, 0.74, at_most=1.0)
    tint: tuple[float, float] = _span(0.2, 1.0, at_most=4.0)
    texture_scale: tuple[float, float] = _span(
        0.6, 1.8, at_least=0.2, at_most=20.0)
    mottle: tuple[float, float] = _span(0.02, 0.075, at_most=1.0)
    grain: tuple[float, float] = _span(0.015, 0.07, at_most=1.0)
    relief: tuple[float, float] = _span(0.0, 0.05, at_most=1.0)
    stones: float = _share(0.35)
    stone_cover: tuple[float, float] = _span(0.2, 0.7, at_most=1.0)
    pores: tuple[float, float] = _span(0.0, 7.0, at_most=200)
    stain: float = _share(0.65)
    streak: float = _share(0.35)
    spots: float = _share(0.18)
    stain_strength: tuple[float, float] = _span(0.12, 0.42, at_most=1.0)

    boards: float = _share(0.25)
    joint: float = _share(0.3)
    wire: float = _share(0.1)
    scratch: float = _share(0.35)
    patch: float = _share(0.2)
    shadow: float = _share(0.65)
    joint_width: tuple[float, float] = _span(1.5, 6.0, at_least=0.3)
    wire_width: tuple[float, float] = _span(1.5, 6.0, at_least=0.3)
    joint_contrast: tuple[float, float] = _span(0.3, 0.8, at_most=1.0)
    shadow_strength: tuple[float, float] = _span(0.2, 0.55, at_most=1.0)

    light_fall: tuple[float, float] = _span(0.0, 0.3, at_most=1.0)
    vignette: tuple[float, float] = _span(0.0, 0.25, at_most=1.0)
    blur: tuple[float, float] = _span(0.45, 1.1, at_most=3.0)
    motion: tuple[float, float] = _span(0.0, 1.5, at_most=8.0)
    sharpening: tuple[float, float] = _span(0.0, 0.7, at_most=3.0)
    noise: tuple[float, float] = _span(0.004, 0.018, at_most=0.5)
    jpeg_quality: tuple[int, int] | None = (62, 95)

    def __post_init__(self):
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.metadata.get('kind') == 'share':
                _check_number(item.name, value, 0.0, 1.0)
            elif item.name == 'jpeg_quality':
                if value is not None:
                    self._set_span(item.name, value, 1, 100)
            else:
                self._set_span(item.name, value, *item.metadata['bounds'])
        for name in ('cracks', 'jpeg_quality'):
            pair = getattr(self, name)
            if pair is not None and any(v != int(v) for v in pair):
                raise TypeError(
                    f'SceneStyle.{name} must hold two whole numbers, got '
                    f'{pair}.')

    def _set_span(self, name, value, low, high):
        """Check a range and keep it as a tuple (JSON gives lists)."""
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise TypeError(
                f'SceneStyle.{name} must be a range (low, high), got '
                f'{value!r}.')
        for number in value:
            _check_number(name, number, low, high)
        if value[0] > value[1]:
            raise ValueError(
                f'SceneStyle.{name} must be a range (low, high) with '
                f'low <= high, got {value!r}.')
        object.__setattr__(self, name, tuple(value))

    @classmethod
    def default(cls) -> 'SceneStyle':
        """Return the hard default distribution.

        At least 30 % of its cracks are under 3 px wide, and no threshold or
        ridge filter reaches a crack IoU of 0.35 on it.
        """
        return cls()

    @classmethod
    def clean(cls) -> 'SceneStyle':
        """Return dark cracks on a flat grey field, and nothing else.

        No texture, no distractor, no blur, no noise, no compression: the
        image is ``brightness * (1 - contrast * coverage)``, which is what a
        measurement can be checked against.
        """
        off = (0.0, 0.0)
        return cls(
            crack_free=0.0, crack_contrast=(0.6, 0.6), pale_crack=0.0,
            hairline_depth=0.0, visibility=off,
            branch_shade=(1.0, 1.0), contrast_variation=off, core_depth=off,
            crack_dirt=off, crack_stain=off, rim_light=off,
            brightness=(0.7, 0.7), tint=off, mottle=off, grain=off,
            relief=off, stones=0.0, pores=off, stain=0.0, streak=0.0,
            spots=0.0,
            boards=0.0, joint=0.0, wire=0.0, scratch=0.0, patch=0.0,
            shadow=0.0, light_fall=off, vignette=off, blur=off, motion=off,
            sharpening=off, noise=off, jpeg_quality=None)


def _check_number(name, value, low, high):
    """Raise unless the value is a finite number inside the bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(
            f'SceneStyle.{name} must hold numbers, got {value!r}.')
    if not np.isfinite(value) or not low <= value <= high:
        raise ValueError(
            f'SceneStyle.{name} must lie between {low} and {high}, got '
            f'{value}.')


def even(rng: np.random.Generator, span: tuple[float, float]) -> float:
    """Draw evenly from a range."""
    return float(rng.uniform(span[0], span[1]))


def log_even(rng: np.random.Generator, span: tuple[float, float]) -> float:
    """Draw evenly in the logarithm from a range of positive numbers."""
    return float(np.exp(rng.uniform(np.log(span[0]), np.log(span[1]))))
