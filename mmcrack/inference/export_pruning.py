"""A narrower U-Net out of a trained one: structured pruning by magnitude.

Not in the papers, which name pruning as future work. Whole channels go, so
the result is an ordinary U-Net with a smaller ``base_channels``: an ordinary
config, faster on every machine. It has to be trained further.
"""

import copy
from collections.abc import Iterable

import torch
from mmcv.cnn import ConvModule
from mmengine.config import Config
from mmseg.models.backbones import UNet
from mmseg.models.decode_heads import FCNHead
from torch import Tensor, nn

from mmcrack.inference.backend import build_network


def narrow_config(cfg: Config, base_channels: int) -> Config:
    """Return the config of the same U-Net with fewer channels.

    Args:
        cfg (Config): An ``EncoderDecoder`` of MMSegmentation's ``UNet`` and
            ``FCNHead``, which ``mmcrack.CIRLHead`` may wrap.
        base_channels (int): Channels of the first stage.

    Returns:
        Config: A copy; the head's own width shrinks alike.

    Raises:
        ValueError: If the network is another one, or not wider.
    """
    cfg = copy.deepcopy(cfg)
    model = cfg.model
    backbone = model.get('backbone', {})
    head = model.get('decode_head', {})
    head = head.get('seg_head', head)
    if (backbone.get('type') not in ('UNet', 'mmseg.UNet')
            or head.get('type') not in ('FCNHead', 'mmseg.FCNHead')
            or head.get('concat_input', True)
            or model.decode_head.get('std_in_index') is not None):
        raise ValueError(
            'Only a UNet with an FCNHead (concat_input=False), plain or in a '
            f'mmcrack.CIRLHead, can be pruned, got {backbone.get("type")} '
            f'with {head.get("type")}.')
    before = backbone.get('base_channels', 64)
    if not 1 <= base_channels < before:
        raise ValueError('base_channels must be at least 1 and below the '
                         f'{before} of the config, got {base_channels}.')
    backbone.base_channels = base_channels
    head.in_channels = head.in_channels * base_channels // before
    head.channels = max(1, head.channels * base_channels // before)
    model.pop('auxiliary_head', None)
    model.pretrained = None
    return cfg


def prune_unet(model: nn.Module, cfg: Config) -> nn.Module:
    """Copy the channels of greatest magnitude into a narrower U-Net.

    The magnitude of a channel is the L1 norm of its filter with batch
    normalisation folded in (Li et al. 2017, applied to what inference
    computes). Each layer is ranked by itself; the next layer, and over the
    skip connections the decoder, keeps the inputs that are left.

    Args:
        model (nn.Module): The trained network.
        cfg (Config): From :func:`narrow_config`.

    Returns:
        nn.Module: A network of that config.
    """
    small = build_network(cfg)
    wide, thin = _parts(model), _parts(small)
    kept = torch.arange(wide[0].encoder[0][-1].convs[0].conv.in_channels)
    skips: list[tuple[Tensor, int]] = []
    for old, new in zip(wide[0].encoder, thin[0].encoder, strict=True):
        kept = _shrink_all(old[-1].convs, new[-1].convs, kept)
        skips.append((kept, old[-1].convs[-1].conv.out_channels))
    pairs = list(zip(wide[0].decoder, thin[0].decoder, strict=True))
    for (old, new), (skip, width) in zip(
            reversed(pairs), reversed(skips[:-1]), strict=True):
        risen = _shrink_all(_convolutions(old.upsample),
                            _convolutions(new.upsample), kept)
        kept = _shrink_all(old.conv_block.convs, new.conv_block.convs,
                           torch.cat([skip, risen + width]))
    kept = _shrink_all(_convolutions(wide[1].convs),
                       _convolutions(thin[1].convs), kept)
    readers = [(wide[1].conv_seg, thin[1].conv_seg)]
    if hasattr(model.decode_head, 'std_head'):
        readers.append((model.decode_head.std_head.conv,
                        small.decode_head.std_head.conv))
    for old, new in readers:
        new.weight.data = old.weight.data[:, kept].clone()
        new.bias.data = old.bias.data.clone()
    return small.eval()


def _parts(model: nn.Module) -> tuple[UNet, FCNHead]:
    head = model.decode_head
    return model.backbone, getattr(head, 'seg_head', head)


def _convolutions(module: nn.Module) -> list[ConvModule]:
    return [m for m in module.modules() if isinstance(m, ConvModule)]


def _shrink_all(wide: Iterable[ConvModule], thin: Iterable[ConvModule],
                kept: Tensor) -> Tensor:
    """Copy layers that follow one another; return the channels left."""
    for old, new in zip(wide, thin, strict=True):
        kept = _shrink(old, new, kept)
    return kept


def _shrink(old: ConvModule, new: ConvModule, inputs: Tensor) -> Tensor:
    """Copy one convolution and its normalisation; return what was kept."""
    weight = old.conv.weight.data
    strength = weight.abs().sum((1, 2, 3))
    norm = old.norm if old.with_norm else None
    if isinstance(norm, nn.modules.batchnorm._BatchNorm):
        strength = strength * norm.weight.data.abs() / (
            norm.running_var + norm.eps).sqrt()
    count = new.conv.out_channels
    kept = strength.topk(count).indices.sort().values
    new.conv.weight.data = weight[kept][:, inputs].clone()
    if old.conv.bias is not None:
        new.conv.bias.data = old.conv.bias.data[kept].clone()
    if norm is not None:
        for name, value in norm.state_dict().items():
            own = getattr(new.norm, name)
            own.data = value[kept].clone() if value.ndim else value.clone()
    return kept
