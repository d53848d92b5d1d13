"""PointRend: against a slow subdivision, and against mmseg's PointHead."""

import importlib.util
from pathlib import Path

import mmcv
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmseg.models.decode_heads import point_head
from oracles import bilinear_at, shared_mlp, subdivide

from mmcrack.functional.points import label_at
from mmcrack.registry import MODELS

CE = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)


def build(**kwargs):
    """Build a small head whose MLP has made up its mind."""
    cfg = dict(
        in_channels=[4, 8],
        channels=6,
        context_channels=6,
        detail_channels=4,
        heat_channels=6,
        point_channels=8,
        out_channels=2,
        loss_decode=CE)
    cfg.update(kwargs)
    head = MODELS.build(dict(type='mmcrack.PointRendHead', **cfg))
    torch.nn.init.normal_(head.point_mlp.fc_seg.weight, std=0.7)
    return head.eval()


def maps(generator, batch=2, size=(6, 8), channels=6, out_channels=2):
    """A fine-grained feature map and a coarse prediction."""
    features = torch.randn(batch, channels, *size, generator=generator)
    coarse = torch.randn(batch, out_channels, *size, generator=generator)
    return features, coarse


def slow_point(head, features, coarse):
    """Function (x, y) -> logits; beyond the outer pixel centres lie zeros."""
    layers = [(layer.weight[..., 0].detach().double().numpy(),
               layer.bias.detach().double().numpy())
              for layer in (*head.point_mlp.fcs, head.point_mlp.fc_seg)]

    def predict(x, y):
        feature, logit = ([bilinear_at(c, x, y, border=False) for c in t]
                          for t in (features, coarse))
        return shared_mlp(layers, feature, logit)

    return predict


# --- subdivision ------------------------------------------------------------


@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize(('steps', 'factor', 'num_points'), [
    (1, 2, 20), (2, 2, 50), (2, 3, 30), (1, 2, 10**6)])
@torch.no_grad()
def test_inference_equals_the_slow_subdivision(
        out_channels, steps, factor, num_points, generator):
    head = build(
        out_channels=out_channels,
        threshold=.5,
        subdivision_steps=steps,
        subdivision_num_points=num_points,
        scale_factor=factor)
    features, coarse = maps(generator, out_channels=out_channels, size=(4, 5))
    side = factor**steps
    logits = head.render(features, coarse, (4 * side, 5 * side))
    for n in range(2):
        expected = subdivide(coarse[n].numpy(),
                             slow_point(head, features[n], coarse[n]),
                             steps, num_points, factor)
        torch.testing.assert_close(
            logits[n], torch.from_numpy(expected).float(),
            atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_another_size_is_the_subdivided_map_resized(generator):
    head = build(subdivision_num_points=40)
    features, coarse = maps(generator)
    own = head.render(features, coarse, (24, 32))
    odd = head.render(features, coarse, (37, 29))
    torch.testing.assert_close(
        odd,
        F.interpolate(own, (37, 29), mode='bilinear', align_corners=False))


@torch.no_grad()
def test_what_was_rendered_is_kept_for_pictures(generator):
    head = build(subdivision_num_points=30, subdivision_steps=1)
    head.keep_rendering = True
    features, coarse = maps(generator)
    logits = head.render(features, coarse, (12, 16))
    marks = head.rendering['rendered']
    assert marks.flatten(1).sum(1).tolist() == [30, 30]
    full = F.interpolate(
        coarse, (12, 16), mode='bilinear', align_corners=False)
    same = (logits == full).all(1)
    assert torch.equal(same, ~marks)
    torch.testing.assert_close(
        head.rendering['heat_map'][:, 0], full.softmax(1)[:, 1])


# --- training ---------------------------------------------------------------


def test_losses_of_map_and_points_through_one_path(
        generator, samples, crack_label, monkeypatch):
    head = build()
    inputs = [
        torch.randn(2, 4, 12, 16, generator=generator),
        torch.randn(2, 8, 6, 8, generator=generator)
    ]
    label = crack_label()
    label[:, :9] = 255
    seen = []
    predict_points = head.predict_points

    def spy(features, coarse, points):
        seen.append(points)
        return predict_points(features, coarse, points)

    monkeypatch.setattr(head, 'predict_points', spy)
    losses = head.loss(inputs, samples(label), {})
    assert [p.shape for p in seen] == [(2, 48 * 64 // 20, 2)]
    features, coarse = head.dense(inputs)
    truth = label_at(label, seen[0])
    assert (truth == 255).any(), 'the case is too easy'
    torch.testing.assert_close(
        losses['point_loss_ce'],
        F.cross_entropy(
            predict_points(features, coarse, seen[0]), truth,
            ignore_index=255))
    full = F.interpolate(
        coarse, (48, 64), mode='bilinear', align_corners=False)
    torch.testing.assert_close(
        losses['heat_loss_ce'],
        F.cross_entropy(full, label, ignore_index=255))
    with torch.no_grad():
        head.predict(inputs, [dict(img_shape=(48, 64))], {})
    assert [p.shape[1] for p in seen[1:]] == [24 * 32, 48 * 64]


@pytest.mark.parametrize(('wrong', 'message'), [
    (dict(subdivision_steps=0), 'subdivision_steps >= 1'),
    (dict(subdivision_num_points=0), 'subdivision_num_points >= 1'),
    (dict(scale_factor=1), 'scale_factor >= 2, got 2, 8196 and 1'),
    (dict(train_sampler=None), 'PointRendHead needs a train_sampler'),
])
def test_wrong_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        build(**wrong)


# --- mmseg's PointHead ------------------------------------------------------


@pytest.fixture(params=['compiled', 'plain'])
def _their_point_sample(request, monkeypatch):
    """Give mmseg's PointHead mmcv's ``point_sample``.

    Importing it the usual way takes compiled ops, though the file itself is
    plain torch: 'plain' loads that file alone.
    """
    if request.param == 'compiled':
        if point_head.point_sample is None:
            pytest.skip('mmcv was built without compiled ops')
        return
    path = Path(mmcv.__file__).parent / 'ops' / 'point_sample.py'
    if not path.is_file():
        pytest.skip('this mmcv has no point_sample.py')
    spec = importlib.util.spec_from_file_location('point_sample_alone', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(point_head, 'point_sample', module.point_sample)


def pair(num_classes=2, **kwargs):
    """Our head and mmseg's with its weights."""
    ours = build(
        num_classes=num_classes, out_channels=num_classes, **kwargs)
    theirs = point_head.PointHead(
        in_channels=[6],
        in_index=[0],
        channels=8,
        num_fcs=3,
        num_classes=num_classes,
        out_channels=num_classes,
        dropout_ratio=0.,
        coarse_pred_each_layer=kwargs.get('coarse_pred_each_layer', True),
        loss_decode=CE).eval()
    theirs.load_state_dict({
        name.replace('.weight', '.conv.weight').replace(
            '.bias', '.conv.bias') if 'fcs' in name else name: value
        for name, value in ours.point_mlp.state_dict().items()
    })
    return ours, theirs


@pytest.mark.usefixtures('_their_point_sample')
@pytest.mark.parametrize('num_classes', [2, 3])
@pytest.mark.parametrize('each_layer', [True, False])
@pytest.mark.parametrize('size', [(24, 32), (47, 61)])
@torch.no_grad()
def test_inference_equals_mmseg_s(num_classes, each_layer, size, generator):
    ours, theirs = pair(
        num_classes,
        coarse_pred_each_layer=each_layer,
        subdivision_num_points=50)
    features, coarse = maps(generator, out_channels=num_classes)
    expected = theirs.predict(
        [features], coarse, [dict(img_shape=size, pad_shape=size)] * 2,
        ConfigDict(
            subdivision_steps=2, subdivision_num_points=50, scale_factor=2))
    torch.testing.assert_close(
        ours.render(features, coarse, size), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures('_their_point_sample')
@pytest.mark.parametrize('num_points', [1, 7, 200])
def test_training_equals_mmseg_s(
        num_points, generator, samples, crack_label, monkeypatch):
    ours, theirs = pair(
        train_sampler=dict(
            type='mmcrack.ImportancePointSampler', num_points=num_points))
    features, coarse = maps(generator, size=(12, 16))
    label = crack_label()
    label[:, :5] = 255
    monkeypatch.setattr(ours, 'dense', lambda inputs: (features, coarse))
    torch.manual_seed(11)
    mine = ours.loss([features], samples(label), {})
    torch.manual_seed(11)
    yours = theirs.loss(
        [features], coarse, samples(label),
        ConfigDict(
            num_points=num_points,
            oversample_ratio=3,
            importance_sample_ratio=0.75))
    loss, expected = mine['point_loss_ce'], yours['pointloss_ce']
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(
        mine['acc_point'].view(1), yours['acc_point'].view(1))
    loss.backward()
    expected.backward()
    for a, b in zip(ours.point_mlp.parameters(), theirs.parameters(),
                    strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-6, rtol=1e-5)
