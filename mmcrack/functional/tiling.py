"""Predict an image of any size in overlapping tiles, with bounded memory.

Not in the papers, which predict whole images. Tiles lie on a regular grid,
so the weight of a tile is the product of a weight along each axis, and the
weights can be normalised in advance: blending needs no second map to divide
by. Rows that no later tile touches are handed out at once; only one row of
tiles is ever held.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

#: Edge of a tile and overlap of two neighbours in pixels, if nobody says.
TILE_SIZE = 1024
OVERLAP = 128

_FLANK = 4.  # the weight falls to exp(-8) across the blended zone


class TileAxis(NamedTuple):
    """Where tiles lie along one axis.

    Attributes:
        length (int): Of the image, in pixels.
        padded (int): Where the last tile ends, at least ``length``.
        tile (int): Length of each tile.
        starts (tuple[int, ...]): First pixel of each tile.
    """

    length: int
    padded: int
    tile: int
    starts: tuple[int, ...]


class Band(NamedTuple):
    """Finished rows of the result.

    Attributes:
        top (int): The first row.
        bottom (int): Behind the last row.
        maps (Tensor): Float32, (M, ``bottom - top``, W), valid only until
            the next band is asked for.
    """

    top: int
    bottom: int
    maps: Tensor


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def plan_axis(length: int, *, tile_size: int | None, overlap: int,
              multiple: int) -> TileAxis:
    """Place tiles along one axis.

    All tiles are equally long and start at a multiple of ``multiple``, so
    that a network with strides sees the same grid in each. They are made
    shorter than ``tile_size`` where fewer pixels would do: the work grows
    with the image and not in steps of a tile.

    Args:
        length (int): Of the image, in pixels.
        tile_size (int, optional): Greatest length of a tile; None: one tile.
        overlap (int): Least overlap of two neighbours; rounded up to a
            multiple of ``multiple``.
        multiple (int): What the network's input is divisible by.

    Returns:
        TileAxis: The first tile starts at 0, the last ends at
        ``padded``, the next multiple of ``multiple`` after ``length``.

    Raises:
        ValueError: If the numbers do not fit each other.
    """
    if length < 1 or multiple < 1:
        raise ValueError('length and multiple must be at least 1, got '
                         f'{length} and {multiple}.')
    padded = _round_up(length, multiple)
    if tile_size is None:
        return TileAxis(length, padded, padded, (0, ))
    overlap = _round_up(overlap, multiple)
    if tile_size % multiple or not 0 <= 2 * overlap <= tile_size:
        raise ValueError(
            f'tile_size must be a multiple of {multiple} and at least twice '
            f'the overlap, got tile_size={tile_size} and overlap={overlap}.')
    if padded <= tile_size:
        return TileAxis(length, padded, padded, (0, ))
    count = -(-(padded - overlap) // (tile_size - overlap))
    tile = _round_up(-(-(padded + (count - 1) * overlap) // count), multiple)
    steps = (padded - tile) // multiple
    starts = tuple(
        i * steps // (count - 1) * multiple for i in range(count))
    return TileAxis(length, padded, tile, starts)


def blend_weights(axis: TileAxis, *, margin: int) -> Tensor:
    """Return how much each tile counts at each of its pixels.

    Within ``margin`` pixels of an inner edge a tile does not count: there
    its network misses context. Across the rest of the overlap its weight
    falls as half a Gaussian. At the edges of the image nothing is taken
    off, as a network over the whole image has no context there either.

    Args:
        axis (TileAxis): From :func:`plan_axis`.
        margin (int): In pixels, at most half the overlap.

    Returns:
        Tensor: Float32, (number of tiles, ``axis.tile``), >= 0; the weights
        of all tiles sum to 1 at every pixel.

    Raises:
        ValueError: If ``margin`` is negative or leaves gaps.
    """
    starts, tile = axis.starts, axis.tile
    total = torch.zeros(axis.padded, dtype=torch.float64)
    weights = torch.ones(len(starts), tile, dtype=torch.float64)
    x = torch.arange(tile, dtype=torch.float64)
    for left in range(len(starts) - 1):
        overlap = starts[left] + tile - starts[left + 1]
        zone = overlap - 2 * margin
        if margin < 0 or zone < 0:
            raise ValueError('margin must be between 0 and half the overlap '
                             f'of {overlap}, got {margin}.')
        # How far beyond the near edge of the zone a pixel lies, from the
        # left tile's side; half a pixel, as the zone ends between pixels.
        beyond = x - (tile - margin - zone) + .5
        weights[left] *= _flank(beyond, zone)
        weights[left + 1] *= _flank(beyond, zone).flip(0)
    for start, weight in zip(starts, weights, strict=True):
        total[start:start + tile] += weight
    for start, weight in zip(starts, weights, strict=True):
        weight /= total[start:start + tile]
    return weights.float()


def _flank(beyond: Tensor, zone: int) -> Tensor:
    """Return 1 before a zone, half a Gaussian in it, 0 behind."""
    fall = torch.exp(-.5 * (beyond.clamp(min=0) * _FLANK / max(1, zone))**2)
    return fall * (beyond < zone)


def reflected(stop: int, length: int) -> Tensor:
    """Return which pixel stands at each place beyond the end of an axis.

    Args:
        stop (int): Behind the last place, >= ``length``.
        length (int): Pixels that there are, at least 1.

    Returns:
        Tensor: Int64, (``stop - length``, ): for the places from
        ``length`` on, mirrored at the last pixel, which is not repeated;
        again and again where the image is short.
    """
    index = torch.arange(length, stop)
    if length == 1:
        return torch.zeros_like(index)
    index = index % (2 * (length - 1))
    return torch.minimum(index, 2 * (length - 1) - index)


def _extended(image: Tensor, size: Sequence[int]) -> Tensor:
    """Mirror (C, h, w) at its lower and right edge up to a size."""
    for dim, stop in ((1, size[0]), (2, size[1])):
        length = image.shape[dim]
        if length < stop:
            more = reflected(stop, length).to(image.device)
            image = torch.cat([image, image.index_select(dim, more)], dim)
    return image


def tiled(read_rows: Callable[[int, int], Tensor],
          predict: Callable[[Tensor], Tensor],
          size: Sequence[int],
          *,
          tile_size: int | None,
          overlap: int,
          margin: int,
          multiple: int,
          batch_size: int,
          on_tiles: Callable[[int, int], None] | None = None
          ) -> Iterator[Band]:
    """Predict an image tile by tile and hand out rows as they are finished.

    Where ``margin`` is at least as wide as the receptive field reaches to
    one side, the result equals that of one prediction over the whole image,
    mirrored up to a multiple of ``multiple``, except for rounding.

    Args:
        read_rows (Callable): Given a first row and the row behind the last,
            returns that part of the image, (C, rows, W).
        predict (Callable): Given tiles (N, C, h, w), returns maps
            (N, M, h, w), such as probabilities.
        size (Sequence[int]): (H, W) of the image.
        tile_size (int, optional): See :func:`plan_axis`.
        overlap (int): Likewise.
        margin (int): See :func:`blend_weights`.
        multiple (int): See :func:`plan_axis`.
        batch_size (int): Tiles in one call of ``predict``, at most.
        on_tiles (Callable, optional): Is told the number of tiles done and
            of all tiles.

    Yields:
        Band: Rows from top to bottom, each once.

    Raises:
        ValueError: If the numbers do not fit each other.
    """
    if batch_size < 1:
        raise ValueError(f'batch_size must be at least 1, got {batch_size}.')
    rows, columns = (
        plan_axis(side, tile_size=tile_size, overlap=overlap,
                  multiple=multiple) for side in size)
    down, across = (blend_weights(a, margin=margin) for a in (rows, columns))
    total = len(rows.starts) * len(columns.starts)
    done, held = 0, None
    for y, top in enumerate(rows.starts):
        strip = _extended(
            read_rows(top, min(top + rows.tile, rows.length)),
            (rows.tile, columns.padded))
        for part, maps in _predicted(strip, columns, predict, batch_size):
            if held is None:
                held = maps.new_zeros(
                    (maps.shape[1], rows.tile, columns.padded),
                    dtype=torch.float32)
                down, across = down.to(maps.device), across.to(maps.device)
            for x, one in zip(part, maps, strict=True):
                left = columns.starts[x]
                held[:, :, left:left + columns.tile].addcmul_(
                    one.float(), down[y][:, None] * across[x])
            done += len(part)
            if on_tiles is not None:
                on_tiles(done, total)
        last = y + 1 == len(rows.starts)
        bottom = rows.length if last else rows.starts[y + 1]
        yield Band(top, bottom, held[:, :bottom - top, :columns.length])
        if not last:
            kept = held[:, bottom - top:].clone()
            held.zero_()
            held[:, :kept.shape[1]] = kept


def _predicted(strip: Tensor, columns: TileAxis,
               predict: Callable[[Tensor], Tensor], batch_size: int
               ) -> Iterator[tuple[range, Tensor]]:
    """Predict a row of tiles: which of them, and their maps."""
    count, tile = len(columns.starts), columns.tile
    for first in range(0, count, batch_size):
        part = range(first, min(first + batch_size, count))
        yield part, predict(torch.stack([
            strip[:, :, columns.starts[x]:columns.starts[x] + tile]
            for x in part
        ]))
