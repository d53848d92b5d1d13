"""A checkpoint of another model never passes for this one's."""

import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseTTAModel
from torch import nn

from mmcrack.engine.checkpoint import CheckpointError
from mmcrack.engine.hooks import CheckpointGuardHook, checkpoint_guard_hook


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(
        checkpoint_guard_hook, 'print_log',
        lambda text, logger, level: lines.append((level, text)))
    return lines


def network(width=2):
    return nn.Sequential(nn.Linear(3, width), nn.Linear(width, 1))


def check(model, state, mode='complete'):
    CheckpointGuardHook(mode=mode).after_load_checkpoint(
        SimpleNamespace(model=model), dict(state_dict=state))


def weights(width=2, value=7.):
    return {k: torch.full_like(v, value)
            for k, v in network(width).state_dict().items()}


@pytest.mark.parametrize('mode', ['complete', 'partial'])
def test_own_checkpoint_is_taken_over(said, mode):
    model = network()
    check(model, weights(), mode)
    assert all((p == 7).all() for p in model.parameters())
    assert said == []


@pytest.mark.parametrize('mode', ['complete', 'partial'])
def test_none_of_the_parameters(mode):
    with pytest.raises(CheckpointError) as error:
        check(network(), {'x': torch.ones(1)}, mode)
    assert 'none of the 4 parameters of this one fits' in str(error.value)
    assert '1 not in the model (x)' in str(error.value)
    assert '\n' not in str(error.value)


def test_a_part_is_enough_for_fine_tuning_alone(said):
    state = weights()
    del state['1.bias']
    with pytest.raises(CheckpointError, match='1 missing'):
        check(network(), state)
    assert said == []
    check(network(), state, 'partial')
    assert said == [(logging.WARNING, 'Of 4 parameters 3 were taken from '
                     'the checkpoint: 1 missing (1.bias).')]


def test_another_width(said):
    with pytest.raises(CheckpointError) as error:
        check(network(4), weights(2))
    assert 'of its 4 parameters 3 of another shape (0.weight: wanted ' \
        '(4, 3), got (2, 3)' in str(error.value)
    model = network(4)
    check(model, weights(2), 'partial')
    assert model[1].bias.item() == 7
    assert 'Of 4 parameters 1 were taken' in said[0][1]


def test_more_than_the_model_needs_is_only_said(said):
    """Such as the auxiliary head of a training."""
    check(network(), weights() | {'auxiliary_head.w': torch.ones(1)})
    assert said == [(logging.WARNING, 'Of 4 parameters 4 were taken from '
                     'the checkpoint: 1 not in the model '
                     '(auxiliary_head.w).')]


def test_wrappers_are_looked_through():
    from mmengine.model import MMDistributedDataParallel

    class TTA(BaseTTAModel):

        def merge_preds(self, data_samples_list):
            return []

    inner = network()
    model = TTA.__new__(TTA)
    nn.Module.__init__(model)
    model.module = inner
    prefixed = {f'module.{k}': v for k, v in weights().items()}
    check(model, prefixed)
    assert inner[1].bias.item() == 7
    wrapped = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    nn.Module.__init__(wrapped)
    wrapped.module = network()
    check(wrapped, prefixed)
    assert wrapped.module[1].bias.item() == 7


def test_unknown_mode():
    with pytest.raises(ValueError, match="got 'strict'"):
        CheckpointGuardHook(mode='strict')


def test_a_runner_stops_before_it_trains(toy, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'x': torch.ones(1)}, meta={}), path)
    runner = toy(load_from=str(path))
    runner.register_hook(CheckpointGuardHook(mode='partial'))
    with pytest.raises(CheckpointError, match='of another model'):
        runner.train()
    assert runner.model.seen == []
