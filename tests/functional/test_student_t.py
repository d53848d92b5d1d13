"""Student's t against SciPy's density and its derivative."""

import math

import numpy as np
import pytest
import torch
from scipy.special import digamma
from scipy.stats import multivariate_t

from mmcrack.functional.student_t import student_t_nll


def nll(distance, size, nu, **kinds):
    return student_t_nll(
        torch.tensor([distance], **kinds), torch.tensor([float(size)]),
        torch.tensor(math.log(nu), dtype=torch.float64)).item()


@pytest.mark.parametrize(('distance', 'size', 'nu', 'value'), [
    (.62, 6, math.e, 4.952966798), (.62, 6, 1., 4.494072520),
    (1311., 65536, math.e, -35124.310209)])
def test_values(distance, size, nu, value):
    assert nll(distance, size, nu, dtype=torch.float64) == pytest.approx(
        value, abs=1e-6 if size > 6 else 5e-10)


def test_the_authors_code_differs_by_its_matrix_of_ones():
    """Ones taken as log-precisions: e times the distance, D / 2 less."""
    value = nll(math.e * .62, 6, math.e, dtype=torch.float64) - 6 / 2
    assert value == pytest.approx(3.160317609, abs=1e-7)


@pytest.mark.parametrize('nu', [.3, 1., 7.5, 1e3])
@pytest.mark.parametrize('size', [1, 6, 80])
def test_it_is_the_density(nu, size):
    rng = np.random.default_rng(0)
    prob, target = rng.random(size), rng.integers(0, 2, size)
    density = multivariate_t(loc=prob, shape=np.eye(size), df=nu)
    distance = float(((prob - target)**2).sum())
    assert nll(distance, size, nu, dtype=torch.float64) == pytest.approx(
        -density.logpdf(target), rel=1e-10)


@pytest.mark.parametrize('size', [6, 65536])
def test_the_slope_of_the_degrees_of_freedom_is_exact(size):
    """In float32 the log-gammas of 256 x 256 pixels leave no digit of it."""
    log_nu = torch.tensor(1., requires_grad=True)
    distance = .02 * size
    student_t_nll(torch.tensor([distance]), torch.tensor([float(size)]),
                  log_nu).sum().backward()
    nu, half = math.e, (math.e + size) / 2
    slope = nu * (
        digamma(nu / 2) / 2 - digamma(half) / 2 + size / 2 / nu +
        math.log1p(distance / nu) / 2 - half * distance /
        (nu * (nu + distance)))
    assert float(log_nu.grad) == pytest.approx(slope, rel=1e-5)


def test_one_far_image_counts_less_than_its_distance():
    """The gradient falls where the distance is large: robust."""
    distance = torch.tensor([1., 10., 1e3], requires_grad=True)
    student_t_nll(distance, torch.full((3, ), 100.),
                  torch.tensor(0.)).sum().backward()
    # (nu + D) / 2 / (nu + d) with nu = 1, D = 100
    torch.testing.assert_close(
        distance.grad, torch.tensor([101 / 4, 101 / 22, 101 / 2002]))


def test_gradients(generator):
    distance = (5 * torch.rand(4, generator=generator)).double()
    log_nu = torch.tensor(.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda d, n: student_t_nll(d, torch.arange(3, 7), n),
        (distance.requires_grad_(), log_nu))


def test_no_error_at_all_is_finite():
    assert nll(0., 65536, math.e) == pytest.approx(
        nll(0., 65536, math.e, dtype=torch.float64))
    assert math.isfinite(nll(0., 65536, math.e))
