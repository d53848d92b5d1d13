"""Topological loss: patches, its start on a real Runner, refusals."""

import copy
import itertools
import sys

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.utils.data import Dataset

from mmcrack.engine.checkpoint import install_safe_loading
from mmcrack.engine.runner import CrackRunner

NAMES = itertools.count()


def build(**options):
    return MODELS.build(dict(type='mmcrack.TopologicalLoss', **options))


def line(gap):
    """Probability of a line with a gap, as logits; the truth is whole."""
    prob = torch.full((1, 1, 7, 9), .05, dtype=torch.float64)
    prob[..., 3, 1:8] = .9
    label = (prob[:, 0] > .5).long()
    prob[..., 3, 4] = gap
    return torch.logit(prob), label


def test_value_of_a_gap():
    """0.6^2 / 2 for the pair and 0.1^2 for what never dies, times lambda."""
    assert build()(*line(.3)).item() == pytest.approx(.005 * .19)
    assert build(dimensions=(1, ))(*line(.3)).item() == 0


def test_patches_are_averaged_or_summed():
    logits, label = line(.3)
    wide, labels = logits.repeat(2, 1, 1, 2), label.repeat(2, 1, 2)
    for reduction, value in (('mean', .19), ('sum', 2 * .19)):
        # Patches of 9 x 9: each is a whole copy.
        loss = build(patch_size=9, reduction=reduction, loss_weight=1.)
        assert loss(wide, labels).item() == pytest.approx(value)


def test_constant_truth_can_count():
    """One image of noise on background: two dots of persistence 0.85."""
    logits, label = line(.05)
    options = dict(patch_size=9, loss_weight=1.)
    assert build(**options)(logits, 0 * label).item() == 0
    value = build(skip_constant=False, **options)(logits, 0 * label)
    assert value.item() == pytest.approx(.85**2 / 2)


def test_ignored_pixels_are_background_on_both_sides():
    """A gap below them is a gap of the truth: both parts should be sure.

    They meet around it, at 0.05, where a loop around the ignored pixel is
    born, which dies in that pixel of weight 0.
    """
    logits, label = line(.3)
    label[0, 3, 4] = 255
    value = build(loss_weight=1.)(logits, label)
    assert value.item() == pytest.approx(
        .1**2 + .05**2 + .05**2 / 2 / 2 + .1**2)


def test_descent_closes_a_gap():
    logits, label = line(.3)
    logits = logits.requires_grad_()
    loss = build(loss_weight=1.)
    optimiser = torch.optim.SGD([logits], lr=2.)
    for _ in range(60):
        optimiser.zero_grad()
        value = loss(logits, label)
        value.backward()
        optimiser.step()
    prob = logits.detach().sigmoid()[0, 0]
    assert prob[3, 1:8].min() > .6
    assert value.item() < .03
    # Nothing else is touched.
    torch.testing.assert_close(prob[0], torch.full((9, ), .05).double())


@pytest.mark.parametrize(('options', 'message'), [
    (dict(patch_size=1), 'patch_size must be at least 2'),
    (dict(start=-1), 'start must be a number of iterations'),
    (dict(start=1.5), 'start must be a number of iterations'),
    (dict(dimensions=(0, 2)), 'dimensions must be of 0'),
    (dict(dimensions=()), 'dimensions must be of 0'),
    (dict(reduction='none'), "reduction must be 'mean' or 'sum'")])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_without_gudhi_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, 'gudhi', None)
    with pytest.raises(ImportError, match=r'pip install gudhi.*topology'):
        build()


# --- the start ---------------------------------------------------------------


def test_without_a_runner_it_is_on(monkeypatch):
    hub = MessageHub('nobody_trains')
    monkeypatch.setattr(MessageHub, 'get_current_instance', lambda: hub)
    assert build(start=.5)(*line(.3)).item() == pytest.approx(.005 * .19)


@pytest.mark.parametrize(('start', 'iteration', 'begun'), [
    (.5, 4, False), (.5, 5, True), (3, 2, False), (3, 3, True),
    (0, 0, True), (.25, 2, True), (.25, 1, False)])
def test_first_iteration(start, iteration, begun, monkeypatch):
    hub = MessageHub('somebody_trains')
    hub.update_info('iter', iteration)
    hub.update_info('max_iters', 10)
    monkeypatch.setattr(MessageHub, 'get_current_instance', lambda: hub)
    logits, label = line(.3)
    logits = logits.requires_grad_()
    value = build(start=start)(logits, label)
    value.backward()
    assert (value.item() > 0) == begun
    assert bool(logits.grad.any()) == begun


@DATASETS.register_module(name='TwoCracks', force=True)
class TwoCracks(Dataset):
    """Two seeded images with a line each."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        draw = torch.Generator().manual_seed(index)
        image = torch.randint(0, 256, (3, 16, 16), generator=draw)
        label = torch.zeros(1, 16, 16, dtype=torch.long)
        label[:, 5 + index:8 + index, 2:14] = 1
        image[:, label[0] == 1] //= 4
        sample = SegDataSample(metainfo=dict(
            img_shape=(16, 16), ori_shape=(16, 16)))
        sample.gt_sem_seg = PixelData(data=label)
        return dict(inputs=image.byte(), data_samples=sample)


def train(work_dir, train_cfg, resume=None):
    """Train a small network; return what the loss was in each iteration."""
    init_default_scope('mmseg')
    install_safe_loading()
    cfg = dict(
        work_dir=str(work_dir),
        experiment_name=f'topology_{next(NAMES)}',
        default_scope='mmseg',
        model=dict(
            type='EncoderDecoder',
            data_preprocessor=dict(
                type='SegDataPreProcessor', mean=[128.] * 3, std=[64.] * 3,
                size=(16, 16), pad_val=0, seg_pad_val=255),
            backbone=dict(
                type='UNet', base_channels=2, num_stages=2, strides=(1, 1),
                enc_num_convs=(1, 1), dec_num_convs=(1, ),
                downsamples=(True, ), enc_dilations=(1, 1),
                dec_dilations=(1, )),
            decode_head=dict(
                type='FCNHead', in_channels=2, in_index=1, channels=2,
                num_convs=0, concat_input=False, num_classes=2,
                dropout_ratio=0.,
                loss_decode=[
                    dict(type='CrossEntropyLoss'),
                    dict(type='mmcrack.TopologicalLoss', start=.5)])),
        train_dataloader=dict(
            dataset=dict(type='TwoCracks'), batch_size=1, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True)),
        train_cfg=dict(train_cfg),
        optim_wrapper=dict(optimizer=dict(type='Adam', lr=1e-2)),
        default_hooks=dict(checkpoint=dict(
            type='CheckpointHook', interval=1,
            by_epoch='max_epochs' in train_cfg)),
        randomness=dict(seed=0),
        log_level='ERROR')
    if resume:
        cfg.update(load_from=str(resume), resume=True)
    runner = CrackRunner.from_cfg(copy.deepcopy(cfg))
    runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    seen, loss = [], runner.model.decode_head.loss_decode[1]
    loss.register_forward_hook(
        lambda module, args, value: seen.append(value.item()))
    runner.train()
    return seen


@pytest.mark.parametrize(('kind', 'length', 'file', 'per_step', 'stops'), [
    ('EpochBasedTrainLoop', 'max_epochs', 'epoch', 2, (2, 6)),
    ('IterBasedTrainLoop', 'max_iters', 'iter', 1, (5, ))])
def test_it_starts_at_its_share_also_after_a_resume(
        kind, length, file, per_step, stops, tmp_path):
    cfg = {'type': kind, length: 8 // per_step}
    whole = train(tmp_path, cfg)
    assert len(whole) == 8
    assert [value > 0 for value in whole] == [False] * 4 + [True] * 4
    for steps in stops:
        rest = train(tmp_path, cfg, tmp_path /
                     f'{file}_{steps // per_step}.pth')
        assert rest == pytest.approx(whole[steps:], rel=1e-4)
