"""Whole steps of training in CIRL's two phases, for ``ci_loss.py``."""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import networks
import numpy as np
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmcrack.datasets.synthetic import generate_scene
from mmcrack.models.layers.variance import read_threshold

#: Phase, ``variance_threshold`` and ``std_source`` of each step.
STEPS = {
    'phase I': (1, 'q0.8', 'live'),
    'phase II, A: 20 % of the margin': (2, 'q0.8', 'live'),
    'phase II, A: the whole margin': (2, 1e-9, 'live'),
    'phase II, A: 20 %, by a frozen copy': (2, 'q0.8', 'frozen'),
}


def crack_pictures(count: int, side: int, data: str | None
                   ) -> list[tuple[Tensor, Tensor]]:
    """Return square pictures with a typical share of crack.

    Args:
        count (int): How many.
        side (int): In pixels.
        data (str, optional): Folder with ``deepcrack/``; None generates.

    Returns:
        list[tuple[Tensor, Tensor]]: uint8 (3, H, W) in BGR and int64 (H, W)
        of {0, 1}. Of DeepCrack: the middles of those training pictures
        whose share of crack is nearest to the median.

    Raises:
        FileNotFoundError: If there is no DeepCrack below ``data``.
    """
    if data is None:
        scenes = [generate_scene(seed, (side, side)) for seed in range(count)]
        pairs = [(scene.image, scene.mask) for scene in scenes]
    else:
        root = Path(data) / 'deepcrack'
        labels = {}
        for path in sorted((root / 'masks' / 'train').glob('*')):
            mask = middle(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), side)
            if mask.any():
                labels[path.stem] = mask > mask.max() / 2
        if len(labels) < count:
            raise FileNotFoundError(
                f'--data {data}: too few masks in deepcrack/masks/train; '
                'leave out --data and MMCRACK_DATA to generate pictures.')
        order = sorted(labels, key=lambda name: labels[name].sum())
        first = (len(order) - count) // 2
        pairs = []
        for name in order[first:first + count]:
            path = next((root / 'images' / 'train').glob(f'{name}.*'))
            pairs.append((middle(cv2.imread(str(path)), side), labels[name]))
    return [(torch.as_tensor(image.transpose(2, 0, 1).copy()),
             torch.as_tensor(mask.copy()).long()) for image, mask in pairs]


def middle(array: np.ndarray, side: int) -> np.ndarray:
    """Cut a square out of the middle of a (H, W, ...) array."""
    top, left = (max((length - side) // 2, 0) for length in array.shape[:2])
    return array[top:top + side, left:left + side]


def wrapped_model(name: str, side: int, device: torch.device) -> nn.Module:
    """Build a model with its decode head inside a CIRLHead.

    Args:
        name (str): Config of the model.
        side (int): Of the pictures, in pixels.
        device (torch.device): Where it goes.

    Returns:
        nn.Module: In training mode, with the paper's losses.
    """
    cfg = networks.read_model(name)
    for part in (cfg.backbone, cfg.decode_head):
        # SyncBN would want a GPU and several processes.
        part.norm_cfg = dict(type='BN')
    cfg.decode_head = dict(type='mmcrack.CIRLHead', seg_head=cfg.decode_head)
    cfg.data_preprocessor.size = (side, side)
    return networks.build(cfg).to(device).train()


def training_steps(model: nn.Module, pictures: Sequence[tuple[Tensor, Tensor]]
                   ) -> tuple[dict[str, Callable[[], object]], dict]:
    """Return whole steps: preprocessing, forward, backward, Adam.

    Args:
        model (nn.Module): Of :func:`wrapped_model`.
        pictures (Sequence): Of :func:`crack_pictures`; the batch.

    Returns:
        tuple[dict, dict]: The steps of :data:`STEPS` by name, all of the
        one model; what the last call of each has logged.
    """
    head = model.decode_head
    wrapper = OptimWrapper(torch.optim.Adam(
        model.parameters(), lr=1e-3, weight_decay=5e-4))
    frozen = copy.deepcopy(model).eval().requires_grad_(False)
    logs: dict[str, Mapping[str, Tensor]] = {}

    @torch.no_grad()
    def frozen_log_var() -> Tensor:
        # As TwoPhaseHook does; the images are the same in every step.
        images = model.data_preprocessor(pack(pictures), True)['inputs']
        inputs = frozen.extract_feat(images)
        copied = frozen.decode_head
        return copied.log_var(inputs, copied.features(inputs))

    def step(name: str) -> None:
        head.phase, threshold, head.std_source = STEPS[name]
        head.threshold_value, head.threshold_quantile = read_threshold(
            threshold)
        logs[name] = model.train_step(pack(pictures), wrapper)

    head.frozen_log_var = frozen_log_var
    return {name: partial(step, name) for name in STEPS}, logs


def pack(pictures: Sequence[tuple[Tensor, Tensor]]) -> dict[str, list]:
    """Pack pictures and labels as the data pipeline does."""
    samples = []
    for _, label in pictures:
        size = tuple(label.shape)
        sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size))
        sample.gt_sem_seg = PixelData(data=label[None])
        samples.append(sample)
    return dict(
        inputs=[image for image, _ in pictures], data_samples=samples)


def ambiguous_pixels(name: str, log: Mapping[str, Tensor]) -> str:
    """Return the mean |S| of a step of :data:`STEPS`, '-' in phase I."""
    if STEPS[name][0] == 1:
        return '-'
    return f'{float(log["decode.ambiguous_pixels"]):.0f}'
