"""Count the multiply-adds and parameters of a segmentor, part by part.

``python tools/analysis/get_flops.py CONFIG --shape 1440 2560`` runs the
network once on a random image, in tensor mode, and prints for each part its
parameters, its MACs (multiply-adds of convolutions, matrix products and
attention) and FLOPs (two for each MAC). The last line is what
MMSegmentation's tool of this name prints as "Flops": MACs, without
attention, plus operations of normalisation and resizing.

How many points CBPRN renders depends on the photograph, and an untrained
network would render all: ``--share`` fixes it.
"""

import argparse
import importlib.util
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402

# Operators that MMEngine counts in multiply-adds, and attention (our own).
ATTENTION = 'scaled_dot_product_attention'
MAC_OPERATORS = ('conv', 'linear', 'addmm', 'mm', 'bmm', 'matmul', 'einsum',
                 ATTENTION)


class Part(NamedTuple):
    """One line of the table.

    Attributes:
        name (str): In words.
        params (int): Parameters.
        macs (int): Multiply-adds of one image.
    """

    name: str
    params: int
    macs: int


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description='Count the multiply-adds and parameters of a segmentor.')
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--shape', type=int, nargs='+', default=[512, 512],
        metavar=('HEIGHT', 'WIDTH'),
        help='of the image, one number for a square (default 512 512)')
    parser.add_argument(
        '--share', type=float, default=5., metavar='PERCENT',
        help='pixels that CBPRN renders (default %(default)s)')
    parser.add_argument(
        '--cfg-options', nargs='+', action=KeyValues,
        help='override settings of the config, key=value')
    return parser.parse_args(argv)


class EvenShare:
    """Test sampler that takes a fixed share of the pixels, evenly.

    Args:
        share (float): In [0, 1].
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, prob: Tensor) -> Tensor:
        """Return ``round(share * H * W)`` pixels of each (N, H, W) map."""
        from mmcrack.functional.points import uncertain_points
        # While a network is traced, sizes are tensors.
        pixels = int(prob.shape[1]) * int(prob.shape[2])
        return uncertain_points(
            torch.full_like(prob, 0.5),
            prob_range=(0., 1.),
            max_points=round(self.share * pixels))


def attention_macs(inputs: list[Any], outputs: list[Any]) -> int:
    """Count the two matrix products of an attention.

    Args:
        inputs (list): Traced values; the first three are query (..., L, E),
            key (..., S, E) and value (..., S, V).
        outputs (list): Not looked at.

    Returns:
        int: L S (E + V) for each head and batch element.
    """
    query, key, value = (v.type().sizes() for v in inputs[:3])
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def analyse(model: nn.Module, inputs: Tensor) -> dict[str, Counter]:
    """Count operations of each module.

    Args:
        model (nn.Module): In eval mode.
        inputs (Tensor): (N, C, H, W).

    Returns:
        dict[str, Counter]: For each module's name ('' is the whole) the
        operations by operator, as MMEngine counts them, attention included.
    """
    from mmengine.analysis import FlopAnalyzer
    analyzer = FlopAnalyzer(model, (inputs, ))
    analyzer.set_op_handle(f'aten::{ATTENTION}', attention_macs)
    analyzer.unsupported_ops_warnings(False)
    analyzer.uncalled_modules_warnings(False)
    with torch.inference_mode():
        return analyzer.by_module_and_operator()


def macs_of(counts: Counter) -> int:
    """Return the multiply-adds among counted operations."""
    return int(sum(counts[name] for name in MAC_OPERATORS))


def parts_of(model: nn.Module, counts: dict[str, Counter]) -> list[Part]:
    """Split a segmentor into its parts.

    Args:
        model (nn.Module): MMSegmentation's ``EncoderDecoder`` or alike.
        counts (dict[str, Counter]): From :func:`analyse`.

    Returns:
        list[Part]: Edge branch, backbone, neck, head (and of a rendering
        head the point MLP apart), auxiliary head: those that there are. They
        sum to the whole.
    """
    modules = dict(model.named_modules())

    def part(name: str, path: str, *without: str) -> Part:
        held = [path, *(w for w in without if w in modules)]
        params = [sum(p.numel() for p in modules[m].parameters())
                  for m in held]
        macs = [macs_of(counts.get(m, Counter())) for m in held]
        return Part(name, params[0] - sum(params[1:]),
                    macs[0] - sum(macs[1:]))

    wanted = [
        ('edge branch', 'backbone.edge_encoder', ()),
        ('backbone', 'backbone', ('backbone.edge_encoder', )),
        ('neck', 'neck', ()),
        ('head', 'decode_head', ('decode_head.point_mlp', )),
        ('head: point MLP', 'decode_head.point_mlp', ()),
        ('auxiliary head (training only)', 'auxiliary_head', ()),
    ]
    parts = [part(name, path, *without) for name, path, without in wanted
             if path in modules]
    known = ('backbone', 'neck', 'decode_head', 'auxiliary_head')
    parts += [part(name, name) for name, _ in model.named_children()
              if name not in known and any(
                  True for _ in modules[name].parameters())]
    return parts


def build(cfg: Any, share: float) -> nn.Module:
    """Build a network for counting.

    Args:
        cfg (Config): Any OpenMMLab config.
        share (float): Pixels that a rendering head renders, in [0, 1].

    Returns:
        nn.Module: In eval mode, with untrained weights.
    """
    from mmengine.model import revert_sync_batchnorm
    from mmengine.registry import MODELS, init_default_scope
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = revert_sync_batchnorm(MODELS.build(cfg.model)).eval()
    for module in model.modules():
        if hasattr(module, 'test_sampler'):
            module.test_sampler = EvenShare(share)
    return model


def image_for(model: nn.Module, shape: Sequence[int]) -> Tensor:
    """Return a random image as the data preprocessor hands it on.

    Args:
        model (nn.Module): With ``data_preprocessor``.
        shape (Sequence[int]): (H, W).

    Returns:
        Tensor: (1, C, H', W'), padded as in a test.
    """
    from mmseg.structures import SegDataSample
    channels = len(getattr(model.data_preprocessor, 'mean', None)
                   if getattr(model.data_preprocessor, 'mean', None)
                   is not None else (0, 0, 0))
    sample = SegDataSample(
        metainfo=dict(ori_shape=tuple(shape), img_shape=tuple(shape)))
    pixels = torch.randint(256, (channels, *shape), dtype=torch.uint8)
    batch = dict(inputs=[pixels], data_samples=[sample])
    return model.data_preprocessor(batch, False)['inputs']


def report(parts: Sequence[Part], counts: Counter, size: Sequence[int],
           shape: Sequence[int], share: float | None) -> str:
    """Return the table as text.

    Args:
        parts (Sequence[Part]): Lines.
        counts (Counter): Operations of the whole network.
        size (Sequence[int]): (H, W) that the network sees.
        shape (Sequence[int]): (H, W) that was asked for.
        share (float, optional): Rendered pixels in percent; None for a
            network that has nothing to fix.
    """
    total = Part('total', sum(p.params for p in parts), macs_of(counts))
    title = f'Image {shape[0]} x {shape[1]} (height x width)'
    if tuple(size) != tuple(shape):
        title += f', padded to {size[0]} x {size[1]}'
    if share is not None:
        title += f', {share:g} % of the pixels rendered'
    lines = [title, f'{"part":32}{"parameters":>12}{"GMACs":>12}'
             f'{"GFLOPs":>12}']
    lines += [f'{p.name:32}{p.params:12,}{p.macs / 1e9:12.4f}'
              f'{2 * p.macs / 1e9:12.4f}' for p in (*parts, total)]
    others = sum(counts.values()) - counts[ATTENTION]
    lines.append(
        'A MAC is one multiply-add and counts as two FLOPs; element-wise '
        'operations (and the guided filter) are left out.\n'
        f"MMSegmentation's get_flops.py calls {others / 1e9:.4f} G \"Flops\": "
        'MACs without attention, plus operations of normalisation and '
        'resizing.')
    return '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> tuple[list[Part], Counter]:
    """Count; print the table.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        tuple[list[Part], Counter]: The parts, and the operations of the
        whole network by operator.

    Raises:
        ValueError: If an option is out of its range.
    """
    from mmcrack.engine.launch import load_config
    args = parse_args(argv)
    shape = args.shape * 2 if len(args.shape) == 1 else args.shape
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError('--shape takes a height and a width in pixels, or '
                         f'one number for both, got {args.shape}.')
    if not 0 <= args.share <= 100:
        raise ValueError('--share takes a percentage from 0 to 100, got '
                         f'{args.share:g}.')
    logging.getLogger('mmengine').setLevel(logging.ERROR)
    model = build(load_config(args.config, args.cfg_options),
                  args.share / 100)
    image = image_for(model, shape)
    counts = analyse(model, image)
    parts = parts_of(model, counts)
    fixed = any(hasattr(m, 'test_sampler') and m.point_mlp is not None
                for m in model.modules())
    print(report(parts, counts[''], image.shape[-2:], shape,
                 args.share if fixed else None))
    return parts, counts['']


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'get_flops.py')


if __name__ == '__main__':
    sys.exit(command())
