"""One crack probability for every layout of outputs."""

import pytest
import torch

from mmcrack.functional.probability import crack_logit, crack_probability


@pytest.mark.parametrize(('channels', 'crack_class'), [(2, 1), (2, 0), (4, 1),
                                                       (4, 0), (4, 3)])
def test_probability_equals_softmax(channels, crack_class, generator):
    logits = 5 * torch.randn(
        2, channels, 3, 4, generator=generator, dtype=torch.float64)
    prob = crack_probability(logits, crack_class=crack_class)
    expected = logits.softmax(1)[:, crack_class]
    torch.testing.assert_close(prob, expected, rtol=1e-12, atol=1e-15)
    odds = crack_logit(logits, crack_class=crack_class)
    torch.testing.assert_close(odds, torch.logit(expected))


def test_one_channel_is_a_sigmoid_whatever_the_class(generator):
    logits = torch.randn(2, 1, 5, generator=generator)
    expected = logits[:, 0].sigmoid()
    assert torch.equal(crack_probability(logits, crack_class=1), expected)
    assert torch.equal(crack_probability(logits, crack_class=9), expected)


def test_huge_logits_neither_overflow_nor_lose_small_probabilities():
    logits = torch.tensor([[[-300., 0., 300.], [300., 0., -300.],
                            [-300., -400., -300.]]])
    prob = crack_probability(logits)
    torch.testing.assert_close(prob, torch.tensor([[1., 0.5, 0.]]))
    tiny = torch.tensor([[[50.], [-50.]]], dtype=torch.float64)
    expected = torch.exp(torch.tensor([[-100.]], dtype=torch.float64))
    torch.testing.assert_close(
        crack_probability(tiny), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('channels', [1, 2, 4])
def test_half_logits_give_float32_probabilities(dtype, channels, generator):
    logits = torch.randn(1, channels, 50, generator=generator).to(dtype)
    prob = crack_probability(logits, crack_class=min(1, channels - 1))
    assert prob.dtype == torch.float32
    wide = crack_probability(
        logits.float(), crack_class=min(1, channels - 1))
    torch.testing.assert_close(prob, wide, atol=1e-2, rtol=0)


@pytest.mark.parametrize('channels', [1, 2, 4])
def test_gradient(channels, generator):
    logits = torch.randn(
        1, channels, 3, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        crack_probability, logits.requires_grad_())


@pytest.mark.parametrize('crack_class', [-1, 2])
def test_a_class_without_channel_is_refused(crack_class):
    with pytest.raises(
            ValueError,
            match=rf'crack_class must be a channel of the 2 .*\(0 to 1\), '
            f'got {crack_class}'):
        crack_logit(torch.zeros(1, 2, 3), crack_class=crack_class)
