"""CBPRN's head by itself: what it renders, what it learns from."""

import pytest
import torch
import torch.nn.functional as F
from oracles import bilinear_at, render_pixels, shared_mlp

from mmcrack.functional.points import label_at, pixel_points
from mmcrack.models.task_modules import point_samplers
from mmcrack.registry import MODELS

BCE = dict(
    type='mmseg.CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True)


def build(in_channels=(4, 8), **kwargs):
    """Build a small head whose MLP has made up its mind."""
    cfg = dict(
        channels=6,
        context_channels=6,
        detail_channels=4,
        heat_channels=6,
        point_channels=8,
        with_edge=False,
        out_channels=2)
    cfg.update(kwargs)
    head = MODELS.build(
        dict(type='mmcrack.CBPRNHead', in_channels=in_channels, **cfg))
    if head.point_mlp is not None:
        torch.nn.init.normal_(head.point_mlp.fc_seg.weight, std=0.7)
    torch.nn.init.normal_(head.conv_seg.weight, std=2.)
    return head.eval()


def maps(generator, batch=2, size=(6, 8), channels=6, out_channels=2):
    """An enhanced feature map, and coarse logits on both sides of 0."""
    features = torch.randn(batch, channels, *size, generator=generator)
    coarse = torch.randn(batch, out_channels, *size, generator=generator)
    return features, 1.5 * coarse


def pyramid(generator, batch=2, size=(12, 16), channels=(4, 8)):
    """Feature maps of a backbone, finest first."""
    return [
        torch.randn(
            batch, width, *(s >> i for s in size), generator=generator)
        for i, width in enumerate(channels)
    ]


def slow_point(head, features, coarse):
    """Function (x, y) -> logits of one point of one image, in float64."""
    layers = [(layer.weight[..., 0].detach().double().numpy(),
               layer.bias.detach().double().numpy())
              for layer in (*head.point_mlp.fcs, head.point_mlp.fc_seg)]

    def predict(x, y):
        feature, logit = ([bilinear_at(channel, x, y) for channel in t]
                          for t in (features, coarse))
        return shared_mlp(layers, feature, logit)

    return predict


# --- inference --------------------------------------------------------------


@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize('size', [(24, 32), (23, 30), (6, 8)])
@torch.no_grad()
def test_the_heat_map_decides_outside_and_the_mlp_inside(
        out_channels, size, generator):
    head = build(out_channels=out_channels, threshold=.5)
    features, coarse = maps(generator, out_channels=out_channels)
    head.keep_rendering = True
    logits = head.render(features, coarse, size)
    for n in range(2):
        expected, prob, again = render_pixels(
            coarse[n].numpy(), slow_point(head, features[n], coarse[n]),
            size, (0.3, 0.7))
        assert 0.1 < again.mean() < 0.9
        kept = head.rendering
        assert torch.equal(kept['rendered'][n], torch.from_numpy(again))
        torch.testing.assert_close(
            kept['heat_map'][n, 0], torch.from_numpy(prob).float(),
            atol=1e-5, rtol=0)
        torch.testing.assert_close(
            logits[n], torch.from_numpy(expected).float(),
            atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_pixels_that_are_sure_keep_the_heat_map_bit_by_bit(generator):
    head = build()
    head.keep_rendering = True
    features, coarse = maps(generator)
    logits = head.render(features, coarse, (48, 64))
    full = F.interpolate(
        coarse, (48, 64), mode='bilinear', align_corners=False)
    sure = ~head.rendering['rendered'][:, None].expand_as(full)
    assert torch.equal(logits[sure], full[sure])
    assert not torch.isclose(logits[~sure], full[~sure]).any()
    assert torch.equal(coarse, maps(
        torch.Generator().manual_seed(0))[1]), 'the input was written to'


@torch.no_grad()
def test_at_the_heat_map_s_own_size_nothing_is_written_into_it(generator):
    head = build()
    features, coarse = maps(generator)
    before = coarse.clone()
    logits = head.render(features, coarse, coarse.shape[-2:])
    assert torch.equal(coarse, before)
    assert not torch.equal(logits, before)


@pytest.mark.parametrize('chunk_size', [1, 7, 100, 24 * 32, 10**6])
@torch.no_grad()
def test_chunks_change_nothing(chunk_size, generator):
    head, features, coarse = build(), *maps(generator)
    whole = head.render(features, coarse, (24, 32))
    head.chunk_size = chunk_size
    torch.testing.assert_close(
        head.render(features, coarse, (24, 32)), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_max_points_are_exactly_so_many_the_same_and_spread(generator):
    sampler = dict(type='mmcrack.UncertainPointSampler', max_points=40)
    head, free = build(test_sampler=sampler), build()
    features, coarse = maps(generator)
    for h in (head, free):
        h.keep_rendering = True
        h.render(features, coarse, (24, 32))
    some, every = head.rendering['rendered'], free.rendering['rendered']
    assert some.flatten(1).sum(1).tolist() == [40, 40]
    assert not (some & ~every).any()
    for n in range(2):
        # Ranks of the chosen among all uncertain pixels, in raster order.
        rank = torch.nonzero(some[n][every[n]])[:, 0]
        step = int(every[n].sum()) / 40
        assert float((rank.diff() - step).abs().max()) < 1
    head.render(features, coarse, (24, 32))
    assert torch.equal(head.rendering['rendered'], some)


@torch.no_grad()
def test_one_warning_when_much_of_an_image_is_uncertain(
        monkeypatch, generator):
    said = []
    monkeypatch.setattr(point_samplers, 'print_log',
                        lambda message, **_: said.append(message))
    head = build()
    features, coarse = maps(generator)
    head.render(features, 100 * coarse, (24, 32))
    assert said == []
    for _ in range(3):
        head.render(features, 0 * coarse, (24, 32))
    assert len(said) == 1
    assert said[0].startswith('100 % of an image is uncertain')


def symmetric(head):
    """Make every 3 x 3 kernel its own mirror image."""
    for module in head.modules():
        if isinstance(module, torch.nn.Conv2d):
            weight = module.weight.data
            module.weight.data = (weight + weight.flip(-1)) / 2
    return head


@torch.no_grad()
def test_a_mirrored_image_has_the_mirrored_prediction(generator):
    head = symmetric(build())
    head.keep_rendering = True
    inputs = pyramid(generator)
    metas = [dict(img_shape=(48, 64))] * 2
    ahead = head.predict(inputs, metas, {})
    there = head.rendering['rendered']
    back = head.predict([x.flip(-1) for x in inputs], metas, {}).flip(-1)
    assert 0.05 < there.float().mean() < 0.95
    assert torch.equal(head.rendering['rendered'].flip(-1), there)
    torch.testing.assert_close(back, ahead, atol=1e-4, rtol=1e-4)


def test_the_coarse_logit_enters_every_layer_of_the_mlp(generator):
    mlp = build(num_fcs=3).point_mlp
    features, coarse = maps(generator, size=(5, 1))
    features, coarse = features[..., 0], coarse[..., 0]
    layers = [*mlp.fcs, mlp.fc_seg]
    assert [layer.in_channels for layer in layers] == [8, 10, 10, 10]
    weights = [layer.weight.detach().clone() for layer in layers]
    for alone in range(4):
        for i, (layer, weight) in enumerate(
                zip(layers, weights, strict=True)):
            layer.weight.data = weight.clone()
            if i != alone:
                layer.weight.data[:, -2:] = 0
        changed = mlp(features, coarse + 1) - mlp(features, coarse)
        assert float(changed.detach().abs().max()) > 1e-3, alone
    layers[3].weight.data[:, -2:] = 0
    assert torch.equal(mlp(features, coarse + 1), mlp(features, coarse))


def test_the_coarse_logit_can_be_left_to_the_first_layer():
    mlp = build(num_fcs=3, coarse_pred_each_layer=False).point_mlp
    assert [layer.in_channels
            for layer in (*mlp.fcs, mlp.fc_seg)] == [8, 8, 8, 8]


# --- losses -----------------------------------------------------------------


def test_losses_are_the_means_of_two_cross_entropies(
        generator, samples, crack_label):
    head, inputs, label = build(), pyramid(generator), crack_label()
    label[:, :, :9] = 255
    torch.manual_seed(3)
    losses = head.loss(inputs, samples(label), {})
    assert set(losses) == {
        'heat_loss_ce', 'acc_heat', 'point_loss_ce', 'acc_point'}
    features, coarse = head.dense(inputs)
    full = F.interpolate(
        coarse, (48, 64), mode='bilinear', align_corners=False)
    torch.testing.assert_close(
        losses['heat_loss_ce'],
        F.cross_entropy(full, label, ignore_index=255))
    torch.manual_seed(3)
    points = head.train_sampler(label)
    assert points.shape == (2, 48 * 64 // 20, 2)
    truth = label_at(label, points)
    assert not (truth == 255).any(), 'an ignored pixel was drawn'
    logits = head.predict_points(features, coarse, points)
    torch.testing.assert_close(
        losses['point_loss_ce'], F.cross_entropy(logits, truth))
    hits = (full.argmax(1) == label).sum() / (label != 255).sum()
    torch.testing.assert_close(losses['acc_heat'], 100 * hits)
    torch.testing.assert_close(
        losses['acc_point'],
        100 * (logits.argmax(1) == truth).float().mean())


def test_training_and_inference_predict_a_point_alike(generator):
    head, features, coarse = build(), *maps(generator)
    head.keep_rendering = True
    with torch.no_grad():
        logits = head.render(features, coarse, (24, 32))
        points = pixel_points(torch.arange(24 * 32), (24, 32))
        trained = head.predict_points(
            features, coarse, points[None].expand(2, -1, -1))
    again = head.rendering['rendered'][:, None].expand_as(logits)
    torch.testing.assert_close(
        trained.unflatten(2, (24, 32))[again], logits[again])


def test_the_points_teach_the_heat_map_and_all_below(
        generator, samples, crack_label):
    head = build()
    losses = head.loss(pyramid(generator), samples(crack_label()), {})
    losses['point_loss_ce'].backward()
    silent = [
        name for name, p in head.named_parameters()
        if p.grad is None or not p.grad.any()
    ]
    assert silent == []


def test_one_and_two_channels_are_one_network(
        generator, samples, crack_label):
    two = build()
    one = build(out_channels=1, threshold=.5, loss_decode=BCE)
    # p depends on z1 - z0 alone: so must the use of the coarse logits.
    state = two.state_dict()
    for key in state:
        if key.startswith('point_mlp') and key.endswith('weight'):
            state[key][:, -2] = -state[key][:, -1]
    two.load_state_dict(state)
    mine = {}
    for key, value in state.items():
        if key.startswith('point_mlp') and key.endswith('weight'):
            value = torch.cat([value[:, :-2], value[:, -1:]], dim=1)
        if 'seg' in key:
            value = value[1:] - value[:1]
        mine[key] = value
    one.load_state_dict(mine)
    inputs, label = pyramid(generator), crack_label()
    label[:, -5:] = 255
    metas = [dict(img_shape=(48, 64))] * 2
    with torch.no_grad():
        p1 = one.predict(inputs, metas, {})[:, 0].sigmoid()
        p2 = two.predict(inputs, metas, {}).softmax(1)[:, 1]
    torch.testing.assert_close(p1, p2, atol=1e-5, rtol=1e-5)
    losses = []
    for head in (one, two):
        torch.manual_seed(5)
        losses.append(head.loss(inputs, samples(label), {}))
    assert set(losses[0]) == set(losses[1])
    for key in losses[0]:
        torch.testing.assert_close(
            losses[0][key], losses[1][key], atol=1e-5, rtol=1e-5)


def test_a_crop_without_crack_teaches_background(generator, samples):
    head, inputs = build(), pyramid(generator, batch=1)
    label = torch.zeros(1, 48, 64, dtype=torch.long)
    torch.manual_seed(3)
    losses = head.loss(inputs, samples(label), {})
    torch.manual_seed(3)
    points = head.train_sampler(label)
    assert points.shape == (1, 153, 2)
    logits = head.predict_points(*head.dense(inputs), points)
    torch.testing.assert_close(
        losses['point_loss_ce'],
        F.softplus(logits[:, 1] - logits[:, 0]).mean())


def test_without_a_truth_the_losses_are_zero_and_keep_the_graph(
        generator, samples):
    head = build()
    label = torch.full((2, 48, 64), 255)
    losses = head.loss(pyramid(generator), samples(label), {})
    assert float(losses['heat_loss_ce'].detach()) == 0
    assert float(losses['point_loss_ce'].detach()) == 0
    assert float(losses['acc_heat']) == float(losses['acc_point']) == 0
    (losses['heat_loss_ce'] + losses['point_loss_ce']).backward()
    for name, p in head.named_parameters():
        assert p.grad is not None, name
        assert not p.grad.any(), name


def test_several_losses_on_map_and_points(generator, samples, crack_label):
    dice = dict(type='mmseg.DiceLoss', loss_weight=0.5)
    ce = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)
    inputs, label = pyramid(generator), samples(crack_label())
    head = build(loss_decode=[ce, dice], loss_point=ce)
    torch.manual_seed(3)
    both = head.loss(inputs, label, {})
    assert {k for k in both if 'loss' in k} == {
        'heat_loss_ce', 'heat_loss_dice', 'point_loss_ce'}
    head.loss_point.append(MODELS.build(dice))
    torch.manual_seed(3)
    more = head.loss(inputs, label, {})
    assert 0 < float(more['point_loss_dice'].detach()) < 0.5
    assert torch.equal(more['point_loss_ce'], both['point_loss_ce'])


# --- Set 1 of Table 1: no points --------------------------------------------


def test_without_a_sampler_it_is_a_dense_decoder(
        generator, samples, crack_label):
    head, inputs = build(train_sampler=None), pyramid(generator)
    assert not [n for n, _ in head.named_parameters() if 'point' in n]
    losses = head.loss(inputs, samples(crack_label()), {})
    assert set(losses) == {'heat_loss_ce', 'acc_heat'}
    head.keep_rendering = True
    with torch.no_grad():
        logits = head.predict(inputs, [dict(img_shape=(48, 64))], {})
        coarse = head.dense(inputs)[1]
    assert torch.equal(
        logits,
        F.interpolate(
            coarse, (48, 64), mode='bilinear', align_corners=False))
    assert not head.rendering['rendered'].any()


# --- classes and bad input --------------------------------------------------


@torch.no_grad()
def test_crack_among_three_classes(generator, samples, crack_label):
    head = build(num_classes=3, out_channels=3, crack_class=2)
    head.keep_rendering = True
    inputs, label = pyramid(generator), 2 * crack_label()
    label[:, :4] = 1
    head.predict(inputs, [dict(img_shape=(48, 64))], {})
    full = F.interpolate(
        head.dense(inputs)[1], (48, 64), mode='bilinear',
        align_corners=False)
    p = full.softmax(1)[:, 2]
    torch.testing.assert_close(head.rendering['heat_map'][:, 0], p)
    assert torch.equal(head.rendering['rendered'], (p > .3) & (p < .7))
    torch.manual_seed(3)
    loss = head.loss(inputs, samples(label), {})['point_loss_ce']
    torch.manual_seed(3)
    points = head.train_sampler(label, crack_class=2)
    logits = head.predict_points(*head.dense(inputs), points)
    torch.testing.assert_close(
        loss, F.cross_entropy(logits, label_at(label, points)))


@pytest.mark.parametrize(('wrong', 'message'), [
    (dict(chunk_size=0), 'chunk_size must be at least 1, got 0'),
    (dict(crack_class=2), 'one of the 2 classes .0 to 1., got 2'),
    (dict(num_classes=3, out_channels=1), 'out_channels=1 .sigmoid. is for'),
    (dict(input_transform=None), "must be 'multiple_select'"),
    (dict(in_channels=(4, ), with_edge=True), 'at least one backbone stage'),
    (dict(align_corners=True), 'align_corners must be False'),
    (dict(sampler=dict(type='OHEMPixelSampler')), 'takes no pixel sampler'),
])
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        build(**wrong)


def test_a_misspelt_argument_is_refused():
    with pytest.raises(TypeError, match='point_chanels'):
        build(point_chanels=8)
