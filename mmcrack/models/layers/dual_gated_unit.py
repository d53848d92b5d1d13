"""The recurrent unit of DRU and the pairs of convolutions it is built of."""

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn


def fitting_norm(norm_cfg: dict | None, channels: int) -> dict | None:
    """Return a config of group normalisation with no more groups than maps.

    Args:
        norm_cfg (dict, optional): Any normalisation; others stay as they
            are.
        channels (int): Maps to normalise.

    Returns:
        dict | None: The config to use.
    """
    if norm_cfg is None or norm_cfg.get('type') != 'GN':
        return norm_cfg
    return {**norm_cfg, 'num_groups': min(norm_cfg['num_groups'], channels)}


class DoubleConv(nn.Sequential):
    """Two 3 x 3 convolutions, each with a normalisation and an activation.

    Args:
        in_channels (int): Channels of the input.
        out_channels (int): Channels of both outputs.
        conv_cfg (dict, optional): Config of the convolutions.
        norm_cfg (dict, optional): Of the normalisation; None is none. Group
            normalisation gets at most as many groups as channels.
        act_cfg (dict): Of the activation.
    """

    def __init__(self, in_channels: int, out_channels: int, *,
                 conv_cfg: dict | None = None, norm_cfg: dict | None,
                 act_cfg: dict) -> None:
        super().__init__(*(
            ConvModule(
                channels, out_channels, 3, padding=1, bias=True,
                conv_cfg=conv_cfg,
                norm_cfg=fitting_norm(norm_cfg, out_channels),
                act_cfg=act_cfg) for channels in (in_channels, out_channels)))


class DualGatedUnit(nn.Module):
    """The dual-gated recurrent unit of DRU.

    Wang et al. 2019 (Recurrent U-Net). With the pairs of convolutions G::

        r = sigmoid(G_r(x))        u = sigmoid(G_u(x))
        h' = h (1 - u) + tanh(G_o(x r)) u

    Unlike in a convolutional GRU the gates do not see the state, and the
    reset gate acts on the input. (G ends in an activation: behind a ReLU
    gates and candidate are never below 1/2, 1/2 and 0.)

    Args:
        in_channels (int): Channels of the input x.
        channels (int): Channels of the state h.
        conv_cfg (dict, optional): As in :class:`DoubleConv`.
        norm_cfg (dict, optional): As in :class:`DoubleConv`.
        act_cfg (dict): As in :class:`DoubleConv`.
    """

    def __init__(self, in_channels: int, channels: int, *,
                 conv_cfg: dict | None = None, norm_cfg: dict | None,
                 act_cfg: dict) -> None:
        super().__init__()
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.reset = DoubleConv(in_channels, in_channels, **layers)
        self.update = DoubleConv(in_channels, channels, **layers)
        self.candidate = DoubleConv(in_channels, channels, **layers)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        """Return the next state.

        Args:
            x (Tensor): Float, (N, ``in_channels``, H, W).
            state (Tensor): Float, (N, ``channels``, H, W).

        Returns:
            Tensor: Float, (N, ``channels``, H, W).
        """
        reset = torch.sigmoid(self.reset(x))
        update = torch.sigmoid(self.update(x))
        candidate = torch.tanh(self.candidate(x * reset))
        return state * (1 - update) + candidate * update
