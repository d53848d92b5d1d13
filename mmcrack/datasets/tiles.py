"""Tiles of big photographs: where they lie, which to keep, how to split.

CIRL, section 4.1, sliced its photographs into tiles of 512x512 at full
resolution and split them 90/5/5; all else here is not in the paper. Pure:
numpy and the standard library only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmcrack.datasets.splits import SPLITS, apportion, seeded_order

BORDERS = ('drop', 'shift', 'pad')
KEEP = ('all', 'crack', 'balanced')


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile of a photograph.

    Attributes:
        photograph: Stem of the photograph, ``/`` between folders.
        top: First row in the photograph.
        left: First column in the photograph.
        crack: Crack pixels in it.
        labelled: Pixels with a label (crack or background).
    """

    photograph: str
    top: int
    left: int
    crack: int
    labelled: int

    @property
    def stem(self) -> str:
        """Name in the output; sorts by photograph, row and column."""
        name = self.photograph.replace('/', '_')
        return f'{name}_y{self.top:05d}_x{self.left:05d}'


def tile_starts(
    length: int, *, size: int, stride: int, border: str
) -> list[int]:
    """First pixels of the tiles along one side of a photograph.

    A side of 7360 holds 14 tiles of 512 and 192 pixels more. Of this
    remainder ``'drop'`` makes nothing; ``'shift'`` makes one more tile that
    ends with the photograph and overlaps the one before; ``'pad'`` makes one
    more tile that reaches beyond the photograph.

    Args:
        length: Side of the photograph in pixels.
        size: Side of a tile in pixels.
        stride: Distance of neighbouring tiles in pixels, 1 to ``size``.
        border: One of :data:`BORDERS`.

    Returns:
        Increasing positions, the first of them 0.

    Raises:
        ValueError: If no tile fits and ``border`` is not ``'pad'``.
    """
    if length < size and border != 'pad':
        raise ValueError(
            f'a side of {length} pixels is shorter than a tile of {size}; '
            'take smaller tiles with --size, or --border pad'
        )
    starts = list(range(0, max(length - size, 0) + 1, stride))
    if starts[-1] + size < length:
        if border == 'shift':
            starts.append(length - size)
        elif border == 'pad':
            starts.append(starts[-1] + stride)
    return starts


def cut(
    array: np.ndarray,
    top: int,
    left: int,
    *,
    size: tuple[int, int],
    fill: int,
) -> np.ndarray:
    """One tile; what lies beyond the array is filled.

    Args:
        array: uint8 (H, W) or (H, W, 3).
        top: First row.
        left: First column.
        size: (height, width) of the tile in pixels.
        fill: Value beyond the array.

    Returns:
        uint8 of ``size``.
    """
    part = array[top:top + size[0], left:left + size[1]]
    beyond = [(0, size[0] - part.shape[0]), (0, size[1] - part.shape[1])]
    beyond += [(0, 0)] * (array.ndim - 2)
    return np.pad(part, beyond, constant_values=fill)


def keep_tiles(
    tiles: Iterable[Tile], *, keep: str, min_crack: int, seed: int
) -> list[Tile]:
    """Chooses tiles; one without any label is never kept.

    Args:
        tiles: Tiles to choose from.
        keep: ``'all'``; ``'crack'``, those with at least ``min_crack``
            crack pixels; ``'balanced'``, these and equally many of those
            without any, or all of them if there are fewer.
        min_crack: Crack pixels of a crack tile, >= 1.
        seed: Seed of the choice among tiles without crack.

    Returns:
        The chosen tiles, crack tiles first.
    """
    tiles = [tile for tile in tiles if tile.labelled]
    if keep == 'all':
        return sorted(tiles, key=lambda t: (t.crack == 0, t.stem))
    cracked = [tile for tile in tiles if tile.crack >= min_crack]
    cracked.sort(key=lambda t: t.stem)
    if keep == 'crack':
        return cracked
    empty = {tile.stem: tile for tile in tiles if not tile.crack}
    names = seeded_order(empty, seed=seed)[:len(cracked)]
    return cracked + [empty[name] for name in sorted(names)]


def split_by_shares(
    names: list[str], shares: Sequence[float], *, seed: int
) -> dict[str, str]:
    """Splits names in seeded order.

    Args:
        names: Distinct names.
        shares: Parts of train, val and test, by largest remainder.
        seed: Seed of the order.

    Returns:
        Split of each name.
    """
    order = seeded_order(names, seed=seed)
    numbers = apportion(len(order), shares)
    splits = [s for s, n in zip(SPLITS, numbers, strict=True) for _ in range(
        n)]
    return dict(zip(order, splits, strict=True))


def split_tiles(
    tiles: list[Tile],
    *,
    split_of: Mapping[str, str] | None,
    shares: Sequence[float],
    choose: Callable[[list[Tile]], list[Tile]],
    seed: int,
) -> dict[str, list[Tile]]:
    """Chooses and splits tiles.

    Args:
        tiles: All tiles.
        split_of: Split of each photograph; the choice is then made in each
            split apart, so that it is balanced in each. None splits the
            chosen tiles themselves, those with and those without crack
            alike.
        shares: Parts of train, val and test, for None.
        choose: Chooses among tiles, see :func:`keep_tiles`.
        seed: Seed of the split, for None.

    Returns:
        Chosen tiles of each split, maybe none.
    """
    parts: dict[str, list[Tile]] = {split: [] for split in SPLITS}
    if split_of is not None:
        for tile in tiles:
            if tile.photograph in split_of:
                parts[split_of[tile.photograph]].append(tile)
        return {split: choose(part) for split, part in parts.items()}
    chosen = choose(tiles)
    for empty in (False, True):
        kind = {t.stem: t for t in chosen if (t.crack == 0) is empty}
        by_name = split_by_shares(list(kind), shares, seed=seed)
        for stem, split in by_name.items():
            parts[split].append(kind[stem])
    return parts
