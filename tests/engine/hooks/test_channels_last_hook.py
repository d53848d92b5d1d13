"""The layout changes, the results and the checkpoint's shapes do not."""

from types import SimpleNamespace

import torch
from torch import nn

from mmcrack.engine.hooks import ChannelsLastHook


def test_layout_changes_and_results_do_not(generator):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    x = torch.randn(2, 3, 9, 11, generator=generator)
    before = network(x)
    shapes = {k: v.shape for k, v in network.state_dict().items()}
    ChannelsLastHook().before_run(SimpleNamespace(model=network))
    after = network(x)
    assert after.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(after, before)
    assert {k: v.shape for k, v in network.state_dict().items()} == shapes
