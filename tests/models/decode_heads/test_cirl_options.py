"""Options of CIRLHead that the paper does not have."""

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcrack.functional.aseg import aseg_loss
from mmcrack.functional.regions import marginal_region

HEAD = dict(
    type='mmseg.FCNHead', in_channels=6, in_index=0, channels=8,
    num_convs=1, num_classes=2, norm_cfg=dict(type='GN', num_groups=2),
    dropout_ratio=0., loss_decode=dict(type='CrossEntropyLoss'))


@pytest.fixture
def label():
    label = torch.zeros(2, 32, 32, dtype=torch.long)
    label[0, 10:13, 4:28] = 1
    label[1, 4:25, 15] = 1
    label[1, :3] = 255
    return label


@pytest.fixture
def batch(label, generator):
    samples = []
    for one in label:
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=one[None])
        samples.append(sample)
    inputs = [torch.randn(2, 6, 16, 16, generator=generator).requires_grad_()]
    return inputs, samples, None


def build(**options):
    options.setdefault('loss_ci', dict(type='mmcrack.CILoss',
                                       num_neighbors=4))
    torch.manual_seed(0)
    return MODELS.build(dict(
        type='mmcrack.CIRLHead', seg_head=copy.deepcopy(HEAD), **options))


def maps(head, inputs):
    """Return logits and log-variance at the label's size."""
    up = dict(size=(32, 32), mode='bilinear', align_corners=False)
    features = head.features(inputs)
    return (F.interpolate(head(inputs), **up),
            F.interpolate(head.log_var(inputs, features), **up)[:, 0])


def test_variance_of_the_margin_alone(batch, label):
    """Aseg counts in the margin, cross entropy everywhere else."""
    head = build(variance_region='margin', std_weight=.1)
    logits, log_var = maps(head, batch[0])
    margin = marginal_region(label, kernel_size=5)
    valid = label != 255
    each = aseg_loss(logits.softmax(1)[:, 1], (label == 1).float(), log_var,
                     variance_offset=.3)
    losses = head.loss(*batch)
    torch.testing.assert_close(
        losses['loss_aseg'], each[margin].sum() / valid.sum())
    torch.testing.assert_close(losses['loss_ce'], F.cross_entropy(
        logits, label.masked_fill(margin, 255), ignore_index=255))


def test_tracked_std_head_learns_alone(batch, label):
    head = build(std_source='tracked', std_weight=.1)
    head.phase = 2
    losses = head.loss(*batch)
    logits, log_var = maps(head, batch[0])
    each = aseg_loss(logits.softmax(1)[:, 1], (label == 1).float(), log_var,
                     variance_offset=.3)
    torch.testing.assert_close(losses['loss_std'], each[label != 255].mean())
    losses['loss_std'].backward()
    learnt = {name for name, p in head.named_parameters()
              if p.grad is not None and p.grad.abs().sum() > 0}
    assert learnt == {'std_head.conv.weight', 'std_head.conv.bias'}
    assert batch[0][0].grad is None


@pytest.mark.parametrize(('progress', 'share'), [
    (0., 0.), (.1, .25), (.4, 1.), (.9, 1.)])
def test_weight_of_ci_rises(progress, share, batch):
    values = []
    for warmup in (0., .4):
        head = build(ci_warmup=warmup, std_bias=1.)
        head.phase, head.progress = 2, progress
        values.append(head.loss(*batch)['loss_ci'])
    assert values[0].abs() > .001
    torch.testing.assert_close(values[1], share * values[0])


def test_variance_keeps_its_digits_under_autocast(batch):
    """At the first weights all values would round to one in bfloat16."""
    head = build()
    features = torch.randn(1, 8, 16, 16)
    wanted = head.log_var(batch[0], features)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        values = head.log_var(batch[0], features)
    assert values.unique().numel() > 200
    torch.testing.assert_close(values, wanted)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(ci_warmup=1.5), 'ci_warmup must be between 0 and 1, got 1.5'),
    (dict(variance_region='crack'), 'variance_region must be one of'),
    (dict(std_source='dead'), 'std_source must be one of'),
])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)
