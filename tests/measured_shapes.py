"""Shapes of exact width and length, rendered with anti-aliasing."""

import numpy as np


def render(inside, shape, *, samples=8):
    """Share of each pixel where ``inside(x, y)``, by supersampling."""
    offset = (np.arange(samples) + 0.5) / samples - 0.5
    y = (np.arange(shape[0])[:, None] + offset).ravel()[:, None]
    x = (np.arange(shape[1])[:, None] + offset).ravel()[None]
    fine = np.broadcast_to(inside(x, y), (y.size, x.size))
    return fine.reshape(
        shape[0], samples, shape[1], samples).mean((1, 3), dtype=np.float32)


def bar(width, length, degrees, *, shape=(110, 110), centre=(54.625, 54.25)):
    """Straight bar; 0 degrees lies along a row, 90 along a column.

    Along rows and columns a width that is a multiple of 0.25 is rendered
    exactly.
    """
    angle = np.radians(degrees)
    # Rows count downwards.
    ux, uy = np.cos(angle), -np.sin(angle)

    def inside(x, y):
        along = (x - centre[0]) * ux + (y - centre[1]) * uy
        across = (x - centre[0]) * uy - (y - centre[1]) * ux
        return (abs(along) <= length / 2) & (abs(across) <= width / 2)

    return render(inside, shape)


def arc(width, radius, degrees, *, shape=(110, 110), centre=(54.625, 54.25)):
    """Part of a ring around the centre, from 0 to ``degrees``."""

    def inside(x, y):
        x, y = x - centre[0], centre[1] - y
        angle = np.degrees(np.arctan2(y, x)) % 360
        return (abs(np.hypot(x, y) - radius) <= width / 2) & (
            angle <= degrees)

    return render(inside, shape)
