"""What every test of networks needs: mmseg's scope, seeds, labelled data."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample


@pytest.fixture(autouse=True)
def _mmseg_scope():
    """Build as in a config: plain names are those of mmseg, seed 0."""
    init_default_scope('mmseg')
    torch.manual_seed(0)


@pytest.fixture
def samples():
    """Function that packs (N, H, W) labels as the data pipeline does."""

    def pack(labels):
        packed = []
        for label in labels:
            size = tuple(label.shape)
            sample = SegDataSample(
                metainfo=dict(
                    img_shape=size, ori_shape=size, pad_shape=size))
            sample.gt_sem_seg = PixelData(data=label[None])
            packed.append(sample)
        return packed

    return pack


@pytest.fixture
def crack_label():
    """Function that labels two cracks, 3 and 12 pixels wide."""

    def make(batch=2, size=(48, 64)):
        label = torch.zeros(batch, *size, dtype=torch.long)
        label[:, size[0] // 4:size[0] // 4 + 3] = 1
        label[:, :, size[1] // 2:size[1] // 2 + 12] = 1
        return label

    return make
