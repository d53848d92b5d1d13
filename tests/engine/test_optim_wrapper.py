"""bfloat16 on a CPU."""

import math

import pytest
import torch
from torch import nn

from mmcrack.engine.optim_wrapper import CPUAmpOptimWrapper


def test_forward_is_bfloat16_and_weights_stay_float32():
    model = nn.Linear(4, 2)
    wrapper = CPUAmpOptimWrapper(torch.optim.SGD(model.parameters(), lr=1.))
    x = torch.randn(3, 4)
    with wrapper.optim_context(model):
        y = model(x)
    assert y.dtype == torch.bfloat16
    assert model(x).dtype == torch.float32
    bias = model.bias.detach().clone()
    wrapper.update_params(y.float().sum())
    assert model.weight.dtype == torch.float32
    # A sum over three rows has the gradient 3; the learning rate is 1.
    torch.testing.assert_close(model.bias.detach(), bias - 3)


def test_one_step_equals_float32_within_bfloat16(toy):
    """Residuals 2x - (wx + b) at x = 0, 1: one step by hand in float64."""
    from mmengine.dataset import default_collate
    runner = toy(wrapper='mmcrack.CPUAmpOptimWrapper',
                 default_hooks=dict(checkpoint=None))
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    assert type(wrapper) is CPUAmpOptimWrapper
    model = runner.model
    w, b = model.fc.weight.item(), model.fc.bias.item()
    batch = default_collate([dict(inputs=0.), dict(inputs=1.)])
    loss = model.train_step(batch, wrapper)['loss'].item()
    assert model.seen == [torch.bfloat16]
    errors = [b, w + b - 2]
    wanted = sum(e**2 for e in errors) / 2
    # bfloat16 keeps 8 bits; the errors are of size 1.
    assert math.isclose(loss, wanted, rel_tol=0.03)
    assert model.fc.bias.item() == pytest.approx(
        b - 0.1 * sum(errors), abs=0.01)
    assert model.fc.weight.item() == pytest.approx(
        w - 0.1 * errors[1], abs=0.01)


def test_gradients_accumulate():
    """Half the gradient, every second call a step."""
    weight = nn.Parameter(torch.zeros(1))
    wrapper = CPUAmpOptimWrapper(
        torch.optim.SGD([weight], lr=1.), accumulative_counts=2)
    seen = []
    for factor in (1., 3., 5., 7.):
        with wrapper.optim_context(nn.Identity()):
            wrapper.update_params((factor * weight).sum())
        seen.append(weight.item())
    assert seen == [0., -2., -2., -8.]
