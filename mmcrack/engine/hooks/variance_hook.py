"""Hook that lets a segmentor leave its variance map beside its prediction."""

import inspect
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.structures import PixelData
from torch import Tensor, nn

from mmcrack.registry import HOOKS

FIELD = 'variance'


@HOOKS.register_module()
class VarianceHook(Hook):
    """Add the field ``variance`` to each data sample of a validation or test.

    For ``mmcrack.CrackMetric(metrics=['variance'])``: float32 (1, H, W), at
    the size of the original image, of the segmentor's ``CIRLHead`` (of a
    cascade that of the last head). Whole images and sliding windows work as
    for the logits, which stay as they are. With ``std_source='frozen'`` it
    is the network's own variance, not that of the frozen copy.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self._undo: tuple | None = None

    def before_val_epoch(self, runner: Runner) -> None:
        """Begin to keep the variance.

        Args:
            runner (Runner): With the model.

        Raises:
            ValueError: If the model predicts no variance.
        """
        self._begin(runner.model)

    def before_test_epoch(self, runner: Runner) -> None:
        """Begin to keep the variance.

        Args:
            runner (Runner): With the model.

        Raises:
            ValueError: If the model predicts no variance.
        """
        self._begin(runner.model)

    def after_val_epoch(self, runner: Runner,
                        metrics: dict | None = None) -> None:
        """Put the segmentor back.

        Args:
            runner (Runner): With the model.
            metrics (dict, optional): Not used.
        """
        self._end()

    def after_test_epoch(self, runner: Runner,
                         metrics: dict | None = None) -> None:
        """Put the segmentor back.

        Args:
            runner (Runner): With the model.
            metrics (dict, optional): Not used.
        """
        self._end()

    def _begin(self, model: nn.Module) -> None:
        """Let the logits carry one channel more as far as their size."""
        self._end()
        model = model.module if is_model_wrapper(model) else model
        head = getattr(model, 'decode_head', None)
        head = head[-1] if isinstance(head, nn.ModuleList) else head
        predict = getattr(head, 'predict', None)
        if predict is None or 'return_variance' not in (
                inspect.signature(predict).parameters):
            raise ValueError(
                'VarianceHook needs a segmentor that predicts a variance, '
                "decode_head=dict(type='mmcrack.CIRLHead', seg_head=...), "
                f'got {type(head or model).__name__}.')
        finish = model.postprocess_result

        def with_variance(*args: Any) -> Tensor:
            return torch.cat(predict(*args, return_variance=True), dim=1)

        def split(seg_logits: Tensor, data_samples: Any = None) -> Any:
            logits, variance = seg_logits[:, :-1], seg_logits[:, -1:]
            # Of two channels the segmentor keeps the values as they are.
            shadows = finish(
                variance.float().repeat(1, 2, 1, 1),
                None if data_samples is None else
                [sample.clone() for sample in data_samples])
            samples = finish(logits, data_samples)
            for sample, shadow in zip(samples, shadows, strict=True):
                sample.set_data({FIELD: PixelData(
                    data=shadow.seg_logits.data[:1])})
            return samples

        self._undo = (model, head, model.out_channels)
        head.predict = with_variance
        model.postprocess_result = split
        model.out_channels += 1

    def _end(self) -> None:
        """Undo what :meth:`_begin` did."""
        if self._undo is not None:
            model, head, channels = self._undo
            del head.predict, model.postprocess_result
            model.out_channels = channels
            self._undo = None
