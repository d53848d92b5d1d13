"""Draw the points that a config trains on: CBPRN's Figures 3, 4 and 6.

``python tools/analysis/show_points.py CONFIG`` loads training images through
the config's own pipeline and draws points with the head's own
``train_sampler``: image | truth with the boundary band | points by region |
the points that PointRend would draw. Where the whole crack stands in for a
body that is too small, the legend says "crack". ``--dilations 0 1 2 3`` adds
the band of each (Figure 6), ``--checkpoint`` the heat map of a trained
network and the pixels that inference would render (Figure 4).

Without a checkpoint PointRend's sampler sees the label averaged over squares
of the head's stride: a coarse prediction that makes no error.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402


class Crop(NamedTuple):
    """One training image as the network gets it.

    Attributes:
        name (str): The image's stem.
        pixels (Tensor): uint8, (3, H, W), BGR.
        label (Tensor): int64, (1, H, W) of {0, 1, 255}.
    """

    name: str
    pixels: Tensor
    label: Tensor


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description='Draw the points that a config trains on.')
    add = parser.add_argument
    add('config', help='config file')
    add('--out', type=Path, help='folder for the pictures (default '
        'work_dirs/CONFIG/points)')
    add('--num', type=int, default=4,
        help='images, drawn at random (default %(default)s)')
    add('--index', type=int, nargs='+', metavar='I',
        help='these images of the training set, in place of --num')
    add('--seed', type=int, default=0,
        help='of the choice, the pipeline and the points (default 0)')
    add('--dilations', type=int, nargs='+', default=[], metavar='D',
        help='also draw the boundary band of these dilations')
    add('--checkpoint', help='also draw the heat map of this network')
    add('--cfg-options', nargs='+', action=KeyValues,
        help='override settings of the config, key=value')
    return parser.parse_args(argv)


def find_head(module: nn.Module, config: str) -> nn.Module:
    """Return the part of a network that trains on points.

    Args:
        module (nn.Module): A head or a segmentor.
        config (str): The config file, for the message.

    Returns:
        nn.Module: With ``train_sampler``.

    Raises:
        ValueError: If there is none.
    """
    for part in module.modules():
        if getattr(part, 'train_sampler', None) is not None:
            return part
    raise ValueError(
        f'The config {config!r} draws no training points: no head of it has '
        'a train_sampler (mmcrack.CBPRNHead and mmcrack.PointRendHead do, '
        'unless the config sets train_sampler=None).')


def choose(total: int, args: argparse.Namespace) -> list[int]:
    """Choose images of the training set.

    Args:
        total (int): How many there are.
        args (argparse.Namespace): With ``index``, ``num`` and ``seed``.

    Returns:
        list[int]: Positions, ascending unless given.

    Raises:
        ValueError: If one is out of range.
    """
    if args.index:
        wrong = [i for i in args.index if not 0 <= i < total]
        if wrong:
            raise ValueError(f'--index takes 0 to {total - 1} for this '
                             f'training set, got {wrong[0]}.')
        return list(args.index)
    if args.num < 1:
        raise ValueError(f'--num must be at least 1, got {args.num}.')
    order = np.random.default_rng(args.seed).permutation(total)
    return sorted(int(i) for i in order[:args.num])


def load_crop(dataset: Sequence, index: int, head: nn.Module,
              seed: int) -> Crop:
    """Run the training pipeline on one image.

    Args:
        dataset (Sequence): The training set.
        index (int): Position.
        head (nn.Module): With ``crack_class`` and ``ignore_index``.
        seed (int): Image ``index`` is always the same for one seed.

    Returns:
        Crop: As the network gets it.
    """
    from mmengine.runner import set_random_seed

    from mmcrack.functional.regions import binary_label
    set_random_seed(seed + index)
    packed = dataset[index]
    sample = packed['data_samples']
    label = binary_label(
        sample.gt_sem_seg.data.long(),
        crack_class=head.crack_class,
        ignore_index=head.ignore_index)
    return Crop(
        Path(sample.metainfo['img_path']).stem, packed['inputs'], label)


def heat_of(model: nn.Module, head: nn.Module,
            crop: Crop) -> tuple[Tensor, Tensor, Tensor | None]:
    """Run a trained network on a crop.

    Args:
        model (nn.Module): The segmentor.
        head (nn.Module): Its head.
        crop (Crop): The image.

    Returns:
        tuple: Coarse logits (1, K, h, w); heat map (H, W); and pixels to
        render, bool (H, W), or None for a head without ``test_sampler``.
    """
    from mmseg.structures import SegDataSample

    from mmcrack.functional.probability import crack_probability
    from mmcrack.models.decode_heads.rendering_head import upsample
    height, width = crop.pixels.shape[-2:]
    batch = dict(inputs=[crop.pixels], data_samples=[SegDataSample()])
    x = model.data_preprocessor(batch, False)['inputs']
    with torch.inference_mode():
        logits = head.dense(model.extract_feat(x))[1]
        prob = crack_probability(
            upsample(logits, x.shape[-2:]), crack_class=head.crack_class)
        prob = prob[:, :height, :width]
        sampler = getattr(head, 'test_sampler', None)
        rendered = None if sampler is None else sampler(prob)[0]
    return logits, prob[0], rendered


def draw_crop(crop: Crop, head: nn.Module, model: nn.Module | None,
              args: argparse.Namespace) -> tuple[np.ndarray, list[int]]:
    """Draw one image.

    Args:
        crop (Crop): The image.
        head (nn.Module): With ``train_sampler``.
        model (nn.Module, optional): A trained network.
        args (argparse.Namespace): With ``seed`` and ``dilations``.

    Returns:
        tuple: The picture, uint8 (H, W, 3), and how many points were drawn
        for body, boundary and background.
    """
    from mmcrack.functional.regions import crack_regions
    from mmcrack.models.task_modules import ImportancePointSampler
    from mmcrack.models.task_modules.drawn_points import (
        draw_with_regions,
        perfect_logits,
        regions_at,
    )
    from mmcrack.visualization import (
        DrawnPoints,
        sampling_picture,
        to_picture,
    )
    heat = rendered = None
    logits = perfect_logits(crop.label, stride=head.stride)
    if model is not None:
        logits, heat, rendered = heat_of(model, head, crop)
    sampler = head.train_sampler
    points, regions = draw_with_regions(
        sampler, crop.label, logits, seed=args.seed)
    dilation = getattr(sampler, 'dilation', 2)
    inside = regions_at(crop.label, points, dilation=dilation)
    borrowed = bool(((regions == 0) & (inside != 0)).any())
    drawn = [DrawnPoints('drawn', points[0].numpy(), regions[0].numpy(),
                         'crack' if borrowed else 'body')]
    if not isinstance(sampler, ImportancePointSampler):
        other = ImportancePointSampler(num_points=points.shape[1])(
            crop.label, logits,
            generator=torch.Generator().manual_seed(args.seed))
        places = regions_at(crop.label, other, dilation=dilation)
        drawn.append(
            DrawnPoints('PointRend', other[0].numpy(), places[0].numpy()))
    image = to_picture(crop.pixels.numpy().transpose(1, 2, 0)[..., ::-1])
    crack = (crop.label[0] == 1).numpy()
    bands = [(d, crack_regions(crop.label, dilation=d)[0].numpy())
             for d in (dilation, *args.dilations)]
    picture = sampling_picture(
        image,
        regions=bands[0][1],
        crack=crack,
        drawn=drawn,
        bands=bands[1:],
        heat_map=None if heat is None else heat.numpy(),
        rendered=None if rendered is None else rendered.numpy())
    return picture, [int((regions == r).sum()) for r in range(3)]


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Draw; return the files.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[Path]: Pictures.

    Raises:
        ValueError: If the config draws no points or an option is wrong.
    """
    from mmengine.registry import DATASETS, MODELS, init_default_scope

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import load_trained
    from mmcrack.visualization import write_picture
    args = parse_args(argv)
    if min(args.dilations, default=0) < 0:
        raise ValueError('--dilations must be at least 0, got '
                         f'{args.dilations}.')
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = None
    if args.checkpoint:
        model = MODELS.build(cfg.model)
        load_trained(model, args.checkpoint)
    head = find_head(
        MODELS.build(cfg.model.decode_head) if model is None else model,
        args.config)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    out = args.out or Path('work_dirs') / Path(args.config).stem / 'points'
    files = []
    for index in choose(len(dataset), args):
        crop = load_crop(dataset, index, head, args.seed)
        picture, counts = draw_crop(crop, head, model, args)
        files.append(out / f'{index:04d}_{crop.name}.png')
        write_picture(files[-1], picture)
        print(f'{files[-1]}: {counts[0]} points in the body, {counts[1]} in '
              f'the boundary, {counts[2]} in the background')
    return files


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'show_points.py')


if __name__ == '__main__':
    sys.exit(command())
