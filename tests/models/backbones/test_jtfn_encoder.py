"""JTFN's encoder: stages, odd sizes, its limits."""

import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.backbones.jtfn_encoder import JTFNEncoder


@pytest.mark.parametrize('residual', [False, True])
def test_each_stage_halves_what_the_stage_before_gave(residual):
    encoder = JTFNEncoder(3, (2, 3, 4, 5, 6), residual=residual).eval()
    x = torch.randn(1, 3, 35, 49)
    outs = encoder(x)
    assert [tuple(out.shape[1:]) for out in outs] == [
        (2, 35, 49), (3, 17, 24), (4, 8, 12), (5, 4, 6), (6, 2, 3)]
    for before, after, stage in zip(
            (x, *outs), outs, encoder.stages, strict=False):
        y = F.max_pool2d(before, 2) if after is not outs[0] else before
        y = stage.first(y)
        y = stage.last(y + stage.second(y)) if residual else stage.second(y)
        torch.testing.assert_close(after, y)


def test_a_residual_stage_has_no_more_weights():
    sizes = {sum(p.numel() for p in JTFNEncoder(
        3, (2, 4), residual=r).parameters()) for r in (False, True)}
    # 3 x 3 convolutions and two numbers for each channel of a norm.
    assert sizes == {9 * (6 + 4 + 8 + 16) + 2 * (2 + 2 + 4 + 4)}


def test_without_a_norm_convolutions_have_a_bias():
    for residual in (False, True):
        encoder = JTFNEncoder(1, (2, 3), residual=residual, norm_cfg=None)
        biases = [n for n, _ in encoder.named_parameters() if 'bias' in n]
        assert len(biases) == 4


def test_an_image_of_too_few_pixels_is_refused_with_the_cure():
    encoder = JTFNEncoder(3, (2, 2, 2, 2, 2)).eval()
    assert encoder(torch.zeros(1, 3, 16, 16))[-1].shape[-2:] == (1, 1)
    with pytest.raises(ValueError, match='at least 16 x 16 .* got 15 x 40: '
                                         'pad them'):
        encoder(torch.zeros(1, 3, 15, 40))


def test_one_stage_is_no_encoder():
    with pytest.raises(ValueError, match='at least two stages, got'):
        JTFNEncoder(3, (8, ))
