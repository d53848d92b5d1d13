"""What holds for every loss of crack against everything else."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS

from mmcrack.functional.probability import crack_logit

# Each loss; small patches, so that the topological one has several.
LOSSES = {
    'BinaryFocalLoss': {},
    'Poly1Loss': {},
    'BalancedBCELoss': {},
    'NoiseRobustDiceLoss': {},
    'SoftClDiceLoss': dict(iterations=2),
    'RobustTLoss': {},
    'TopologicalLoss': dict(patch_size=6, loss_weight=1.),
}
#: One sum over the batch, in which each pixel stands for itself.
POINTWISE = [n for n in LOSSES if n not in (
    'SoftClDiceLoss', 'TopologicalLoss')]
PIXELS = ['BinaryFocalLoss', 'Poly1Loss', 'BalancedBCELoss']
every_loss = pytest.mark.parametrize('kind', LOSSES)


def build(kind, **options):
    return MODELS.build(
        dict(LOSSES[kind], type=f'mmcrack.{kind}', **options))


@pytest.fixture
def batch(generator):
    """Logits of one channel, float64, and a label with ignored pixels."""
    logits = torch.randn(
        2, 1, 9, 10, generator=generator, dtype=torch.float64)
    label = torch.zeros(2, 9, 10, dtype=torch.long)
    label[:, 3:6, 1:8] = 1
    label[0, :2, 4:] = 255
    label[1, 4, 2:5] = 255
    return logits, label


def slope(loss, logits, label, **options):
    logits = logits.clone().requires_grad_()
    value = loss(logits, label, **options)
    value.sum().backward()
    return value.detach(), logits.grad


@every_loss
def test_two_channels_are_one_channel(kind, batch, generator):
    logits, label = batch
    loss = build(kind)
    background = torch.randn(
        logits.shape, generator=generator, dtype=torch.float64)
    two = torch.cat([background, background + logits], dim=1)
    one, one_slope = slope(loss, logits, label)
    value, slopes = slope(loss, two, label)
    assert value.item() == pytest.approx(one.item(), rel=1e-12)
    torch.testing.assert_close(slopes[:, 1:], one_slope)
    torch.testing.assert_close(slopes[:, :1], -one_slope)


@every_loss
@pytest.mark.parametrize('crack_class', [0, 2])
def test_crack_among_several_classes(kind, crack_class, batch, generator):
    _, label = batch
    many = torch.randn(2, 4, 9, 10, generator=generator, dtype=torch.float64)
    classes = torch.randint(0, 4, label.shape, generator=generator)
    classes = classes.masked_fill(label == 255, 255)
    loss = build(kind, crack_class=crack_class)
    binary = (classes == crack_class).long().masked_fill(label == 255, 255)
    single = crack_logit(many, crack_class=crack_class)[:, None]
    assert loss(many, classes).item() == pytest.approx(
        build(kind)(single, binary).item(), rel=1e-12)


@every_loss
@pytest.mark.parametrize('wild', [1e4, -1e4, float('nan'), float('inf')])
def test_whatever_stands_in_ignored_pixels_changes_nothing(
        kind, wild, batch, generator):
    logits, label = batch
    loss = build(kind)
    two = torch.cat([-logits, logits], dim=1)
    hidden = (label == 255)[:, None].expand(-1, 2, -1, -1)
    value, slopes = slope(loss, two, label)
    weight = torch.ones(label.shape).masked_fill(label == 255, wild)
    other, other_slopes = slope(
        loss, two.masked_fill(hidden, wild), label, weight=weight)
    assert value == other
    assert torch.equal(slopes, other_slopes)
    assert not slopes[hidden].any()
    assert slopes[~hidden].any()
    # Another number can mean it.
    assert value == loss(
        two, label.masked_fill(label == 255, 77), ignore_index=77)


@pytest.mark.parametrize('kind', POINTWISE)
def test_ignoring_is_leaving_out_and_points_are_an_image(kind, batch):
    """The pixels that count, as a list of points (N, K, P, 1)."""
    logits, label = batch
    loss = build(kind)
    logits, label = logits[:1], label[:1]
    valid = label != 255
    points = logits[:, 0][valid].reshape(1, 1, -1, 1)
    assert loss(points, label[valid].reshape(1, -1, 1)).item() == \
        pytest.approx(loss(logits, label).item(), rel=1e-12)


@pytest.mark.parametrize('kind', ['SoftClDiceLoss', 'TopologicalLoss'])
def test_points_are_an_image_for_losses_of_neighbours_too(kind, batch):
    logits, label = batch
    line, labels = logits.reshape(2, 1, 90, 1), label.reshape(2, 90, 1)
    value, slopes = slope(build(kind), line, labels)
    assert value.isfinite()
    assert slopes.isfinite().all()
    across = build(kind)(line.transpose(2, 3), labels.transpose(1, 2))
    assert value.item() == pytest.approx(across.item(), rel=1e-12)


@pytest.mark.parametrize('kind', ['NoiseRobustDiceLoss', 'RobustTLoss'])
def test_a_weight_of_zero_is_ignoring(kind, batch):
    logits, label = batch
    loss = build(kind)
    weight = (label != 255).double()
    known = label.masked_fill(label == 255, 1)
    assert loss(logits, known, weight=weight).item() == pytest.approx(
        loss(logits, label).item(), rel=1e-12)


@pytest.mark.parametrize('kind', PIXELS)
def test_reductions_and_weights(kind, batch, generator):
    logits, label = batch
    weight = torch.rand(label.shape, generator=generator).double()
    plain = build(kind, reduction='none')(logits, label)
    assert plain.shape == label.shape
    assert not plain[label == 255].any()
    count = (label != 255).sum()
    for reduction, wanted in (
        ('none', weight * plain), ('sum', (weight * plain).sum() / 2),
        ('mean', (weight * plain).sum() / count)):
        loss = build(kind, reduction=reduction, loss_weight=3.)
        torch.testing.assert_close(
            loss(logits, label, weight=weight), 3 * wanted)


@pytest.mark.parametrize('kind', PIXELS)
def test_an_unknown_reduction_is_named(kind):
    with pytest.raises(ValueError, match="reduction must be one of .*'max'"):
        build(kind, reduction='max')


@every_loss
@pytest.mark.parametrize('channels', [1, 2])
def test_over_nothing_it_is_zero_and_keeps_the_graph(kind, channels):
    loss = build(kind)
    logits = torch.randn(2, channels, 8, 8)
    logits[0, :, 0] = float('nan')
    value, slopes = slope(loss, logits, torch.full((2, 8, 8), 255))
    assert value == 0
    assert value.shape == ()
    assert not slopes.any()
    # DistributedDataParallel waits for every parameter.
    assert all(p.grad is not None and not p.grad.any()
               for p in loss.parameters())


@every_loss
def test_saturated_logits_are_finite(kind, batch):
    logits, label = batch
    for scale in (1e4, -1e4):
        wild = scale * torch.where(logits > 0, 1., -1.).float()
        value, slopes = slope(build(kind), wild, label)
        assert value.isfinite()
        assert slopes.isfinite().all()


@every_loss
def test_a_right_prediction_is_better_than_a_wrong_one(kind, batch):
    _, label = batch
    sign = torch.where(label == 1, 1., -1.)[:, None]
    loss = build(kind)
    right, unsure, wrong = (
        loss(scale * sign, label).item() for scale in (12., 1., -12.))
    assert right < unsure < wrong
    if kind != 'RobustTLoss':
        # That one is a log-likelihood, which has no least value.
        assert right == pytest.approx(0, abs=1e-3)


@every_loss
def test_gradients(kind, batch, generator):
    logits, label = batch
    # Different values, a step apart: neither minima nor pairs change hands.
    logits = torch.randperm(180, generator=generator).double() / 40 - 2
    loss = build(kind).double()
    weight = torch.rand(label.shape, generator=generator).double()
    assert torch.autograd.gradcheck(
        lambda z: loss(z, label, weight=weight),
        logits.reshape(2, 1, 9, 10).requires_grad_())


@every_loss
@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_in_half_precision_it_reckons_in_float32(kind, dtype, batch):
    logits, label = batch
    half = logits.to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value, slopes = slope(build(kind), half, label)
    assert value.dtype == torch.float32
    plain, plain_slopes = slope(build(kind), half.float(), label)
    assert torch.equal(value, plain)
    torch.testing.assert_close(slopes, plain_slopes.to(dtype))


@every_loss
@pytest.mark.parametrize('channels', [1, 2])
def test_as_loss_decode_of_a_stock_head(kind, channels, samples,
                                        crack_label):
    head = MODELS.build(dict(
        type='mmseg.FCNHead', in_channels=4, channels=4, num_classes=2,
        out_channels=channels, threshold=.5, num_convs=0,
        concat_input=False, dropout_ratio=0.,
        loss_decode=dict(LOSSES[kind], type=f'mmcrack.{kind}')))
    torch.nn.init.normal_(head.conv_seg.weight)
    label = crack_label(size=(16, 24))
    label[0, :3] = 255
    inputs = [torch.randn(2, 4, 8, 12)]
    losses = head.loss(inputs, samples(label), None)
    name = head.loss_decode.loss_name
    assert set(losses) == {name, 'acc_seg'}
    losses[name].backward()
    assert all(p.grad is not None for p in head.parameters())
    assert head.conv_seg.weight.grad.abs().sum() > 0
    logits = F.interpolate(head(inputs), (16, 24), mode='bilinear')
    torch.testing.assert_close(
        losses[name], build(kind)(logits, label))


@every_loss
def test_weight_and_name(kind, batch):
    loss = build(kind)
    twice = build(kind) if kind == 'TopologicalLoss' else build(
        kind, loss_weight=2 * loss.loss_weight)
    twice.loss_weight = 2 * loss.loss_weight
    assert twice(*batch).item() == pytest.approx(2 * loss(*batch).item())
    assert loss.loss_name.startswith('loss_')
    assert build(kind, loss_name='loss_x').loss_name == 'loss_x'


@every_loss
def test_a_label_of_another_size_is_named(kind):
    with pytest.raises(ValueError, match='resize the logits first'):
        build(kind)(torch.zeros(1, 2, 4, 4), torch.zeros(1, 8, 8).long())


@every_loss
def test_a_class_that_is_not_there_is_named(kind):
    with pytest.raises(ValueError, match='crack_class must be a channel'):
        build(kind, crack_class=3)(
            torch.zeros(1, 2, 4, 4), torch.zeros(1, 4, 4).long())
    with pytest.raises(ValueError, match='crack_class must be at least 0'):
        build(kind, crack_class=-1)
