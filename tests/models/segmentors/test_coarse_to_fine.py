"""CoarseToFineSegmentor: the coarse network's view, and its refinement."""

import copy
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmengine.evaluator import Evaluator
from tiny_coarse_to_fine import (
    PREPROCESSOR,
    build,
    coarse_config,
    collated,
    decide,
    photograph,
    whole_config,
)

from mmcrack.evaluation.metrics import BoundaryAccuracyMetric, CrackMetric
from mmcrack.functional.points import label_at
from mmcrack.models.decode_heads import point_rend_head
from mmcrack.models.segmentors.frames import placed, resized, with_channels
from mmcrack.registry import MODELS


@pytest.fixture
def spy(monkeypatch):
    """Function that records (H, W) of all that a coarse network sees."""

    def watch(model):
        sizes = []
        inference = model.coarse.inference

        def seen(images, metas):
            sizes.append((len(images), *images.shape[-2:]))
            return inference(images, metas)

        monkeypatch.setattr(model.coarse, 'inference', seen)
        return sizes

    return watch


@pytest.fixture
def _no_points(monkeypatch):
    """Let every point be certain."""
    monkeypatch.setattr(
        point_rend_head, 'most_uncertain_pixels',
        lambda logits, n: torch.zeros(len(logits), 0, dtype=torch.long))
    monkeypatch.setattr(
        point_rend_head.PointRendHead, 'predict_points',
        lambda self, features, coarse, points: coarse.flatten(2)[..., :0])


# --- what the coarse network sees -------------------------------------------


@pytest.mark.parametrize(('size', 'edge', 'divisor', 'expected'), [
    ((600, 1800), 900, 2, (300, 900)),
    ((600, 1800), 900, 16, (304, 912)),
    ((1801, 603), 900, 1, (900, 301)),
    ((96, 70), 900, 2, (96, 70)),
    ((96, 70), None, 2, (96, 70)),
    ((96, 70), 48, 2, (48, 36)),
])
def test_long_edge(size, edge, divisor, expected, spy, monkeypatch):
    model = build(
        coarse=coarse_config(divisor=divisor), coarse_long_edge=edge)
    sizes = spy(model)
    if divisor == 1:  # odd sizes are no matter of this network
        monkeypatch.setattr(
            model.coarse, 'encode_decode', lambda x, metas: x[:, :2])
    data = model.data_preprocessor(collated(photograph(*size)))
    assert data['inputs'].shape[-1] % 32 == 0
    maps = model.coarse_maps(
        data['inputs'], [s.metainfo for s in data['data_samples']])
    assert sizes == [(1, *expected)]
    unpadded = size
    if edge and max(size) > edge:
        unpadded = [int(side * edge / max(size) + .5) for side in size]
    assert maps[0].shape[-2:] == tuple(unpadded)


@torch.no_grad()
def test_its_prediction_is_that_of_the_network_alone():
    """Other normalisation, channel order and padding of the whole."""
    model = build(
        data_preprocessor=dict(
            PREPROCESSOR, mean=[90.], std=[70.], bgr_to_rgb=False))
    alone = MODELS.build(ConfigDict(coarse_config()))
    alone.load_state_dict(model.coarse.state_dict())
    alone.eval()
    batch = collated(photograph(45, 70))
    expected = alone.test_step(copy.deepcopy(batch))[0]
    found = model.test_step(batch)[0]
    assert found.coarse_seg_logits.shape == (45, 70)
    torch.testing.assert_close(
        found.coarse_seg_logits.data, expected.seg_logits.data,
        atol=1e-4, rtol=1e-4)


def test_crops_are_reduced_by_their_photograph_s_factor(spy):
    items = [photograph(32, 32, 0, ori_shape=(100, 1800)),
             photograph(32, 32, 1, ori_shape=(3600, 50)),
             photograph(32, 32, 2, ori_shape=(40, 60)),
             photograph(32, 32, 3, ori_shape=(50, 900),
                        scale_factor=(2., 2.))]
    for scale, expected in (
            ('photograph', [(2, 16, 16), (1, 8, 8), (1, 32, 32)]),
            ('crop', [(4, 32, 32)])):
        model = build(coarse_train_scale=scale)
        sizes = spy(model)
        data = model.data_preprocessor(collated(*items), True)
        model.loss(**data)
        assert sizes == expected


@torch.no_grad()
def test_groups_keep_their_images_apart():
    model = build(coarse_long_edge=32)
    x = torch.randn(3, 3, 32, 32)
    metas = [dict()] * 3
    maps = model.coarse_maps(x, metas, [32, 64, 32])
    for n, edge in enumerate([32, 64, 32]):
        single, = model.coarse_maps(x[n:n + 1], metas[:1], [edge])
        torch.testing.assert_close(maps[n], single)


# --- from one frame to another ----------------------------------------------


def ramp(size):
    """The column of each pixel's centre, and the row, in [0, 1]."""
    y = (torch.arange(size[0]) + .5) / size[0]
    x = (torch.arange(size[1]) + .5) / size[1]
    return torch.stack(torch.meshgrid(x, y, indexing='xy'))[None]


@pytest.mark.parametrize('inside', [(40, 50), (45, 53), (64, 64)])
@pytest.mark.parametrize('coarse', [(90, 100), (9, 12)])
def test_a_map_lies_in_its_part_of_the_grid(inside, coarse):
    frame, grid = (64, 64), (16, 16)
    box = (0, inside[0], 0, inside[1])
    found = placed(ramp(coarse), box, frame, grid)
    scale = torch.tensor([frame[1] / inside[1], frame[0] / inside[0]])
    expected = ramp(grid) * scale[:, None, None]
    # At its own border a map is constant for half a pixel.
    safe = ((expected > .1) & (expected < .9)).all(1)
    error = (found - expected).abs().amax(1)
    assert safe.sum() > 60
    # The filter against aliasing is sampled: it moves a map by up to a
    # hundredth of a cell.
    shrinks = coarse[0] > grid[0]
    assert error[safe].max() < (.01 / grid[0] if shrinks else 1e-5)
    assert (found <= 1).all()


def test_what_is_reduced_is_not_lost_between_pixels():
    line = torch.zeros(1, 1, 64, 64)
    line[..., 30] = 1
    assert resized(line, (16, 16)).sum() == pytest.approx(16 / 4, rel=.02)
    plain = F.interpolate(line, (16, 16), mode='bilinear')
    assert plain.sum() in (0, 8)


def test_one_channel_and_two_say_the_same(generator):
    z = torch.randn(2, 1, 5, 4, generator=generator)
    two = with_channels(z, 2)
    torch.testing.assert_close(two.softmax(1)[:, 1:], z.sigmoid())
    torch.testing.assert_close(with_channels(two - 3, 1), z)
    assert with_channels(z, 1) is z


# --- refinement -------------------------------------------------------------


@pytest.mark.usefixtures('_no_points')
@pytest.mark.parametrize('size', [(64, 96), (45, 70)])
@torch.no_grad()
def test_without_points_the_coarse_map_is_resized(size):
    model = build(coarse_long_edge=32)
    found = model.test_step(collated(photograph(*size)))[0]
    data = model.data_preprocessor(collated(photograph(*size)))
    meta = data['data_samples'][0].metainfo
    frame = data['inputs'].shape[-2:]
    maps = model.coarse_maps(data['inputs'], [meta])
    expected = placed(maps[0], (0, size[0], 0, size[1]), frame,
                      (frame[0] // 4, frame[1] // 4))
    for _ in range(2):
        expected = F.interpolate(
            expected, scale_factor=2, mode='bilinear', align_corners=False)
    torch.testing.assert_close(
        found.seg_logits.data, expected[0, :, :size[0], :size[1]])


@pytest.mark.parametrize('out_channels', [1, 2])
@torch.no_grad()
def test_an_oracle_mends_the_pixels_that_it_is_asked_for(
        out_channels, monkeypatch):
    model = build(out_channels, coarse_long_edge=32)
    item = photograph(64, 96)
    truth = item['data_samples'].gt_sem_seg.data
    asked = []

    def oracle(features, coarse, points):
        asked.append(points)
        crack = 20. * label_at(truth, points)[:, None] - 10
        return crack if out_channels == 1 else torch.cat([-crack, crack], 1)

    monkeypatch.setattr(model.decode_head, 'predict_points', oracle)
    few = model.test_step(collated(item))[0]
    assert [p.shape[1] for p in asked] == [40, 40]
    x, y = (asked[1][0] * torch.tensor([96, 64])).long().unbind(-1)
    assert torch.equal(few.pred_sem_seg.data[0, y, x].long(), truth[0, y, x])
    before = (few.coarse_sem_seg.data != truth).sum()
    assert before > 200
    model.decode_head.subdivision_num_points = 10**6
    every = model.test_step(collated(item))[0]
    assert torch.equal(every.pred_sem_seg.data.long(), truth)
    assert (every.coarse_sem_seg.data != truth).sum() == before


@pytest.mark.usefixtures('_no_points')
@pytest.mark.parametrize('coarse_channels', [1, 2])
@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize('size', [(64, 96), (45, 71)])
@torch.no_grad()
def test_channels_may_differ(coarse_channels, out_channels, size,
                             monkeypatch):
    model = build(out_channels, coarse_config(coarse_channels))
    found = model.test_step(collated(photograph(*size)))[0]
    assert len(found.seg_logits.data) == out_channels
    assert len(found.coarse_seg_logits.data) == coarse_channels
    # A constant map stays itself on every way.
    monkeypatch.setattr(
        model.coarse, 'inference', lambda x, metas: torch.tensor(
            [-1., 1.][2 - coarse_channels:]).view(1, -1, 1, 1).expand(
                len(x), -1, *x.shape[-2:]))
    found = model.test_step(collated(photograph(*size)))[0]
    chance = torch.tensor(2. if coarse_channels == 2 else 1.).sigmoid()
    for logits in (found.seg_logits.data, found.coarse_seg_logits.data):
        prob = logits[0] if len(logits) == 1 else logits.softmax(0)[1]
        torch.testing.assert_close(prob, chance.expand(size))
    assert found.pred_sem_seg.data.all()
    assert found.coarse_sem_seg.data.all()


@torch.no_grad()
def test_figures_before_and_after_are_those_of_two_evaluations():
    model = build(coarse_long_edge=40)
    items = [photograph(45, 70, seed) for seed in range(3)]

    def evaluate(results, *metrics):
        evaluator = Evaluator(list(metrics))
        evaluator.dataset_meta = dict(classes=('background', 'crack'))
        evaluator.process(results)
        return evaluator.evaluate(len(results))

    both = [model.test_step(collated(item))[0] for item in items]
    step = dict(prediction='coarse_sem_seg', prefix='coarse')
    found = evaluate(
        both, CrackMetric(), BoundaryAccuracyMetric(), CrackMetric(**step),
        BoundaryAccuracyMetric(**step))
    before = [copy.deepcopy(sample) for sample in both]
    for sample in before:
        sample.pred_sem_seg = sample.coarse_sem_seg
    for prefix, results in (('crack', both), ('coarse', before)):
        alone = evaluate(results, CrackMetric(), BoundaryAccuracyMetric())
        for key, value in alone.items():
            assert found[key.replace('crack/', f'{prefix}/')] == value
    assert len(found) == 2 * len(alone)
    assert found['crack/IoU'] != found['coarse/IoU']


@pytest.mark.parametrize('channels', [1, 2])
@torch.no_grad()
def test_augmented_views_are_averaged_before_and_after(channels):
    model = build(channels, coarse_config(channels))
    tta = MODELS.build(dict(
        type='mmcrack.CoarseToFineTTAModel', module=model))
    item = photograph(64, 96)
    flipped = copy.deepcopy(item)
    flipped['inputs'] = flipped['inputs'].flip(-1)
    flipped['data_samples'].set_metainfo(
        dict(flip=True, flip_direction='horizontal'))
    views = [collated(item), collated(flipped)]
    single = [model.test_step(copy.deepcopy(view))[0] for view in views]
    expected = {}
    for name, logits, head in (
            ('pred_sem_seg', 'seg_logits', model.decode_head),
            ('coarse_sem_seg', 'coarse_seg_logits',
             model.coarse.decode_head)):
        maps = [getattr(s, logits).data for s in single]
        prob = sum(m if channels == 1 else m.softmax(0)[1:] for m in maps) / 2
        if channels == 1:
            head.threshold = float(prob.median())
        expected[name] = prob > (head.threshold or .5)
    found = tta.test_step(dict(
        inputs=[[v['inputs'][0]] for v in views],
        data_samples=[v['data_samples'] for v in views]))[0]
    for name, mask in expected.items():
        assert 0 < mask.float().mean() < 1
        assert torch.equal(found.get(name).data.bool(), mask)


def test_bfloat16(generator):
    model = build(coarse_long_edge=40)
    data = model.data_preprocessor(collated(photograph(64, 64)), True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss, _ = model.parse_losses(model.loss(**data))
        half = model.test_step(collated(photograph(64, 64)))[0]
    assert loss.isfinite()
    loss.backward()
    full = model.test_step(collated(photograph(64, 64)))[0]
    difference = half.coarse_seg_logits.data - full.coarse_seg_logits.data
    assert difference.abs().max() < .1
    assert half.seg_logits.data.isfinite().all()


def test_tensor_mode_is_predict_without_the_rest():
    model = build()
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        tensor, results = model(x), model(x, mode='predict')
    assert torch.equal(tensor[1], results[1].seg_logits.data)


def test_a_real_photograph(hr_concrete_root):
    """A photograph at a seventh of its size, odd."""
    path = sorted((hr_concrete_root / 'images' / 'test').iterdir())[0]
    picture = cv2.imread(os.fspath(path), cv2.IMREAD_REDUCED_COLOR_8)
    height, width = picture.shape[:2]
    picture = picture[:height - 1 + height % 2, :width - 1 + width % 2]
    item = photograph(*picture.shape[:2])
    item['inputs'] = torch.from_numpy(
        np.ascontiguousarray(picture.transpose(2, 0, 1)))
    model = build(coarse_long_edge=300)
    with torch.no_grad():
        found = model.test_step(collated(item))[0]
    changed = found.pred_sem_seg.data != found.coarse_sem_seg.data
    assert found.pred_sem_seg.shape == picture.shape[:2]
    assert 0 < changed.float().mean() < .2
    assert Path(path).is_file()


# --- what does not fit ------------------------------------------------------


@pytest.mark.parametrize(('changes', 'error', 'message'), [
    (dict(test_cfg=dict(mode='slide')), ValueError,
     "predicts whole images .* got mode 'slide'"),
    (dict(coarse_long_edge=0), ValueError, 'at least 1 pixel, or None'),
    (dict(coarse_train_scale='image'), ValueError, "'photograph' or 'crop'"),
    (dict(coarse=coarse_config()['decode_head']), TypeError,
     'must be the config of a segmentor, got one of FCNHead'),
    (dict(head=dict(num_classes=3, out_channels=3)), ValueError,
     'the same num_classes, got 2 and 3'),
    (dict(head=dict(heat_channels=8)), ValueError,
     'makes no coarse map, so leave out heat_channels'),
    (dict(head=dict(type='mmcrack.PointRendHead')), TypeError,
     'PointRefinementHead\\), got PointRendHead'),
])
def test_wrong_arguments(changes, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(whole_config(**changes))


@pytest.mark.parametrize(('path', 'error', 'message'), [
    (None, ValueError, 'set model.coarse_checkpoint to a checkpoint of it'),
    ('nowhere/*.pth', FileNotFoundError,
     "no checkpoint matches 'nowhere/\\*.pth'; train the coarse network"),
])
def test_no_weights_at_all(path, error, message):
    model = MODELS.build(whole_config(
        random_coarse=False, coarse_checkpoint=path))
    model.init_weights()
    decide(model)
    data = model.data_preprocessor(collated(photograph(32, 32)), True)
    for call in (lambda: model(**data, mode='loss'),
                 lambda: model.test_step(collated(photograph(32, 32))),
                 lambda: model(torch.zeros(1, 3, 32, 32))):
        with pytest.raises(error, match=message):
            call()
