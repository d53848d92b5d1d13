"""Testing a network on images that are too large for one pass."""

from typing import Any

import torch
from mmseg.models import BaseSegmentor
from torch import Tensor, nn

from mmcrack.functional.tiling import OVERLAP, TILE_SIZE, tiled
from mmcrack.registry import MODELS

_PREFIX = 'segmentor.'


def tile_metas(size: tuple[int, int], count: int) -> list[dict]:
    """Return what a head wants to know of tiles.

    Args:
        size (tuple[int, int]): (H, W) of each tile.
        count (int): How many.

    Returns:
        list[dict]: Meta information; a tile is an image without padding.
    """
    return [dict(ori_shape=size, img_shape=size, pad_shape=size,
                 padding_size=[0] * 4) for _ in range(count)]


def padding_multiple(segmentor: nn.Module) -> int:
    """Return what the inputs of a network are padded to in a test.

    Args:
        segmentor (nn.Module): With MMSegmentation's data preprocessor.

    Returns:
        int: Its ``size_divisor``, or 32 if it names none.
    """
    preprocessor = getattr(segmentor, 'data_preprocessor', None)
    padding = getattr(preprocessor, 'test_cfg', None) or {}
    divisor = padding.get('size_divisor') or getattr(
        preprocessor, 'size_divisor', None)
    return divisor or 32


@MODELS.register_module()
class TiledSegmentor(BaseSegmentor):
    """Test any segmentor in overlapping tiles; train it as it is.

    Not in the papers, which predict whole images. Unlike MMSegmentation's
    ``mode='slide'`` it blends probabilities and not logits, leaves out what
    a tile predicts near its inner edges, where context is missing, blends
    the rest without a step, mirrors the image where a tile hangs over its
    edge, and takes several tiles at a time. CBPRN's points are rendered
    tile by tile. It equals a test of the whole image where no output
    depends on pixels more than ``margin`` away; global pooling (PSPNet)
    and normalisation over the image always look further.

    Checkpoints are those of the network inside: each loads the other's.

    Args:
        segmentor (dict): Config of the segmentor, as in any config. Of its
            ``data_preprocessor`` the padding in tests is left out.
        tile_size (int, optional): Greatest edge of a tile in pixels, a
            multiple of ``multiple``; None: the whole image as one tile.
        overlap (int): Least overlap of neighbouring tiles in pixels.
        margin (int, optional): Pixels at the inner edges of a tile that do
            not count; None: a quarter of ``overlap``.
        multiple (int, optional): What tiles are divisible by; None: the
            ``size_divisor`` of the data preprocessor, else 32.
        batch_size (int): Tiles at a time.
        data_preprocessor (dict, optional): In place of the segmentor's.
        init_cfg (dict | list, optional): As in MMEngine.

    Raises:
        TypeError: If ``segmentor`` is no config of a segmentor.
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 segmentor: dict,
                 *,
                 tile_size: int | None = TILE_SIZE,
                 overlap: int = OVERLAP,
                 margin: int | None = None,
                 multiple: int | None = None,
                 batch_size: int = 1,
                 data_preprocessor: dict | nn.Module | None = None,
                 init_cfg: dict | list | None = None) -> None:
        segmentor = MODELS.build(segmentor)
        if not isinstance(segmentor, BaseSegmentor):
            raise TypeError('segmentor must be the config of a segmentor, '
                            f'got one of {type(segmentor).__name__}.')
        super().__init__(
            data_preprocessor or segmentor.data_preprocessor, init_cfg)
        self.segmentor = segmentor
        self.multiple = multiple or padding_multiple(segmentor)
        if getattr(self.data_preprocessor, 'test_cfg', None):
            self.data_preprocessor.test_cfg = None
        self.tile_size = tile_size
        self.overlap = overlap
        self.margin = overlap // 4 if margin is None else margin
        self.batch_size = batch_size
        # Says now what does not fit, on the smallest image with two tiles.
        next(tiled(
            lambda top, bottom: torch.zeros(1, bottom - top, 1),
            lambda x: x, ((tile_size or 0) + 1, 1), **self._tiling()))
        self._register_load_state_dict_pre_hook(_add_prefix)
        self._register_state_dict_hook(_drop_prefix)

    def _tiling(self) -> dict[str, Any]:
        return dict(tile_size=self.tile_size, overlap=self.overlap,
                    margin=self.margin, multiple=self.multiple,
                    batch_size=self.batch_size)

    @property
    def backbone(self) -> nn.Module:
        """Of the network inside, for hooks."""
        return self.segmentor.backbone

    @property
    def decode_head(self) -> nn.Module:
        """Of the network inside, for hooks."""
        return self.segmentor.decode_head

    @property
    def align_corners(self) -> bool:
        """How logits are resized."""
        return self.segmentor.align_corners

    @property
    def num_classes(self) -> int:
        """Classes of the network inside."""
        return self.segmentor.num_classes

    @property
    def out_channels(self) -> int:
        """Output channels of the network inside."""
        return self.segmentor.out_channels

    def extract_feat(self, inputs: Tensor) -> Any:
        """Return the features of one tile or image."""
        return self.segmentor.extract_feat(inputs)

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Return the losses of the network inside."""
        return self.segmentor.loss(inputs, data_samples)

    def _forward(self, inputs: Tensor,
                 data_samples: list | None = None) -> Any:
        """Return the raw outputs of the network inside."""
        return self.segmentor._forward(inputs, data_samples)

    def predict(self, inputs: Tensor,
                data_samples: list | None = None) -> list:
        """Predict in tiles.

        Args:
            inputs (Tensor): (N, C, H, W), preprocessed.
            data_samples (list[SegDataSample], optional): Of each image.

        Returns:
            list[SegDataSample]: As MMSegmentation's segmentors return them.
        """
        metas = [sample.metainfo for sample in data_samples or ()]
        return self.postprocess_result(
            self.inference(inputs, metas), data_samples)

    def encode_decode(self, inputs: Tensor,
                      batch_img_metas: list[dict]) -> Tensor:
        """Do as :meth:`inference`."""
        return self.inference(inputs, batch_img_metas)

    def inference(self, inputs: Tensor,
                  batch_img_metas: list[dict]) -> Tensor:
        """Return logits of the blended probabilities.

        Args:
            inputs (Tensor): (N, C, H, W), preprocessed.
            batch_img_metas (list[dict]): Not looked at.

        Returns:
            Tensor: Float32, (N, K, H, W): log-probabilities, or with one
            channel the log odds, so that softmax or sigmoid give back the
            probabilities.
        """
        size = tuple(inputs.shape[-2:])
        images = []
        for image in inputs:
            bands = tiled(
                lambda top, bottom, image=image: image[:, top:bottom],
                self._probabilities, size, **self._tiling())
            images.append(torch.cat([band.maps.clone() for band in bands], 1))
        return _to_logits(torch.stack(images))

    def _probabilities(self, tiles: Tensor) -> Tensor:
        """Predict (N, K, h, w) for tiles (N, C, h, w)."""
        metas = tile_metas(tuple(tiles.shape[-2:]), len(tiles))
        logits = self.segmentor.encode_decode(tiles, metas).float()
        return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1)


def _to_logits(prob: Tensor) -> Tensor:
    """Undo sigmoid (one channel) or softmax, finite everywhere."""
    info = torch.finfo(prob.dtype)
    if prob.shape[1] == 1:
        return prob.clamp(info.tiny, 1 - info.eps / 2).logit()
    return prob.clamp(min=info.tiny).log()


def _add_prefix(state_dict: dict, prefix: str, *_: Any) -> None:
    """Turn the names of the network inside into ours, before loading."""
    inner = prefix + _PREFIX
    for key in [k for k in state_dict if k.startswith(prefix)]:
        if not key.startswith(inner):
            state_dict[inner + key[len(prefix):]] = state_dict.pop(key)


def _drop_prefix(module: nn.Module, state_dict: dict, prefix: str,
                 *_: Any) -> None:
    """Turn our names into those of the network inside, after saving."""
    inner = prefix + _PREFIX
    for key in [k for k in state_dict if k.startswith(inner)]:
        state_dict[prefix + key[len(inner):]] = state_dict.pop(key)
