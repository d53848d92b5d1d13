"""Where training and inference look at single points."""

import logging
from collections.abc import Sequence

import torch
from mmengine.logging import print_log
from torch import Tensor

from mmcrack.functional.points import (
    sample_important_points,
    sample_region_points,
    uncertain_points,
)
from mmcrack.functional.regions import binary_label
from mmcrack.registry import TASK_UTILS


def _num_points(size: Sequence[int], area_divisor: float) -> int:
    """N = H W / divisor (CBPRN), at least one point."""
    return max(1, int(size[0] * size[1] / area_divisor))


def _check_divisor(area_divisor: float) -> float:
    """Return the divisor if it can be one."""
    if area_divisor < 1:
        raise ValueError('area_divisor must be at least 1 (N = H W / '
                         f'area_divisor), got {area_divisor}.')
    return area_divisor


@TASK_UTILS.register_module()
class BoundaryPointSampler:
    """Draw training points around the labelled boundary.

    CBPRN, "For the training phase" and Table 1: N = H W / 20 points, 30 % in
    the crack body, 40 % in the dilated boundary, 30 % in the background.

    Args:
        ratios (Sequence[float]): Shares of body, boundary, background.
        dilation (int): Dilation coefficient of the boundary, 0 to 3 in the
            paper; the band is ``2 * dilation + 1`` pixels wide.
        area_divisor (float): N = H W / ``area_divisor``.
        body_mode (str): What stands in where thin cracks have no body, see
            :func:`mmcrack.functional.points.sample_region_points`.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 ratios: Sequence[float] = (0.3, 0.4, 0.3),
                 dilation: int = 2,
                 area_divisor: float = 20,
                 body_mode: str = 'fallback') -> None:
        if len(ratios) != 3 or min(ratios) < 0 or abs(sum(ratios) - 1) > 1e-6:
            raise ValueError('ratios must be three shares (body, boundary, '
                             f'background) that sum to 1, got {ratios}.')
        if dilation < 0:
            raise ValueError(f'dilation must be at least 0, got {dilation}.')
        if body_mode not in ('fallback', 'strict'):
            raise ValueError("body_mode must be 'fallback' or 'strict', "
                             f'got {body_mode!r}.')
        self.ratios = tuple(ratios)
        self.dilation = dilation
        self.area_divisor = _check_divisor(area_divisor)
        self.body_mode = body_mode

    def __call__(self,
                 seg_label: Tensor,
                 seg_logits: Tensor | None = None,
                 *,
                 crack_class: int = 1,
                 ignore_index: int = 255,
                 generator: torch.Generator | None = None) -> Tensor:
        """Draw points of each image.

        Args:
            seg_label (Tensor): Int64, (N, H, W), of any classes.
            seg_logits (Tensor, optional): Not looked at.
            crack_class (int): Class index of crack.
            ignore_index (int): Pixels that are never drawn.
            generator (torch.Generator, optional): Of the label's device.

        Returns:
            Tensor: Float32, (N, P, 2), (x, y) in [0, 1].
        """
        label = binary_label(
            seg_label, crack_class=crack_class, ignore_index=ignore_index)
        points, _ = sample_region_points(
            label,
            _num_points(label.shape[-2:], self.area_divisor),
            ratios=self.ratios,
            dilation=self.dilation,
            body_mode=self.body_mode,
            ignore_index=ignore_index,
            generator=generator)
        return points


@TASK_UTILS.register_module()
class ImportancePointSampler:
    """Draw PointRend's training points.

    Kirillov et al. 2020, section 3.1. With ``importance_ratio=0`` points are
    uniform, the ablation that CBPRN's Table 1 names but does not run with a
    point head.

    Args:
        oversample_ratio (float): k: candidates for each point kept.
        importance_ratio (float): Beta: share of uncertain points.
        num_points (int, optional): Points of an image; None takes
            N = H W / ``area_divisor``.
        area_divisor (float): See ``num_points``.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 oversample_ratio: float = 3,
                 importance_ratio: float = 0.75,
                 num_points: int | None = None,
                 area_divisor: float = 20) -> None:
        if oversample_ratio < 1 or not 0 <= importance_ratio <= 1:
            raise ValueError(
                'oversample_ratio must be at least 1 and importance_ratio in '
                f'[0, 1], got {oversample_ratio} and {importance_ratio}.')
        if num_points is not None and num_points < 1:
            raise ValueError(
                f'num_points must be at least 1, got {num_points}.')
        self.oversample_ratio = oversample_ratio
        self.importance_ratio = importance_ratio
        self.num_points = num_points
        self.area_divisor = _check_divisor(area_divisor)

    def __call__(self,
                 seg_label: Tensor,
                 seg_logits: Tensor,
                 *,
                 crack_class: int = 1,
                 ignore_index: int = 255,
                 generator: torch.Generator | None = None) -> Tensor:
        """Draw points of each image.

        Args:
            seg_label (Tensor): Int64, (N, H, W); its size counts alone.
            seg_logits (Tensor): Float, (N, C, h, w), coarse prediction.
            crack_class (int): Not looked at.
            ignore_index (int): Not looked at: the loss leaves points on
                ignored pixels out, as PointRend does.
            generator (torch.Generator, optional): Of the logits' device.

        Returns:
            Tensor: Float32, (N, P, 2), (x, y) in [0, 1].
        """
        count = self.num_points or _num_points(seg_label.shape[-2:],
                                               self.area_divisor)
        return sample_important_points(
            seg_logits,
            count,
            oversample_ratio=self.oversample_ratio,
            importance_ratio=self.importance_ratio,
            padding_mode='zeros',
            generator=generator)


@TASK_UTILS.register_module()
class UncertainPointSampler:
    """Choose the pixels that inference re-predicts.

    CBPRN, "For the inference phase" and Table 2.

    Args:
        prob_range (Sequence[float]): (alpha, beta): pixels of the
            full-resolution heat map strictly between them are uncertain.
        max_points (int, optional): At most so many of an image, evenly
            spread; None takes all, as the paper does.
        warn_share (float): Warn, once, when a larger share of an image is
            uncertain: the network is not trained, or the interval too wide,
            and rendering will be slow.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 prob_range: Sequence[float] = (0.3, 0.7),
                 max_points: int | None = None,
                 warn_share: float = 0.2) -> None:
        low, high = prob_range
        if not 0 <= low < high <= 1:
            raise ValueError(
                'prob_range must be (alpha, beta) with 0 <= alpha < beta <= '
                f'1, got {tuple(prob_range)}.')
        if max_points is not None and max_points < 1:
            raise ValueError('max_points must be at least 1, or None for all '
                             f'uncertain pixels, got {max_points}.')
        self.prob_range = (low, high)
        self.max_points = max_points
        self.warn_share = warn_share
        self._warned = False

    def __call__(self, prob: Tensor) -> Tensor:
        """Mark the pixels to render.

        Args:
            prob (Tensor): Float, (N, H, W), crack probability.

        Returns:
            Tensor: Bool, (N, H, W).
        """
        chosen = uncertain_points(
            prob, prob_range=self.prob_range, max_points=self.max_points)
        if not self._warned and chosen.numel():
            counts = chosen.flatten(1).sum(1)
            share = int(counts.max()) / chosen[0].numel()
            if share > self.warn_share:
                self._warned = True
                print_log(
                    f'{100 * share:.0f} % of an image is uncertain '
                    f'(probability in {self.prob_range}) and is rendered '
                    'point by point, which is slow: is the network trained? '
                    'Otherwise narrow prob_range or set max_points.',
                    logger='current',
                    level=logging.WARNING)
        return chosen
