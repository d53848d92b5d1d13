"""Cracks of photographs of any size, from Python."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mmcrack.functional.tiling import OVERLAP, TILE_SIZE, Band, tiled
from mmcrack.inference.backend import Backend, TorchBackend
from mmcrack.inference.opening import open_photograph
from mmcrack.inference.photographs import Photograph, from_array


@dataclass
class Prediction:
    """What was found on one photograph, upright and at its own size.

    Attributes:
        mask (array): bool, (H, W), crack.
        probability (array): float16, (H, W), in [0, 1]. The mask is made
            from more digits: at the threshold the two may differ.
        variance (array | None): float16, (H, W), the network's own variance
            (CIRL), if it predicts one and was asked.
        photograph (Photograph): Its pixels, by rows.
    """

    mask: NDArray[np.bool_]
    probability: NDArray[np.float16]
    variance: NDArray[np.float16] | None
    photograph: Photograph

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.mask.shape


class CrackInferencer:
    """Find cracks on photographs of any size, tile by tile.

    Example::

        inferencer = CrackInferencer('config.py', 'weights.pth')
        mask = inferencer('wall.jpg').mask          # or an RGB array

    A photograph is never held as floating-point numbers: beside the tiles
    of one row, memory holds its bytes and the maps of :class:`Prediction`,
    3 + 3 (with variance 5) bytes a pixel. What is larger than
    ``max_megapixels`` keeps its maps in a file.

    The test pipeline of the config is not run: the network sees the
    photograph at its own size, normalised as the config says.

    Args:
        config (str | Config, optional): Config file or config of any
            segmentor; needed without ``backend``.
        checkpoint (str, optional): Its weights. Code in it is not run.
        device (str, optional): Such as 'cuda:1'; None: a GPU if there is
            one, else 'cpu'.
        tile_size (int, optional): Greatest edge of a tile; None: the whole
            photograph at once.
        overlap (int): Least overlap of neighbouring tiles.
        margin (int, optional): Pixels at the inner edges of a tile that do
            not count; None: a quarter of ``overlap``.
        batch_size (int): Tiles at a time.
        threshold (float, optional): A pixel is crack above it; None: 0.5,
            for a network with one output channel the head's own.
        crack_class (int, optional): Channel of crack; None: what the head
            says, else 1.
        with_variance (bool): Predict the variance too, where the network
            can.
        precision (str): 'fp32', 'bf16' or 'fp16'.
        channels_last (bool): Memory format; faster for most networks.
        compile (bool): Use ``torch.compile``.
        max_megapixels (float): The largest photograph that may be decoded
            at once. Larger TIFFs are read piece by piece, other larger
            files refused.
        cfg_options (dict, optional): Changes of the config, dotted keys.
        backend (Backend, optional): Something else than torch to run the
            network; ``config``, ``checkpoint`` and what follows from them
            are then not used.

    Raises:
        FileNotFoundError: If config or checkpoint is not there.
        CheckpointError: If the checkpoint is of another network, damaged,
            or would run code.
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 config: str | Config | None = None,
                 checkpoint: str | None = None,
                 *,
                 device: str | None = None,
                 tile_size: int | None = TILE_SIZE,
                 overlap: int = OVERLAP,
                 margin: int | None = None,
                 batch_size: int = 1,
                 threshold: float | None = None,
                 crack_class: int | None = None,
                 with_variance: bool = False,
                 precision: str = 'fp32',
                 channels_last: bool = False,
                 compile: bool = False,
                 max_megapixels: float = 250,
                 cfg_options: dict | None = None,
                 backend: Backend | None = None) -> None:
        if threshold is not None and not 0 <= threshold < 1:
            raise ValueError(
                f'threshold must be in [0, 1), got {threshold}.')
        if max_megapixels <= 0:
            raise ValueError('max_megapixels must be positive, got '
                             f'{max_megapixels}.')
        if backend is None:
            if config is None:
                raise ValueError('CrackInferencer needs a config and a '
                                 'checkpoint, or a backend.')
            backend = TorchBackend(
                config, checkpoint, device=device, crack_class=crack_class,
                precision=precision, channels_last=channels_last,
                compile=compile, cfg_options=cfg_options)
        self.backend = backend
        self.threshold = (
            backend.threshold if threshold is None else threshold)
        self.with_variance = with_variance and backend.has_variance
        self.max_megapixels = max_megapixels
        self.tiling = dict(
            tile_size=tile_size, overlap=overlap,
            margin=overlap // 4 if margin is None else margin,
            multiple=backend.multiple, batch_size=batch_size)
        # Says now what does not fit, on the smallest image with two tiles.
        next(tiled(lambda top, bottom: torch.zeros(1, bottom - top, 1),
                   lambda x: x, ((tile_size or 0) + 1, 1), **self.tiling))

    def __call__(self, image: str | os.PathLike | ArrayLike | Sequence
                 ) -> Prediction | Iterator[Prediction]:
        """Predict one photograph, or one after the other.

        Args:
            image: A path; an array (H, W, 3) in RGB order, (H, W) or
                (H, W, 4), of 8 or 16 bits; or a list of these.

        Returns:
            Prediction | Iterator[Prediction]: For a list an iterator, so
            that only one prediction needs memory.

        Raises:
            FileNotFoundError: If there is no such file.
            UnreadableImageError: If a file cannot be read.
            TypeError: If an array has another data type.
            ValueError: If it has another shape.
        """
        if isinstance(image, (list, tuple)):
            return map(self.predict, image)
        return self.predict(image)

    def predict(self, image: str | os.PathLike | ArrayLike, *,
                folder: str | None = None,
                on_tiles: Callable[[int, int], None] | None = None
                ) -> Prediction:
        """Predict one photograph.

        Args:
            image: A path or an array.
            folder (str, optional): Where to keep the maps of a photograph
                that is too large for memory; None: the system's.
            on_tiles (Callable, optional): Is told the number of tiles done
                and of all.

        Returns:
            Prediction: Its ``photograph`` may hold the file open.
        """
        if isinstance(image, (str, os.PathLike)):
            photograph = open_photograph(
                image, max_megapixels=self.max_megapixels)
        else:
            photograph = from_array(image)
        try:
            return self._predict(photograph, folder, on_tiles)
        except BaseException:
            photograph.close()
            raise

    def _predict(self, photograph: Photograph, folder: str | None,
                 on_tiles: Callable[[int, int], None] | None) -> Prediction:
        """Fill the maps of a prediction band by band."""
        size = photograph.size
        at = folder or tempfile.gettempdir()

        def empty(dtype: DTypeLike) -> NDArray:
            return empty_map(size, dtype, at if photograph.streamed else None)

        mask, prob = empty(np.bool_), empty(np.float16)
        variance = empty(np.float16) if self.with_variance else None
        for band in self.bands(photograph, on_tiles=on_tiles):
            rows = slice(band.top, band.bottom)
            maps = band.maps.cpu().numpy()
            mask[rows] = maps[0] > self.threshold
            prob[rows] = maps[0].clip(0, 1)
            if variance is not None:
                variance[rows] = maps[1].clip(max=np.finfo(np.float16).max)
        return Prediction(mask, prob, variance, photograph)

    def bands(self, photograph: Photograph, *,
              on_tiles: Callable[[int, int], None] | None = None
              ) -> Iterator[Band]:
        """Predict a photograph and hand out rows as they are finished.

        Args:
            photograph (Photograph): From ``open_photograph``.
            on_tiles (Callable, optional): As in :meth:`predict`.

        Yields:
            Band: Probability, and with variance the variance, float32,
            (1 or 2, rows, W).
        """

        def read(top: int, bottom: int) -> torch.Tensor:
            rows = photograph.rows(top, bottom)
            if not rows.flags.writeable:
                rows = rows.copy()
            return torch.from_numpy(rows).permute(2, 0, 1)

        yield from tiled(read, self._maps, photograph.size,
                         on_tiles=on_tiles, **self.tiling)

    def _maps(self, tiles: torch.Tensor) -> torch.Tensor:
        """Return (N, M, h, w) of tiles: probability, maybe variance."""
        if self.with_variance:
            both: Any = self.backend.probabilities_and_variances(tiles)
            return torch.stack([torch.as_tensor(x) for x in both], 1)
        return torch.as_tensor(self.backend.probabilities(tiles))[:, None]


def empty_map(size: tuple[int, int], dtype: DTypeLike,
              folder: str | os.PathLike | None) -> NDArray:
    """Return an array in memory, or in a file that goes with it.

    Args:
        size (tuple[int, int]): (H, W).
        dtype: Of numpy.
        folder (str | PathLike, optional): Where to make the file, which
            has no name; None: in memory.

    Returns:
        array: Not filled.
    """
    if folder is None:
        return np.empty(size, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        return np.memmap(file, dtype, 'w+', shape=tuple(size))
