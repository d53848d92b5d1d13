"""The variance beside the prediction, and what a metric makes of it."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcrack.engine.hooks import VarianceHook
from mmcrack.evaluation.metrics import CrackMetric
from mmcrack.functional.metrics import variance_auroc


def segmentor(channels, test_cfg=None, cirl=True):
    init_default_scope('mmseg')
    torch.manual_seed(0)
    norm = dict(type='GN', num_groups=2)
    head = dict(
        type='FCNHead', in_channels=4, in_index=1, channels=4, num_convs=1,
        concat_input=False, dropout_ratio=0., num_classes=2, norm_cfg=norm,
        out_channels=channels, threshold=.5 if channels == 1 else None,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=channels == 1))
    model = MODELS.build(dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', mean=[128] * 3,
                               std=[64] * 3),
        backbone=dict(type='UNet', base_channels=4, num_stages=2,
                      strides=(1, 1), enc_num_convs=(1, 1),
                      dec_num_convs=(1, ), downsamples=(True, ),
                      enc_dilations=(1, 1), dec_dilations=(1, ),
                      norm_cfg=norm),
        decode_head=dict(type='mmcrack.CIRLHead', seg_head=head)
        if cirl else head,
        test_cfg=ConfigDict(test_cfg or dict(mode='whole')))).eval()
    if cirl:
        torch.nn.init.normal_(model.decode_head.std_head.conv.weight)
    return model


def sample():
    """A 24 x 32 input of a 20 x 28 image at double size, mirrored."""
    data = SegDataSample(metainfo=dict(
        img_path='x.png', ori_shape=(40, 56), img_shape=(24, 32),
        img_padding_size=[0, 4, 0, 4], flip=True,
        flip_direction='horizontal'))
    truth = torch.zeros(1, 40, 56, dtype=torch.long)
    truth[:, 10:14] = 1
    data.gt_sem_seg = PixelData(data=truth)
    return data


def predict(model, image, hook=None, phase='test'):
    runner = SimpleNamespace(model=model)
    if hook:
        getattr(hook, f'before_{phase}_epoch')(runner)
    with torch.no_grad():
        (out, ) = model.predict(image, [sample()])
    if hook:
        getattr(hook, f'after_{phase}_epoch')(runner)
    return out


@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize('test_cfg', [
    dict(mode='whole'),
    dict(mode='slide', crop_size=(24, 32), stride=(24, 32))])
@pytest.mark.parametrize('phase', ['val', 'test'])
def test_variance_lies_on_the_original_image(channels, test_cfg, phase):
    model = segmentor(channels, test_cfg)
    image = torch.randn(1, 3, 24, 32)
    plain = predict(model, image)
    assert 'variance' not in plain
    found = predict(model, image, VarianceHook(), phase)
    for key in ('seg_logits', 'pred_sem_seg'):
        torch.testing.assert_close(found.get(key).data, plain.get(key).data)
    with torch.no_grad():
        _, variance = model.decode_head.predict(
            model.extract_feat(image), [dict(img_shape=(24, 32))],
            model.test_cfg, return_variance=True)
    wanted = F.interpolate(variance[..., :20, :28].flip(3), (40, 56),
                           mode='bilinear', align_corners=False)[0]
    torch.testing.assert_close(found.variance.data, wanted)
    assert 'variance' not in predict(model, image)
    assert model.out_channels == channels


def test_metric_reads_it():
    model = segmentor(2)
    out = predict(model, torch.randn(1, 3, 24, 32), VarianceHook())
    metric = CrackMetric(metrics=['variance'])
    metric.dataset_meta = dict(classes=('background', 'crack'))
    metric.process({}, [out])
    found = metric.evaluate(1)
    wanted = variance_auroc(
        out.pred_sem_seg.data[0], out.gt_sem_seg.data[0],
        variance=out.variance.data[0])
    assert found['crack/image_AUROC_variance'] == pytest.approx(100 * wanted)
    # One image, in bins.
    assert found['crack/AUROC_variance'] == pytest.approx(
        100 * wanted, abs=.5)
    del out.variance
    with pytest.raises(ValueError, match=(
            "'variance' needs a variance map, and x.png comes without")):
        metric.process({}, [out])


def test_a_model_without_variance_is_refused():
    model = segmentor(2, cirl=False)
    with pytest.raises(ValueError, match='got FCNHead'):
        VarianceHook().before_test_epoch(SimpleNamespace(model=model))
