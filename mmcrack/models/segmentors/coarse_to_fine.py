"""A frozen coarse network on the reduced photograph, and its refinement."""

import glob
import math
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.models import BaseSegmentor, EncoderDecoder
from mmseg.structures import SegDataSample
from mmseg.utils import add_prefix, stack_batch
from torch import Tensor, nn

from mmcrack.models.segmentors.frames import (
    in_frame,
    inside_padding,
    photograph_edge,
    placed,
    renormalised,
    resized,
    with_channels,
)
from mmcrack.registry import MODELS


@MODELS.register_module()
class CoarseToFineSegmentor(EncoderDecoder):
    """Refine the prediction of an external, frozen coarse network.

    CBPRN, Table 3 ("PointRend", "coarse segmentation guidance"): a trained
    coarse network sees the photograph proportionally reduced to a long edge
    of 900 pixels; PointRend, with a backbone of its own at full resolution,
    predicts the uncertain points of that mask again. The coarse network is
    part of this module, so that its weights are in the checkpoint of the
    whole and its time is in the total, but it never learns: evaluation mode
    whatever :meth:`train` says, no gradients, and so no step, no moments and
    no decay by an optimiser (MMEngine lists its parameters all the same).

    Its logits are brought to the grid from which the head's subdivision
    starts (a quarter of the input with PointRend's two doublings) by
    bilinear interpolation, with antialiasing where that is coarser. What is
    lost there the points do not bring back: if a quarter of the photograph
    is shorter than ``coarse_long_edge``, take fewer doublings. Beside
    ``pred_sem_seg`` and ``seg_logits`` each data sample gets the result
    before refinement: ``coarse_sem_seg`` and ``coarse_seg_logits``, for
    ``mmcrack.CrackMetric(prediction='coarse_sem_seg', prefix='coarse')``.

    Not in the papers: what the coarse network sees while the refinement is
    trained on crops. ``'photograph'`` reduces a crop by the factor by which
    its whole photograph will be reduced in the test: cracks have the width
    there that they will have, and the points learn to mend the mistakes that
    they will meet (what is missing is the surroundings of the crop). The
    size of the photograph is ``ori_shape`` times ``scale_factor`` of the
    data sample. ``'crop'`` treats each crop as a photograph: most are shorter
    than 900 pixels, so the coarse network sees them at full resolution,
    sharper than in the test.

    Args:
        coarse (dict): Config of the coarse network: any segmentor, with the
            ``data_preprocessor`` that it was trained with. Its
            normalisation and its padding in the test (``test_cfg``) apply.
            Auxiliary heads, which only train, are left out.
        backbone (dict): Config of the refinement's own backbone.
        decode_head (dict): ``mmcrack.PointRefinementHead``.
        coarse_checkpoint (str, optional): Weights of the coarse network, a
            path or a pattern, of whose matches the newest is taken. Read
            when a training starts (``init_weights``); not needed where the
            weights of the whole are loaded. Loading is MMEngine's
            ``CheckpointLoader``, which the commands of ``tools/`` make safe.
        coarse_long_edge (int, optional): Long edge in pixels to which the
            coarse network's input is reduced; smaller images are not
            enlarged. None: full size.
        coarse_train_scale (str): ``'photograph'`` or ``'crop'``, see above.
        random_coarse (bool): Run without any weights of the coarse network,
            to count operations or to test.
        neck (dict, optional): As in MMSegmentation.
        auxiliary_head (dict | list, optional): As in MMSegmentation.
        train_cfg (dict, optional): Handed to the heads.
        test_cfg (dict, optional): ``mode`` must be ``'whole'``.
        data_preprocessor (dict, optional): Of the whole.
        init_cfg (dict | list, optional): As in MMEngine.

    Raises:
        TypeError: If the head cannot refine a given prediction.
        ValueError: If the two networks do not fit each other, or an argument
            is out of its range.
    """

    def __init__(self,
                 coarse: dict,
                 backbone: dict,
                 decode_head: dict,
                 *,
                 coarse_checkpoint: str | None = None,
                 coarse_long_edge: int | None = 900,
                 coarse_train_scale: str = 'photograph',
                 random_coarse: bool = False,
                 neck: dict | None = None,
                 auxiliary_head: dict | list | None = None,
                 train_cfg: dict | None = None,
                 test_cfg: dict | None = None,
                 data_preprocessor: dict | nn.Module | None = None,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(
            backbone,
            decode_head,
            neck=neck,
            auxiliary_head=auxiliary_head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            init_cfg=init_cfg)
        if (test_cfg or {}).get('mode', 'whole') != 'whole':
            raise ValueError(
                "CoarseToFineSegmentor predicts whole images (test_cfg mode "
                f"'whole'), got mode {test_cfg['mode']!r}: in windows the "
                'coarse network would not see the photograph.')
        if coarse_long_edge is not None and coarse_long_edge < 1:
            raise ValueError('coarse_long_edge must be at least 1 pixel, or '
                             f'None for full size, got {coarse_long_edge}.')
        if coarse_train_scale not in ('photograph', 'crop'):
            raise ValueError("coarse_train_scale must be 'photograph' or "
                             f"'crop', got {coarse_train_scale!r}.")
        # A segmentor reads ``test_cfg.mode``, which a plain dict has not.
        self.coarse = MODELS.build(ConfigDict(
            {k: v for k, v in coarse.items() if k != 'auxiliary_head'}))
        self.coarse.requires_grad_(False)
        self.coarse.eval()
        _check_pair(self.coarse, self.decode_head)
        self.coarse_checkpoint = coarse_checkpoint
        self.coarse_long_edge = coarse_long_edge
        self.coarse_train_scale = coarse_train_scale
        self.random_coarse = random_coarse
        #: Whether the coarse network has weights from a file.
        self.coarse_loaded = False

    # --- the coarse network's weights ---------------------------------------

    def train(self, mode: bool = True) -> 'CoarseToFineSegmentor':
        """Set all but the coarse network to training."""
        super().train(mode)
        self.coarse.eval()
        return self

    def init_weights(self) -> None:
        """Initialise the refinement; load the coarse network's weights.

        A checkpoint that is not there is no error yet: weights of the whole
        may follow (a run that is resumed). The first image asks for them.

        Raises:
            ValueError: If the checkpoint is of another network.
        """
        paths = _matches(self.coarse_checkpoint)
        if paths:
            # Its own init_cfg would only be overwritten.
            self.coarse.is_init = True
        super().init_weights()
        if paths:
            _load(self.coarse, paths[-1])
            self.coarse_loaded = True

    def _load_from_state_dict(self, state_dict: dict, prefix: str,
                              *args: Any) -> None:
        """Take weights over, and see whether the coarse network's are there.

        Both torch and MMEngine load through this method.
        """
        super()._load_from_state_dict(state_dict, prefix, *args)
        wanted = {f'{prefix}coarse.{key}' for key in self.coarse.state_dict()
                  if not key.endswith('num_batches_tracked')}
        if wanted <= state_dict.keys():
            self.coarse_loaded = True

    def _check_loaded(self) -> None:
        """Refuse to go on with a random coarse network."""
        if self.coarse_loaded or self.random_coarse:
            return
        if self.coarse_checkpoint is None:
            raise ValueError(
                'The coarse network has no weights: set '
                'model.coarse_checkpoint to a checkpoint of it, load one of '
                'the whole, or set model.random_coarse=True to run with '
                'random ones.')
        raise FileNotFoundError(
            'The coarse network has no weights: no checkpoint matches '
            f'{self.coarse_checkpoint!r}; train the coarse network first, or '
            'give --cfg-options model.coarse_checkpoint=PATH.')

    # --- the coarse prediction ----------------------------------------------

    @torch.no_grad()
    def coarse_maps(self, inputs: Tensor, metas: Sequence[dict],
                    long_edges: Sequence[float] | None = None
                    ) -> list[Tensor]:
        """Run the coarse network on the reduced images.

        Args:
            inputs (Tensor): (N, 3, H, W), preprocessed for the whole.
            metas (Sequence[dict]): Of each image; what they name as padding
                is cut off first.
            long_edges (Sequence[float], optional): Long edge in pixels of
                the photograph that each image is a part of; None: the image
                is the photograph.

        Returns:
            list[Tensor]: For each image (1, K, h, w), logits of the coarse
            network over the image without its padding.

        Raises:
            FileNotFoundError: If the coarse network has no weights.
            ValueError: Likewise.
        """
        self._check_loaded()
        groups: dict[tuple, list[int]] = defaultdict(list)
        for n, meta in enumerate(metas):
            box = inside_padding(meta, inputs.shape[-2:])
            size = box[1] - box[0], box[3] - box[2]
            edge = max(size) if long_edges is None else long_edges[n]
            groups[box, self._reduced(size, edge)].append(n)
        maps: list[Any] = [None] * len(inputs)
        for (box, size), members in groups.items():
            images = inputs[members, :, box[0]:box[1], box[2]:box[3]]
            logits = self._run_coarse(resized(images, size))
            for n, one in zip(members, logits.split(1), strict=True):
                maps[n] = one
        return maps

    def _reduced(self, size: Sequence[int], edge: float) -> tuple[int, int]:
        """Return the coarse network's size of a part of a photograph."""
        factor = 1.
        if self.coarse_long_edge is not None:
            factor = min(1., self.coarse_long_edge / edge)
        return tuple(max(1, math.floor(side * factor + .5)) for side in size)

    def _run_coarse(self, images: Tensor) -> Tensor:
        """Predict (N, K, h, w) as the coarse network's own test does."""
        own, theirs = self.data_preprocessor, self.coarse.data_preprocessor
        images = renormalised(images, own, theirs)
        height, width = images.shape[-2:]
        padding = getattr(theirs, 'test_cfg', None)
        if padding:
            images, _ = stack_batch(
                list(images),
                size=padding.get('size'),
                size_divisor=padding.get('size_divisor'),
                pad_val=theirs.pad_val)
        size = images.shape[-2:]
        meta = dict(ori_shape=(height, width), img_shape=size, pad_shape=size)
        metas = [dict(meta) for _ in range(len(images))]
        logits = self.coarse.inference(images, metas)
        return logits[..., :height, :width]

    def guide(self, maps: Sequence[Tensor], metas: Sequence[dict],
              size: Sequence[int]) -> Tensor:
        """Bring coarse predictions to the grid that refinement starts from.

        Args:
            maps (Sequence[Tensor]): From :meth:`coarse_maps`.
            metas (Sequence[dict]): Of each image.
            size (Sequence[int]): (H, W) of the network's input.

        Returns:
            Tensor: (N, ``out_channels``, h, w); padding repeats the border.
        """
        grid = _refining(self.decode_head).start_grid(size)
        rows = []
        for logits, meta in zip(maps, metas, strict=True):
            logits = with_channels(logits, self.out_channels)
            rows.append(placed(logits, inside_padding(meta, size), size, grid))
        return torch.cat(rows)

    # --- MMSegmentation's protocol ------------------------------------------

    def loss(self, inputs: Tensor, data_samples: list) -> dict[str, Tensor]:
        """Return the losses of the refinement.

        Args:
            inputs (Tensor): (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_sem_seg``.

        Returns:
            dict[str, Tensor]: ``decode.<name>``, and of auxiliary heads.
        """
        metas = [sample.metainfo for sample in data_samples]
        edges = None
        if self.coarse_train_scale == 'photograph':
            edges = [photograph_edge(m, inputs.shape[-2:]) for m in metas]
        maps = self.coarse_maps(inputs, metas, edges)
        guide = self.guide(maps, metas, inputs.shape[-2:])
        features = self.extract_feat(inputs)
        losses = add_prefix(
            self.decode_head.loss(features, guide, data_samples,
                                  self.train_cfg), 'decode')
        if self.with_auxiliary_head:
            losses.update(
                self._auxiliary_head_forward_train(features, data_samples))
        return losses

    def predict(self, inputs: Tensor,
                data_samples: list | None = None) -> list:
        """Predict before and after refinement.

        Args:
            inputs (Tensor): (N, 3, H, W).
            data_samples (list[SegDataSample], optional): Of each image.

        Returns:
            list[SegDataSample]: With ``pred_sem_seg`` and ``seg_logits``,
            refined, ``coarse_sem_seg`` and ``coarse_seg_logits``, before,
            all at the original size (with one channel logits are
            probabilities, as MMSegmentation has it).
        """
        size = inputs.shape[-2:]
        metas = _metas(data_samples, inputs)
        maps = self.coarse_maps(inputs, metas)
        before = torch.cat([
            in_frame(logits, inside_padding(meta, size), size)
            for logits, meta in zip(maps, metas, strict=True)
        ])
        shadows = None
        if data_samples is not None:
            shadows = [SegDataSample(metainfo=meta) for meta in metas]
        shadows = self.coarse.postprocess_result(before, shadows)
        logits = self._refine(inputs, maps, metas)
        results = self.postprocess_result(logits, data_samples)
        for result, shadow in zip(results, shadows, strict=True):
            result.set_data(dict(
                coarse_sem_seg=shadow.pred_sem_seg,
                coarse_seg_logits=shadow.seg_logits))
        return results

    def encode_decode(self, inputs: Tensor,
                      batch_img_metas: list[dict]) -> Tensor:
        """Return the refined logits at the size of the input.

        Args:
            inputs (Tensor): (N, 3, H, W).
            batch_img_metas (list[dict]): Meta information of each image.

        Returns:
            Tensor: (N, ``out_channels``, H, W).
        """
        maps = self.coarse_maps(inputs, batch_img_metas)
        return self._refine(inputs, maps, batch_img_metas)

    def inference(self, inputs: Tensor, batch_img_metas: list[dict]
                  ) -> Tensor:
        """Do as :meth:`encode_decode`: there is no other mode."""
        return self.encode_decode(inputs, batch_img_metas)

    def _refine(self, inputs: Tensor, maps: Sequence[Tensor],
                metas: Sequence[dict]) -> Tensor:
        size = inputs.shape[-2:]
        frames = [{**meta, 'img_shape': size} for meta in metas]
        return self.decode_head.predict(
            self.extract_feat(inputs), self.guide(maps, metas, size), frames,
            self.test_cfg)

    def _forward(self, inputs: Tensor,
                 data_samples: list | None = None) -> Tensor:
        """Return the refined logits, without post-processing."""
        metas = _metas(data_samples, inputs)
        maps = self.coarse_maps(inputs, metas)
        return self.decode_head(
            self.extract_feat(inputs),
            self.guide(maps, metas, inputs.shape[-2:]))


def _refining(head: nn.Module) -> nn.Module:
    """Return the head inside a wrapper such as ``CIRLHead``."""
    return getattr(head, 'seg_head', head)


def _check_pair(coarse: nn.Module, head: nn.Module) -> None:
    """Refuse networks that do not fit each other."""
    if not hasattr(_refining(head), 'start_grid'):
        raise TypeError(
            'CoarseToFineSegmentor needs a decode_head that refines a given '
            'prediction (mmcrack.PointRefinementHead), got '
            f'{type(_refining(head)).__name__}.')
    if not isinstance(coarse, BaseSegmentor):
        raise TypeError('coarse must be the config of a segmentor, got one '
                        f'of {type(coarse).__name__}.')
    if coarse.num_classes != head.num_classes:
        raise ValueError(
            'The coarse network and the refinement must have the same '
            f'num_classes, got {coarse.num_classes} and {head.num_classes}.')


def _matches(pattern: str | None) -> list[str]:
    """Return the files that match, the newest last; addresses as they are."""
    if pattern is None:
        return []
    if '://' in pattern:
        return [pattern]
    path = os.path.expanduser(pattern)
    found = [path] if os.path.isfile(path) else glob.glob(path)
    return sorted(filter(os.path.isfile, found), key=os.path.getmtime)


def _load(model: nn.Module, path: str) -> None:
    """Put a checkpoint's weights into a model, all of them."""
    checkpoint = CheckpointLoader.load_checkpoint(path, map_location='cpu')
    state = checkpoint
    if isinstance(checkpoint, dict):
        state = checkpoint.get('state_dict', checkpoint)
    wrong = [f'it holds no weights but {type(state).__name__}']
    if isinstance(state, dict):
        state = {re.sub(r'^module\.', '', k): v for k, v in state.items()}
        try:
            result = model.load_state_dict(state, strict=False)
            wrong = [key for key in result.missing_keys
                     if not key.endswith('num_batches_tracked')]
        except RuntimeError as error:
            wrong = [line.strip() for line in str(error).splitlines()[1:]]
    if wrong:
        raise ValueError(
            f'coarse_checkpoint {path!r} is not of the coarse network: '
            f'{len(wrong)} weights do not fit ({"; ".join(wrong[:3])}); give '
            'a checkpoint that was trained with the config of coarse.')
    print_log(f'The coarse network is that of {path}.', logger='current')


def _metas(data_samples: list | None, inputs: Tensor) -> list[dict]:
    """Return what is known of each image."""
    if data_samples is None:
        return [dict(img_shape=inputs.shape[-2:])] * len(inputs)
    return [sample.metainfo for sample in data_samples]
