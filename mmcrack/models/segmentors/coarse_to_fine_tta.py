"""Test-time augmentation of a result before and after refinement."""

import torch
from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from torch import Tensor

from mmcrack.registry import MODELS


@MODELS.register_module()
class CoarseToFineTTAModel(SegTTAModel):
    """Average augmented views, before refinement too.

    MMSegmentation's ``SegTTAModel`` leaves the last view's
    ``coarse_sem_seg`` beside the average of ``pred_sem_seg``; and with one
    output channel it takes the sigmoid of what is a probability already.
    """

    def merge_preds(self, data_samples_list: list) -> list:
        """Average the views of each image.

        Args:
            data_samples_list (list[list[SegDataSample]]): Views by image.

        Returns:
            list[SegDataSample]: ``pred_sem_seg`` and ``coarse_sem_seg`` of
            the average probability.
        """
        network = self.module
        merged = super().merge_preds(data_samples_list)
        for sample, views in zip(merged, data_samples_list, strict=True):
            sample.set_data(dict(
                pred_sem_seg=_average(
                    [view.seg_logits.data for view in views],
                    network.decode_head.threshold),
                coarse_sem_seg=_average(
                    [view.coarse_seg_logits.data for view in views],
                    network.coarse.decode_head.threshold)))
        return merged


def _average(maps: list[Tensor], threshold: float | None) -> PixelData:
    """Return the labels (1, H, W) of the views' average probability."""
    if len(maps[0]) > 1:
        maps = [logits.softmax(dim=0) for logits in maps]
    mean = torch.stack(maps).mean(dim=0)
    if len(mean) > 1:
        return PixelData(data=mean.argmax(dim=0, keepdim=True))
    return PixelData(data=(mean > threshold).to(mean))
