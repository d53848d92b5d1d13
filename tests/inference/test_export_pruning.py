"""Pruning keeps what matters: without dead channels nothing changes."""

import copy

import numpy as np
import pytest
import torch
from export_networks import (
    blobs,
    cirl_config,
    pspnet_config,
    spread,
    unet_config,
    widen,
)
from torch import nn

from mmcrack.inference.backend import TorchBackend
from mmcrack.inference.export_pruning import narrow_config, prune_unet


def with_dead_channels(cfg):
    """A U-Net in which a random half of all channels is always 0."""
    torch.manual_seed(0)
    backend = TorchBackend(cfg, None, device='cpu')
    images = torch.from_numpy(blobs((48, 64), batch=2))
    spread(backend, images)
    generator = torch.Generator().manual_seed(1)
    for module in backend.model.modules():
        if isinstance(module, nn.BatchNorm2d):
            width = module.num_features
            dead = torch.randperm(width, generator=generator)[:width // 2]
            module.weight.data[dead] = 0
            module.bias.data[dead] = 0
    head = backend.model.decode_head
    widen(backend, getattr(head, 'seg_head', head).conv_seg, images)
    return backend


@pytest.mark.parametrize('kind', ['unet', 'one channel', 'cirl'])
def test_dead_channels_go_and_nothing_changes(kind):
    cfg = dict(unet=unet_config, cirl=cirl_config).get(
        kind, lambda: unet_config(1))()
    backend = with_dead_channels(cfg)
    images = torch.from_numpy(blobs((40, 56), batch=2, seed=5))
    wanted = backend.probabilities(images)
    assert wanted.std() > 0.02
    small_cfg = narrow_config(cfg, 2)
    small = TorchBackend(small_cfg, None, device='cpu')
    small.model.load_state_dict(
        prune_unet(backend.model, small_cfg).state_dict())
    torch.testing.assert_close(
        small.probabilities(images), wanted, rtol=0, atol=1e-5)
    if kind == 'cirl':
        both = [b.probabilities_and_variances(images)[1]
                for b in (backend, small)]
        torch.testing.assert_close(*both, rtol=1e-5, atol=0)
    widths = [m.out_channels for m in small.model.backbone.modules()
              if isinstance(m, nn.Conv2d)]
    before = [m.out_channels for m in backend.model.backbone.modules()
              if isinstance(m, nn.Conv2d)]
    assert np.array_equal(2 * np.array(widths), before)


def test_the_strongest_channel_stays():
    """Folded: a large filter behind a large deviation is a weak one."""
    cfg = unet_config()
    model = with_dead_channels(cfg).model
    block = model.backbone.encoder[0][-1].convs[0]
    with torch.no_grad():
        block.conv.weight.copy_(
            torch.tensor([1., 3., 2., 9.])[:, None, None, None]
            .expand(-1, 3, 3, 3))
        block.bn.weight.fill_(1)
        block.bn.running_var.copy_(torch.tensor([1., 1., 1., 900.]))
        block.bn.bias.copy_(torch.tensor([.1, .2, .3, .4]))
    small = prune_unet(model, narrow_config(cfg, 2))
    first = small.backbone.encoder[0][-1].convs[0]
    assert first.bn.bias.tolist() == pytest.approx([.2, .3])
    assert first.conv.weight[:, 0, 0, 0].tolist() == [3, 2]


def test_what_cannot_be_pruned_is_refused():
    with pytest.raises(ValueError, match='Only a UNet with an FCNHead'):
        narrow_config(pspnet_config(), 2)
    for width in (0, 4, 9):
        with pytest.raises(ValueError, match='below the 4'):
            narrow_config(unet_config(), width)
    cfg = unet_config()
    before = copy.deepcopy(cfg.model.to_dict())
    assert narrow_config(cfg, 3).model.backbone.base_channels == 3
    assert cfg.model.to_dict() == before
