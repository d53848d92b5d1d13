"""Schedules of another length against the learning rates that they give."""

import copy

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import OptimWrapper
from mmengine.registry import PARAM_SCHEDULERS

import mmcrack
from mmcrack.engine.budget import budget_options

EPOCHS = dict(type='EpochBasedTrainLoop', max_epochs=1000, val_interval=10)
ITERS = dict(type='IterBasedTrainLoop', max_iters=1600, val_interval=1600)
WARM_UP = [
    dict(type='LinearLR', start_factor=1e-3, begin=0, end=100, by_epoch=True,
         convert_to_iter_based=True),
    dict(type='PolyLR', power=0.9, begin=100, end=1000, by_epoch=True,
         convert_to_iter_based=True)]


def config(loop, schedulers, **more):
    return Config(dict(train_cfg=copy.deepcopy(loop), param_scheduler=[
        dict(s) for s in schedulers], **more))


def rates(cfg, epoch_length):
    """Return the learning rate of each iteration, as a training has it."""
    parameter = torch.nn.Parameter(torch.zeros(1))
    wrapper = OptimWrapper(torch.optim.SGD([parameter], lr=1.))
    by_epoch = 'max_epochs' in cfg.train_cfg
    total = cfg.train_cfg.get('max_iters') or (
        cfg.train_cfg.max_epochs * epoch_length)
    schedulers = []
    for part in cfg.param_scheduler:
        part = copy.deepcopy(part)
        if part.pop('convert_to_iter_based', False):
            cls = PARAM_SCHEDULERS.get(part.pop('type'))
            schedulers.append(cls.build_iter_from_epoch(
                optimizer=wrapper, epoch_length=epoch_length, **part))
        else:
            schedulers.append(PARAM_SCHEDULERS.build(
                ConfigDict(part), default_args=dict(optimizer=wrapper)))
    found = []
    for iteration in range(1, total + 1):
        found.append(wrapper.optimizer.param_groups[0]['lr'])
        wrapper.optimizer.step()
        for scheduler in schedulers:
            if not scheduler.by_epoch or (
                    by_epoch and iteration % epoch_length == 0):
                scheduler.step()
    return found


def rewritten(cfg, **budget):
    other = copy.deepcopy(cfg)
    other.merge_from_dict(budget_options(cfg, **budget))
    return other


def test_a_warm_up_shrinks_with_its_decay():
    cfg = config(EPOCHS, WARM_UP)
    assert budget_options(cfg, epochs=60) == {
        'train_cfg.max_epochs': 60,
        'train_cfg.val_interval': 1,
        'param_scheduler.0.end': pytest.approx(6),
        'param_scheduler.1.begin': pytest.approx(6),
        'param_scheduler.1.end': pytest.approx(60)}
    assert budget_options(cfg) == {}


SHAPES = dict(
    poly=[dict(type='PolyLR', power=.9, begin=0, end=1000, by_epoch=True)],
    poly_without_end=[dict(type='PolyLR', power=.9, end=1000,
                           convert_to_iter_based=True)],
    linear=WARM_UP,
    cosine=[dict(type='CosineAnnealingLR', T_max=1000, eta_min=.01,
                 by_epoch=True)],
    step=[dict(type='StepLR', step_size=250, gamma=.5, by_epoch=True)],
    step_by_iteration=[dict(type='StepLR', step_size=2500, gamma=.5,
                            by_epoch=False)],
    milestones=[dict(type='MultiStepLR', milestones=[300, 800], gamma=.1,
                     by_epoch=True)],
    milestones_by_iteration=[dict(
        type='MultiStepLR', milestones=[3000, 8000], gamma=.1,
        by_epoch=False)],
    constant=[dict(type='ConstantLR', factor=.1, begin=0, end=200,
                   by_epoch=True)],
    exponential=[dict(type='ExponentialLR', gamma=.99, by_epoch=True)],
    mixed=[dict(type='LinearLR', start_factor=.1, begin=0, end=500,
                by_epoch=False),
           dict(type='CosineAnnealingLR', T_max=900, begin=100, end=1000,
                by_epoch=True)])


@pytest.mark.parametrize('name', SHAPES)
def test_learning_rates_keep_their_shape_over_epochs(name):
    cfg = config(EPOCHS, SHAPES[name])
    long = torch.tensor(rates(cfg, 10))
    short = torch.tensor(rates(rewritten(cfg, epochs=200, epoch_length=10),
                               10))
    assert len(short) == 2000
    # The same place in the training has the same rate, up to a step.
    places = torch.arange(2000) * 5
    near = torch.stack([long[(places + shift).clamp(0, 9999)]
                        for shift in range(-60, 61)])
    assert (short >= near.min(0).values - 1e-3).all()
    assert (short <= near.max(0).values + 1e-3).all()
    assert short.max() == pytest.approx(float(long.max()), abs=.02)
    assert short[-1] == pytest.approx(float(long[-1]), abs=.01)


@pytest.mark.parametrize('kind', [
    dict(type='PolyLR', power=.9, begin=0, end=1600),
    dict(type='CosineAnnealingLR', T_max=1600),
    dict(type='StepLR', step_size=400, gamma=.5),
    dict(type='MultiStepLR', milestones=[400, 1200], gamma=.1),
    dict(type='ConstantLR', factor=.1, begin=0, end=400),
    dict(type='LinearLR', start_factor=.01, begin=0, end=400)],
    ids=lambda kind: kind['type'])
def test_learning_rates_keep_their_shape_over_iterations(kind):
    cfg = config(ITERS, [dict(kind, by_epoch=False)])
    long = rates(cfg, 1)
    short = rates(rewritten(cfg, max_iters=400), 1)
    assert len(short) == 400
    for place, rate in enumerate(short[:-1]):
        near = long[max(0, 4 * place - 4):4 * place + 5]
        assert min(near) - 1e-6 <= rate <= max(near) + 1e-6


def test_the_minis_schedule_is_as_written_by_hand():
    cfg = config(
        ITERS, [dict(type='PolyLR', power=.9, begin=0, end=1600,
                     by_epoch=False)],
        default_hooks=dict(checkpoint=dict(
            type='CheckpointHook', by_epoch=False, interval=800)),
        custom_hooks=[dict(type='mmcrack.ChannelsLastHook'),
                      dict(type='mmcrack.TwoPhaseHook', switch_at=800,
                           by_epoch=False)])
    assert budget_options(cfg, max_iters=2) == {
        'train_cfg.max_iters': 2, 'train_cfg.val_interval': 2,
        'default_hooks.checkpoint.interval': 1,
        'param_scheduler.0.end': 2, 'custom_hooks.1.switch_at': 1}


@pytest.mark.parametrize(('hook', 'place'), [
    (dict(), 30), (dict(switch_at=500), 15), (dict(switch_at=2000.), 60),
    (dict(switch_at=0), 0), (dict(switch_at=1), 1),
    (dict(switch_at=1999), 59), (dict(switch_at=.25), None)])
def test_the_switch_moves_with_the_length(hook, place):
    cfg = config(dict(EPOCHS, max_epochs=2000), [], custom_hooks=[
        dict(type='mmcrack.TwoPhaseHook', **hook)])
    options = budget_options(cfg, epochs=60)
    assert options.get('custom_hooks.0.switch_at') == place


def test_parts_of_a_schedule_never_fall_together():
    parts = [dict(type='LinearLR', start_factor=.01, begin=0, end=1,
                  by_epoch=True, convert_to_iter_based=True),
             dict(type='PolyLR', begin=1, end=44, by_epoch=True,
                  convert_to_iter_based=True)]
    cfg = config(dict(EPOCHS, max_epochs=44), parts)
    # A 44th of an epoch of 8 iterations is none; two are the least.
    short = rates(rewritten(cfg, epochs=1, epoch_length=8), 8)
    assert short[:3] == pytest.approx([.01, 1., 1.], abs=.2)
    assert short == pytest.approx(
        [.01, 1., *(1 - k / 5 for k in range(6))], abs=.2)
    whole = [dict(p, convert_to_iter_based=False) for p in parts]
    whole[0].update(end=4)
    whole[1].update(begin=4)
    options = budget_options(config(dict(EPOCHS, max_epochs=44), whole),
                             epochs=4)
    assert options['param_scheduler.0.end'] == 2
    assert options['param_scheduler.1.begin'] == 2
    assert options['param_scheduler.1.end'] == 4


@pytest.mark.parametrize(('cfg', 'budget', 'words'), [
    (config(EPOCHS, []), dict(max_iters=5),
     r'counts epochs \(max_epochs=1000\).*give --epochs'),
    (config(ITERS, []), dict(epochs=5),
     r'counts iterations \(max_iters=1600\).*give --max-iters'),
    (config(EPOCHS, []), dict(epochs=0), 'at least 1'),
    (config(EPOCHS, [dict(type='LinearLR', begin=0, end=100),
                     dict(type='PolyLR', begin=100, end=1000)]),
     dict(epochs=1), 'budget of 1 epochs is too short for the 2 schedulers'),
    (config(dict(EPOCHS, max_epochs=2000), [],
            custom_hooks=[dict(type='mmcrack.TwoPhaseHook')]),
     dict(epochs=1), 'no room for two phases'),
    (config(EPOCHS, [dict(type='ReduceOnPlateauLR')]), dict(epochs=5),
     "cannot rewrite param_scheduler.type='ReduceOnPlateauLR'"),
    (config(EPOCHS, [dict(type='PolyLR', end=1000, wamup=3)]),
     dict(epochs=5), "'wamup' of PolyLR"),
    (config(dict(type='MyLoop'), []), dict(epochs=5), "got 'MyLoop'")])
def test_budgets_that_cannot_be(cfg, budget, words):
    with pytest.raises(ValueError, match=words):
        budget_options(cfg, **budget)


@pytest.mark.parametrize('name', [
    'cbprn/cbprn_r50_lr', 'cbprn/cbprn_r50_hr', 'cirl/cirl_unet_deepcrack',
    'cirl/cirl_unet_drive_mini', 'demo/cbprn_demo', 'demo/cirl_demo'])
def test_real_configs_train_at_another_length(name):
    cfg = Config.fromfile(mmcrack.config_path(name))
    short = rewritten(cfg, epochs=8, max_iters=40, epoch_length=10)
    found = rates(short, 10)
    assert len(found) == 80 if 'max_epochs' in cfg.train_cfg else 40
    assert max(found) == pytest.approx(1., abs=.15)
