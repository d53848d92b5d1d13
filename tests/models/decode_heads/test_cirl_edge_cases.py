"""Edge batches through CIRLHead: what is left of each loss, as numbers."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS

from mmcrack.functional.regions import marginal_region

K = 4
CI = dict(type='mmcrack.CILoss', num_neighbors=K)
TWO = dict(
    type='FCNHead', in_channels=4, in_index=0, channels=6, num_convs=1,
    concat_input=False, num_classes=2, norm_cfg=None, dropout_ratio=0.,
    loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True))
ONE = dict(
    TWO, out_channels=1, threshold=.5, loss_decode=dict(
        type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True))
CBPRN = dict(
    type='mmcrack.CBPRNHead', in_channels=[4], in_index=[0], channels=8,
    with_edge=False, context_channels=8, detail_channels=4, heat_channels=4,
    point_channels=8, norm_cfg=dict(type='GN', num_groups=2), stride=2)
KINDS = ('no crack', 'all crack', 'all ignored', 'one pixel', 'few ambiguous',
         'all ambiguous', 'one image without', 'one image ignored')


def label_of(kind, batch=2):
    """Labels (N, 32, 32)."""
    label = torch.zeros(batch, 32, 32, dtype=torch.long)
    label[:, 14:17, 3:28] = 1
    if kind == 'no crack':
        label[:] = 0
    elif kind == 'all crack':
        label[:] = 1
    elif kind == 'all ignored':
        label[:] = 255
    elif kind == 'one pixel':
        label[:] = 0
        label[:, 0, 0] = 1
    elif kind == 'few ambiguous':
        label = few(batch, 3)
    elif kind == 'all ambiguous':
        # Nothing but crack and its margin.
        label[marginal_region(label, kernel_size=5) | (label == 1)] += 2
        label = torch.where(label == 0, 255, label - 2)
    elif kind == 'one image without':
        label[0] = 0
    elif kind == 'one image ignored':
        label[0] = 255
    return label


def few(batch, count):
    """One crack pixel whose margin has ``count`` pixels; the rest is seen."""
    label = torch.zeros(batch, 32, 32, dtype=torch.long)
    label[:, 10, 10] = 1
    margin = marginal_region(label, kernel_size=5)[0].flatten().nonzero()
    label.flatten(1)[:, margin[count:, 0]] = 255
    return label


def build(seg_head, *, log_var=1., **options):
    """Everything in the margin is ambiguous, unless ``log_var`` is low."""
    options.setdefault('loss_ci', CI)
    head = MODELS.build(dict(
        type='mmcrack.CIRLHead', seg_head=copy.deepcopy(seg_head),
        **options))
    torch.nn.init.normal_(head.std_head.conv.weight, std=1e-3)
    torch.nn.init.constant_(head.std_head.conv.bias, log_var)
    return head


def feature_maps(batch=2):
    draw = torch.Generator().manual_seed(0)
    return torch.randn(batch, 4, 16, 16, generator=draw).requires_grad_()


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


def losses_of(head, phase, features, samples, label):
    head.phase = phase
    return head.loss([features], samples(label), None)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(('seg_head', 'options'), [
    (TWO, {}),
    (ONE, {}),
    (CBPRN, {}),
    (TWO, dict(variance_threshold='q0.5')),
    (TWO, dict(loss_ci=None)),
    (TWO, dict(loss_ci=dict(
        type='mmcrack.PixelNNCLRLoss', queue_size=8))),
    (TWO, dict(loss_aseg=dict(type='mmcrack.KLVarianceLoss'))),
    (TWO, dict(loss_aseg=dict(type='mmcrack.AsegLoss', reduction='sum'),
               mean_type='logit')),
    (ONE, dict(std_source='tracked', variance_region='margin')),
    (TWO, dict(ci_warmup=.5, exclude_ambiguous=False)),
], ids=['two', 'one', 'cbprn', 'quantile', 'no ci', 'nnclr', 'kl', 'logit',
        'tracked', 'kept'])
def test_everything_is_finite(kind, seg_head, options, samples):
    for phase in (1, 2):
        for batch in (1, 2):
            head = build(seg_head, **options)
            features = feature_maps(batch)
            losses = losses_of(
                head, phase, features, samples, label_of(kind, batch))
            assert all(torch.isfinite(v).all() for v in losses.values())
            total(losses).backward()
            # DistributedDataParallel waits for each of them.
            for name, parameter in head.named_parameters():
                assert torch.isfinite(parameter.grad).all(), name
            assert torch.isfinite(features.grad).all()


@pytest.mark.parametrize('seg_head', [TWO, ONE], ids=['two', 'one'])
@pytest.mark.parametrize('phase', [1, 2])
def test_a_batch_that_is_all_ignored_teaches_nothing(phase, seg_head,
                                                     samples):
    head = build(seg_head)
    features = feature_maps()
    losses = losses_of(
        head, phase, features, samples, label_of('all ignored'))
    assert all(v == 0 for k, v in losses.items() if 'loss' in k)
    assert losses['ambiguous_pixels'] == losses['ambiguous_share'] == 0
    total(losses).backward()
    assert not features.grad.any()
    assert not any(p.grad.any() for p in head.parameters())


@pytest.mark.parametrize('kind', ['no crack', 'all crack'])
@pytest.mark.parametrize('seg_head', [TWO, ONE], ids=['two', 'one'])
def test_without_a_margin_phase_two_is_the_wrapped_head(kind, seg_head,
                                                        samples):
    head = build(seg_head)
    label = label_of(kind)
    features = feature_maps()
    losses = losses_of(head, 2, features, samples, label)
    plain = head.seg_head.loss([features], samples(label), None)
    torch.testing.assert_close(losses['loss_ce'], plain['loss_ce'])
    assert losses['loss_ci'] == 0
    assert losses['skipped_images'] == 2
    slopes = [torch.autograd.grad(x, features, retain_graph=True)[0]
              for x in (total(losses), plain['loss_ce'])]
    torch.testing.assert_close(*slopes)


@pytest.mark.parametrize('count', [0, 1, K, K + 1, K + 2, 24])
def test_ci_counts_from_k_plus_two_ambiguous_pixels(count, samples):
    head = build(TWO)
    label = few(2, count)
    losses = losses_of(head, 2, feature_maps(), samples, label)
    assert losses['ambiguous_pixels'] == count
    enough = count >= K + 2
    assert bool(losses['loss_ci'] != 0) is enough
    assert losses['skipped_images'] == (0 if enough else 2)
    # What CI does not take is not given back to BCE: it stays left out.
    logits = F.interpolate(head([feature_maps()]), size=(32, 32),
                           mode='bilinear')
    kept = (label != 255) & ~marginal_region(label, kernel_size=5)
    each = F.cross_entropy(logits, label.clamp(max=1), reduction='none')
    torch.testing.assert_close(losses['loss_ce'], each[kept].mean())


def test_all_ambiguous_leaves_bce_the_crack(samples):
    head = build(TWO)
    label = label_of('all ambiguous')
    assert set(label.unique().tolist()) == {0, 1, 255}
    losses = losses_of(head, 2, feature_maps(), samples, label)
    assert losses['ambiguous_share'] == 100
    logits = F.interpolate(head([feature_maps()]), size=(32, 32),
                           mode='bilinear')
    each = F.cross_entropy(logits, label.clamp(max=1), reduction='none')
    torch.testing.assert_close(losses['loss_ce'], each[label == 1].mean())
    assert losses['acc_seg'].item() == pytest.approx(
        100 * (logits.argmax(1)[label == 1] == 1).float().mean().item())
    assert losses['loss_ci'] != 0


@pytest.mark.parametrize('kind', ['crack', 'one pixel', 'all ambiguous'])
@pytest.mark.parametrize('phase', [1, 2])
def test_a_batch_of_one_is_a_batch_of_twins(kind, phase, samples):
    head = build(TWO)
    one = feature_maps(1)
    found = []
    for features in (one, one.expand(2, -1, -1, -1)):
        losses = losses_of(
            head, phase, features, samples, label_of(kind, len(features)))
        found.append((losses, torch.autograd.grad(total(losses), one)[0]))
    (single, slope), (twins, other) = found
    for key in single:
        wanted = single[key] * (2 if key == 'skipped_images' else 1)
        torch.testing.assert_close(twins[key], wanted)
    torch.testing.assert_close(slope, other)


@pytest.mark.parametrize('phase', [1, 2])
def test_what_a_batch_is_of_its_images(phase, samples):
    """A mean, but for BCE: the mean of the pixels left, of all images.

    In several processes each takes the mean over its own pixels.
    """
    head = build(TWO).double()
    features = feature_maps().detach().double()
    label = label_of('crack')
    label[1, 8:30, 15] = 1
    label[1, :, 25:] = 255
    margin = marginal_region(label, kernel_size=5)
    left = (label != 255) & ~margin if phase == 2 else label != 255
    share = left.sum((1, 2)) / left.sum()
    assert abs(share[0] - share[1]) > .1
    both = losses_of(head, phase, features, samples, label)
    each = [losses_of(head, phase, features[n:n + 1], samples,
                      label[n:n + 1]) for n in range(2)]
    weights = dict.fromkeys(('loss_ce', 'loss_aseg'), share)
    for key in both:
        if 'loss' in key:
            weight = weights.get(key, [.5, .5])
            torch.testing.assert_close(
                both[key], sum(w * x[key] for w, x in zip(
                    weight, each, strict=True)), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize('kind', ['crack', *KINDS])
@pytest.mark.parametrize('phase', [1, 2])
def test_one_channel_is_two_with_a_zero(kind, phase, samples):
    heads = [build(TWO), build(ONE)]
    state = heads[0].state_dict()
    with torch.no_grad():
        for name in ('weight', 'bias'):
            state[f'seg_head.conv_seg.{name}'][0] = 0
    heads[0].load_state_dict(state)
    heads[1].load_state_dict({
        k: v[1:] if 'conv_seg' in k else v for k, v in state.items()})
    found = []
    for head in heads:
        features = feature_maps()
        losses = losses_of(head, phase, features, samples, label_of(kind))
        total(losses).backward()
        found.append((losses, features.grad))
    (two, slope), (one, other) = found
    assert two.keys() == one.keys()
    for key in two:
        torch.testing.assert_close(one[key], two[key], msg=key)
    torch.testing.assert_close(other, slope, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize('phase', [1, 2])
@pytest.mark.parametrize('log_var', [-200., -88., 88., 200.])
def test_extreme_variances_and_logits(phase, log_var, samples):
    head = build(TWO, log_var=log_var)
    with torch.no_grad():
        head.seg_head.conv_seg.weight.mul_(1e6)
    features = feature_maps()
    losses = losses_of(head, phase, features, samples, label_of('crack'))
    assert losses['ambiguous_share'] == (100 if log_var > 0 else 0)
    loss = total(losses)
    assert math.isfinite(loss.item())
    if phase == 1:
        # e^2 / lambda for a variance of 0, one for an endless one.
        assert 0 <= loss <= 1 / .3 + 1e-4
    loss.backward()
    assert torch.isfinite(features.grad).all()
