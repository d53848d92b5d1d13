"""CIRL Eq. 3-7 against its plain form, closed forms and the general W2."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from mmcrack.functional.aseg import aseg_loss, wasserstein_to_dirac
from mmcrack.functional.phase import phase_at

PINS = [
    # error, log-variance, loss, d loss / d error, d loss / d log-variance
    (0., 0., .769231, 0., .177515),
    (0., -4., .057539, 0., .054228),
    (1., 0., 1.538462, 1.538462, -.414201),
    (1., -4., 3.199075, 6.283072, -.126533),
    (.5, 0., .961538, .769231, .029586),
    (.6, -1., 1.089837, 1.796731, -.049484),
    (.9, math.log(.4), 1.728571, 2.571429, -.416327),
]


def plain(prob, target, log_var, offset):
    """Eq. 7 as it stands."""
    variance = log_var.exp()
    return ((prob - target)**2 + variance) / (offset + variance)


@pytest.mark.parametrize(('error', 'log_var', 'loss', 'slope', 'var_slope'),
                         PINS)
def test_values_and_slopes(error, log_var, loss, slope, var_slope):
    prob = torch.tensor(error, dtype=torch.float64, requires_grad=True)
    log_var = torch.tensor(log_var, dtype=torch.float64, requires_grad=True)
    value = aseg_loss(
        prob, torch.zeros_like(prob), log_var, variance_offset=.3)
    value.backward()
    assert value.item() == pytest.approx(loss, abs=1e-6)
    assert float(prob.grad) == pytest.approx(slope, abs=1e-6)
    assert float(log_var.grad) == pytest.approx(var_slope, abs=1e-6)


@pytest.mark.parametrize('offset', [.1, .3, 2.])
def test_it_is_equation_7(offset, generator):
    prob, log_var = torch.rand(
        2, 500, generator=generator, dtype=torch.float64)
    log_var = 12 * log_var - 6
    target = torch.randint(0, 2, (500, ), generator=generator).double()
    torch.testing.assert_close(
        aseg_loss(prob, target, log_var, variance_offset=offset),
        plain(prob, target, log_var, offset), atol=1e-14, rtol=1e-13)


def test_the_numerator_is_the_general_distance_of_two_gaussians(generator):
    # Eq. 6 for a diagonal Gaussian and one that shrinks to a point.
    mean, target = torch.rand(2, 3, generator=generator).double().numpy()
    variance = np.array([.2, 1.5, .04])
    first, second = np.diag(variance), 1e-18 * np.eye(3)
    root = sqrtm(first)
    general = ((mean - target)**2).sum() + np.trace(
        first + second - 2 * sqrtm(root @ second @ root)).real
    ours = wasserstein_to_dirac(
        *(torch.from_numpy(x) for x in (mean, target, np.log(variance))))
    assert float(ours.sum()) == pytest.approx(general, abs=1e-7)


@pytest.mark.parametrize('offset', [.09, .3, .64])
def test_it_is_one_for_every_variance_where_the_error_is_the_offset(offset):
    log_var = torch.linspace(-50, 50, 21, dtype=torch.float64)
    prob = torch.full_like(log_var, math.sqrt(offset))
    loss = aseg_loss(
        prob, torch.zeros_like(prob), log_var, variance_offset=offset)
    torch.testing.assert_close(loss, torch.ones_like(loss))


def test_variance_grows_exactly_where_the_error_is_above_the_offset():
    prob = torch.linspace(0, 1, 101, dtype=torch.float64)
    log_var = torch.zeros_like(prob, requires_grad=True)
    aseg_loss(prob, torch.zeros_like(prob), log_var,
              variance_offset=.3).sum().backward()
    assert torch.equal(log_var.grad < 0, prob**2 > .3)


def test_it_never_overflows():
    log_var = torch.tensor([-1e4, -200., 200., 1e4], requires_grad=True)
    prob = torch.ones(4, requires_grad=True)
    loss = aseg_loss(prob, torch.zeros(4), log_var, variance_offset=.3)
    loss.sum().backward()
    torch.testing.assert_close(
        loss, torch.tensor([1 / .3, 1 / .3, 1., 1.]))
    assert torch.isfinite(log_var.grad).all()
    assert torch.isfinite(prob.grad).all()


def test_gradients(generator):
    prob, log_var = torch.rand(
        2, 6, generator=generator, dtype=torch.float64).requires_grad_()
    target = torch.tensor([0., 1, 0, 1, 1, 0], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda p, s: aseg_loss(p, target, s, variance_offset=.3),
        (prob, log_var))


@pytest.mark.parametrize('offset', [0., -.3])
def test_an_offset_that_is_not_positive_is_named(offset):
    with pytest.raises(ValueError, match='variance_offset must be above 0'):
        aseg_loss(*torch.rand(3, 2), variance_offset=offset)


@pytest.mark.parametrize(
    ('step', 'phase'), [(0, 1), (999, 1), (1000, 2), (1999, 2)])
def test_phases(step, phase):
    assert phase_at(step, 1000) == phase


def test_a_switch_at_the_start_leaves_no_first_phase():
    assert phase_at(0, 0) == 2
