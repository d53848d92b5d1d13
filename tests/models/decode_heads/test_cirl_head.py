"""CIRLHead around the heads that people wrap."""

import copy

import pytest
import torch
from mmengine.registry import MODELS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcrack.functional.regions import marginal_region

NORM = dict(type='BN')
CE = dict(type='CrossEntropyLoss', loss_weight=1.)
COMMON = dict(num_classes=2, norm_cfg=NORM, loss_decode=CE,
              dropout_ratio=0.1)
PYRAMID = [4, 6, 8, 10]
HEADS = {
    'FCNHead': dict(type='mmseg.FCNHead', in_channels=10, in_index=3,
                    channels=8, num_convs=1, **COMMON),
    'UPerHead': dict(type='mmseg.UPerHead', in_channels=PYRAMID,
                     in_index=[0, 1, 2, 3], channels=8, pool_scales=(1, 2),
                     **COMMON),
    'SegformerHead': dict(type='mmseg.SegformerHead', in_channels=PYRAMID,
                          in_index=[0, 1, 2, 3], channels=8, **COMMON),
    'PSPHead': dict(type='mmseg.PSPHead', in_channels=10, in_index=3,
                    channels=8, pool_scales=(1, 2), **COMMON),
    'DepthwiseSeparableASPPHead': dict(
        type='mmseg.DepthwiseSeparableASPPHead', in_channels=10, in_index=3,
        channels=8, dilations=(1, 2), c1_in_channels=4, c1_channels=4,
        **COMMON),
    'one channel': dict(
        type='mmseg.FCNHead', in_channels=4, in_index=0, channels=8,
        num_convs=1, num_classes=2, out_channels=1, threshold=.5,
        norm_cfg=NORM, dropout_ratio=0.1,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True)),
}


def inputs_for(generator, size=32):
    return [torch.randn(2, c, size // 2**i, size // 2**i,
                        generator=generator).requires_grad_()
            for i, c in enumerate(PYRAMID)]


def samples_of(label):
    samples = []
    for one in label:
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(data=one[None])
        samples.append(sample)
    return samples


@pytest.fixture
def label():
    label = torch.zeros(2, 64, 64, dtype=torch.long)
    label[0, 20:25, 5:60] = 1
    label[1, 8:50, 30:33] = 1
    label[1, :5] = 255
    return label


def build(seg_head, **options):
    options.setdefault('loss_ci', dict(type='mmcrack.CILoss',
                                       num_neighbors=4))
    return MODELS.build(dict(
        type='mmcrack.CIRLHead', seg_head=copy.deepcopy(seg_head),
        **options))


def log_var_everywhere(head, value):
    """Make the std head return one log-variance."""
    torch.nn.init.zeros_(head.std_head.conv.weight)
    torch.nn.init.constant_(head.std_head.conv.bias, value)


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


@pytest.mark.parametrize('name', HEADS)
def test_first_phase_teaches_std_head_and_classifier(name, label, generator):
    head = build(HEADS[name])
    losses = head.loss(inputs_for(generator), samples_of(label), None)
    total(losses).backward()
    assert {k for k in losses if 'loss' in k} == {'loss_aseg'}
    for module in (head.std_head.conv, head.seg_head.conv_seg):
        assert module.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('name', HEADS)
def test_second_phase_takes_the_ambiguous_out(name, label, generator):
    head = build(HEADS[name])
    log_var_everywhere(head, 1.)
    head.phase = 2
    seen = {}
    original = head._supervised

    def supervised(logits, kept):
        logits.retain_grad()
        seen.update(logits=logits, kept=kept)
        return original(logits, kept)

    head._supervised = supervised
    losses = head.loss(inputs_for(generator), samples_of(label), None)
    margin = marginal_region(label, kernel_size=5)
    # Everything in the margin is ambiguous, and nothing else is ignored.
    assert torch.equal(seen['kept'] == 255, margin | (label == 255))
    assert losses['ambiguous_share'] == 100
    assert losses['ambiguous_pixels'] == margin.sum() / 2
    gradient = torch.autograd.grad(
        losses['loss_ce'], seen['logits'], retain_graph=True)[0].abs().sum(1)
    assert not gradient[margin].any()
    assert (gradient[(label != 255) & ~margin] > 0).any()
    gradient = torch.autograd.grad(
        losses['loss_ci'], seen['logits'], retain_graph=True)[0].abs().sum(1)
    assert (gradient[margin] > 0).any()
    assert not gradient[~margin].any()
    total(losses).backward()
    assert not head.std_head.conv.weight.grad.any()
    assert not head.std_head.conv.bias.grad.any()


def test_bce_is_normalised_by_the_pixels_left(label, generator):
    head = build(HEADS['FCNHead'], loss_ci=None)
    head.eval()
    log_var_everywhere(head, 1.)
    head.phase = 2
    inputs = inputs_for(generator)
    losses = head.loss(inputs, samples_of(label), None)
    logits = torch.nn.functional.interpolate(
        head(inputs), size=(64, 64), mode='bilinear')
    left = (label != 255) & ~marginal_region(label, kernel_size=5)
    each = torch.nn.functional.cross_entropy(
        logits, label.clamp(max=1), reduction='none')
    torch.testing.assert_close(losses['loss_ce'], each[left].mean())


def test_low_variance_leaves_every_label(label, generator):
    head = build(HEADS['FCNHead'])
    log_var_everywhere(head, -5.)
    head.phase = 2
    losses = head.loss(inputs_for(generator), samples_of(label), None)
    assert losses['ambiguous_share'] == 0
    assert losses['loss_ci'] == 0
    assert losses['skipped_images'] == 2


def test_exclusion_can_be_left_out(label, generator):
    values = {}
    for exclude in (True, False):
        torch.manual_seed(0)
        head = build(HEADS['FCNHead'], exclude_ambiguous=exclude).eval()
        log_var_everywhere(head, 1.)
        head.phase = 2
        draw = torch.Generator().manual_seed(0)
        losses = head.loss(inputs_for(draw), samples_of(label), None)
        values[exclude] = losses['loss_ce'].item()
        log_var_everywhere(head, -9.)
        draw = torch.Generator().manual_seed(0)
        plain = head.loss(inputs_for(draw), samples_of(label), None)
    assert values[False] == pytest.approx(plain['loss_ce'].item(), rel=1e-6)
    assert values[True] != values[False]


@pytest.mark.parametrize('quantile', ['q0.5', 'q.9'])
def test_a_quantile_of_the_margin_as_threshold(quantile, label, generator):
    head = build(HEADS['FCNHead'], variance_threshold=quantile)
    torch.nn.init.normal_(head.std_head.conv.weight)
    head.phase = 2
    losses = head.loss(inputs_for(generator, 64), samples_of(label), None)
    share = 100 * (1 - float(quantile[1:]))
    assert losses['ambiguous_share'].item() == pytest.approx(share, abs=1)


@pytest.mark.parametrize('name', HEADS)
def test_predicting_it_is_the_wrapped_head(name, generator):
    head = build(HEADS[name]).eval()
    calls = []
    head.std_head.register_forward_hook(lambda *a: calls.append(1))
    inputs = inputs_for(generator)
    metas = [dict(img_shape=(64, 64))] * 2
    with torch.no_grad():
        assert torch.equal(head(inputs), head.seg_head(inputs))
        assert torch.equal(head.predict(inputs, metas, {}),
                           head.seg_head.predict(inputs, metas, {}))
    assert not calls
    log_var_everywhere(head, -1.)
    logits, variance = head.predict(inputs, metas, {}, return_variance=True)
    assert calls == [1]
    assert torch.equal(logits, head.seg_head.predict(inputs, metas, {}))
    torch.testing.assert_close(
        variance, torch.full((2, 1, 64, 64), -1.).exp())
    for key in ('align_corners', 'num_classes', 'out_channels', 'threshold',
                'ignore_index'):
        assert getattr(head, key) == getattr(head.seg_head, key)


def test_figures_tell_the_medians(label, generator):
    head = build(HEADS['FCNHead'])
    log_var_everywhere(head, -1.)
    for phase in (1, 2):
        head.phase = phase
        losses = head.loss(inputs_for(generator), samples_of(label), None)
        for region in ('crack', 'margin', 'margin_q90', 'background'):
            assert losses[f'variance_{region}'].item() == pytest.approx(
                torch.tensor(-1.).exp().item())
            assert 'loss' not in f'variance_{region}'


@pytest.mark.parametrize('phase', [1, 2])
@pytest.mark.parametrize('kind', ['no crack', 'all crack', 'all ignored',
                                  'few', 'all ambiguous'])
def test_edges_are_finite(phase, kind, generator):
    label = torch.zeros(2, 64, 64, dtype=torch.long)
    if kind == 'all crack':
        label[:] = 1
    elif kind == 'all ignored':
        label[:] = 255
    elif kind == 'few':
        label[0, 0, 0] = 1
    elif kind == 'all ambiguous':
        label[:] = 255
        label[:, 30:34, 30:34] = 0
        label[:, 31:33, 31:33] = 1
    head = build(HEADS['FCNHead'])
    log_var_everywhere(head, 1.)
    head.phase = phase
    inputs = inputs_for(generator)
    loss = total(head.loss(inputs, samples_of(label), None))
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in head.parameters()
               if p.grad is not None)


@pytest.mark.parametrize('phase', [1, 2])
def test_autocast_computes_losses_in_float32(phase, label, generator):
    head = build(HEADS['UPerHead'])
    log_var_everywhere(head, 1.)
    head.phase = phase
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = head.loss(inputs_for(generator), samples_of(label), None)
    for name, value in losses.items():
        assert value.dtype == torch.float32, name
    total(losses).backward()
    assert torch.isfinite(head.seg_head.conv_seg.weight.grad).all()


def test_auxiliary_labels_on_request(label, generator):
    for masked in (False, True):
        head = build(HEADS['FCNHead'], mask_auxiliary=masked)
        log_var_everywhere(head, 1.)
        head.phase = 2
        samples = samples_of(label)
        head.loss(inputs_for(generator), samples, None)
        margin = marginal_region(label, kernel_size=5)
        for n, sample in enumerate(samples):
            wanted = label[n].masked_fill(margin[n], 255) if masked \
                else label[n]
            assert torch.equal(sample.gt_sem_seg.data[0], wanted)


def test_the_std_head_may_see_another_input(label, generator):
    head = build(HEADS['FCNHead'], std_in_index=1, std_in_channels=6)
    assert head.std_head.conv.in_channels == 6
    inputs = inputs_for(generator)
    losses = head.loss(inputs, samples_of(label), None)
    total(losses).backward()
    assert inputs[1].grad.abs().sum() > 0


def test_the_mean_may_be_the_logit(label, generator):
    torch.manual_seed(0)
    one = build(HEADS['FCNHead']).eval()
    two = build(HEADS['FCNHead'], mean_type='logit').eval()
    two.load_state_dict(one.state_dict())
    inputs = inputs_for(generator)
    log_var_everywhere(two, 0.)
    logits = torch.nn.functional.interpolate(
        two(inputs), size=(64, 64), mode='bilinear')
    z = logits[:, 1] - logits[:, 0]
    each = ((z - (label == 1).float())**2 + 1) / 1.3
    losses = two.loss(inputs, samples_of(label), None)
    torch.testing.assert_close(
        losses['loss_aseg'], each[label != 255].mean())


@pytest.mark.parametrize('options', [
    dict(loss_aseg=dict(type='mmcrack.KLVarianceLoss')),
    dict(loss_ci=dict(type='mmcrack.PixelNNCLRLoss', queue_size=32)),
])
def test_the_rows_that_the_paper_compares_with(options, label, generator):
    head = build(HEADS['UPerHead'], **options)
    log_var_everywhere(head, 1.)
    for phase in (1, 2):
        head.phase = phase
        head.zero_grad()
        losses = head.loss(inputs_for(generator), samples_of(label), None)
        total(losses).backward()
        assert head.seg_head.conv_seg.weight.grad.abs().sum() > 0
        missing = [n for n, p in head.named_parameters() if p.grad is None]
        assert not missing


def test_around_cbprn(label, generator):
    head = build(dict(
        type='mmcrack.CBPRNHead', in_channels=PYRAMID, channels=12,
        with_edge=False, context_channels=8, detail_channels=4,
        heat_channels=6, point_channels=8, norm_cfg=NORM, stride=2))
    assert head.std_head.conv.in_channels == 12
    log_var_everywhere(head, 1.)
    margin = marginal_region(label, kernel_size=5)
    drawn = {}
    sampler = head.seg_head.train_sampler

    def remember(seen, *args, **kwargs):
        drawn['label'] = seen
        drawn['points'] = sampler(seen, *args, **kwargs)
        return drawn['points']

    head.seg_head.train_sampler = remember
    for phase in (1, 2):
        head.phase = phase
        head.zero_grad()
        given = {}
        original = head.seg_head._losses

        def losses_of(name, modules, logits, target, given=given,
                      original=original):
            given[name] = target
            return original(name, modules, logits, target)

        head.seg_head._losses = losses_of
        losses = head.loss(inputs_for(generator), samples_of(label), None)
        del head.seg_head._losses
        total(losses).backward()
        assert torch.equal(drawn['label'], label)
        x, y = (drawn['points'] * 64).long().unbind(-1)
        image = torch.arange(2)[:, None].expand_as(x)
        inside = margin[image, y, x]
        ignored = given['point'][..., 0] == 255
        assert inside.any()
        assert torch.equal(ignored, inside if phase == 2
                           else torch.zeros_like(inside))
        assert head.seg_head.point_mlp.fc_seg.weight.grad.any()
        assert head.seg_head.conv_seg.weight.grad.any()
    metas = [dict(img_shape=(64, 64))] * 2
    head.eval()
    inputs = inputs_for(generator)
    assert torch.equal(head.predict(inputs, metas, {}),
                       head.seg_head.predict(inputs, metas, {}))


def test_the_frozen_source_needs_its_hook(label, generator):
    head = build(HEADS['FCNHead'], std_source='frozen')
    head.phase = 2
    with pytest.raises(RuntimeError, match='needs mmcrack.TwoPhaseHook'):
        head.loss(inputs_for(generator), samples_of(label), None)


def test_a_head_without_classifier_is_named():
    with pytest.raises(TypeError, match='Conv2d cannot be wrapped by CIRL'):
        build(dict(type='Conv2d', in_channels=1, out_channels=1,
                   kernel_size=1))


@pytest.mark.parametrize(('options', 'message'), [
    (dict(marginal_kernel=4), 'marginal_kernel must be an odd number'),
    (dict(std_source='dead'), "std_source must be one of .*'dead'"),
    (dict(mean_type='mode'), "mean_type must be one of .*'mode'"),
    (dict(variance_threshold='p9'), "a quantile such as 'q0.9'"),
    (dict(variance_threshold=-.1), 'a variance of at least 0'),
    (dict(std_in_index=1), 'belong together'),
])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(HEADS['FCNHead'], **options)
