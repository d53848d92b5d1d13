"""Draw what a config's pipeline really feeds its network.

``python tools/analysis/browse_dataset.py CONFIG`` runs images of a split
through the pipeline of the config, augmentation and all, and draws each as
the network gets it: image | label with CIRL's margin and ignored pixels |
the training points of a head that draws points. ``--views`` runs each image
several times. Random numbers depend on ``--seed`` and the image alone.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

KERNEL = 5  # of the margin where the config has no CIRLHead, as in CIRL


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description="Draw what a config's pipeline feeds its network.")
    add = parser.add_argument
    add('config', help='config file')
    add('--split', choices=('train', 'val', 'test'), default='train',
        help='(default %(default)s)')
    add('--images', nargs='+', default=['8'], metavar='NAME',
        help='names of images, or one number: so many at random '
        '(default 8)')
    add('--views', type=int, default=1,
        help='times that each image is fed (default %(default)s)')
    add('--seed', type=int, default=0,
        help='of the choice, the pipeline and the points (default 0)')
    add('--max-edge', type=int, default=1200,
        help='longest edge of a panel in pixels (default %(default)s)')
    add('--out', type=Path, help='folder for the pictures (default '
        'work_dirs/CONFIG/fed_SPLIT)')
    add('--cfg-options', nargs='+', action=KeyValues,
        help='override settings of the config, key=value')
    args = parser.parse_args(argv)
    if args.views < 1 or args.max_edge < 1:
        parser.error('--views and --max-edge must be at least 1')
    return args


def part_with(module: nn.Module, name: str) -> nn.Module | None:
    """Return the first part of a network that has an attribute."""
    return next((part for part in module.modules()
                 if getattr(part, name, None) is not None), None)


def fed(dataset: Any, index: int, seed: int) -> tuple:
    """Run the pipeline on one image.

    Args:
        dataset (Dataset): Of mmseg.
        index (int): Position.
        seed (int): Of this view.

    Returns:
        tuple: uint8 (H, W, 3) image, RGB; int64 (1, h, w) labels; path.

    Raises:
        ValueError: If the pipeline gives no label, or one of another size.
    """
    from mmengine.runner import set_random_seed

    from mmcrack.visualization import to_picture
    set_random_seed(seed)
    packed = dataset[index]
    inputs, sample = packed['inputs'], packed['data_samples']
    if isinstance(inputs, list):
        raise ValueError('The pipeline makes several views of an image at '
                         'once (TestTimeAug): choose another --split.')
    path = sample.metainfo['img_path']
    if 'gt_sem_seg' not in sample:
        raise ValueError(f'{path} comes without a label: the pipeline needs '
                         'mmcrack.LoadCrackAnnotations.')
    label = sample.gt_sem_seg.data.long()
    if label.shape[1:] != inputs.shape[1:]:
        raise ValueError(
            f'The pipeline gives {path} at {inputs.shape[2]}x'
            f'{inputs.shape[1]} and its label at {label.shape[2]}x'
            f'{label.shape[1]} (width x height): in testing that is as it '
            'should be where Resize stands before the label is loaded; '
            'choose --split train.')
    return to_picture(inputs.numpy().transpose(1, 2, 0)[..., ::-1]), label, \
        path


def draw(image: np.ndarray, label: torch.Tensor, title: str,
         head: nn.Module, args: argparse.Namespace) -> np.ndarray:
    """Draw one view of an image.

    Args:
        image (array): uint8, (H, W, 3), RGB.
        label (Tensor): int64, (1, H, W).
        title (str): Stands above.
        head (nn.Module): The config's head.
        args (argparse.Namespace): With ``seed`` and ``max_edge``.

    Returns:
        array: uint8 picture.
    """
    from mmcrack.functional.regions import binary_label, marginal_region
    from mmcrack.models.task_modules.drawn_points import (
        draw_with_regions,
        perfect_logits,
    )
    from mmcrack.visualization import DrawnPoints
    from mmcrack.visualization.browsing import fed_picture
    cirl = part_with(head, 'marginal_kernel')
    label = binary_label(
        label, crack_class=getattr(head, 'crack_class', 1),
        ignore_index=getattr(head, 'ignore_index', 255))
    margin = marginal_region(
        label, kernel_size=cirl.marginal_kernel if cirl else KERNEL)
    points = None
    drawing = part_with(head, 'train_sampler')
    if drawing is not None and args.split == 'train':
        where, regions = draw_with_regions(
            drawing.train_sampler, label,
            perfect_logits(label, stride=getattr(drawing, 'stride', 4)),
            seed=args.seed)
        points = DrawnPoints('points', where[0].numpy(), regions[0].numpy())
    return fed_picture(
        image, title=title, crack=(label[0] == 1).numpy(),
        margin=margin[0].numpy(), ignored=(label[0] == 255).numpy(),
        points=points, max_long_edge=args.max_edge)


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Draw; return the files.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[Path]: Pictures.

    Raises:
        ValueError: If the config has no such split or an option is wrong.
    """
    from mmengine.registry import DATASETS, MODELS, init_default_scope

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import choose_images
    from mmcrack.visualization import write_picture
    from mmcrack.visualization.browsing import fed_sheet
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    loader = cfg.get(f'{args.split}_dataloader')
    if loader is None:
        raise ValueError(f'The config has no {args.split}_dataloader: choose '
                         'another --split.')
    dataset = DATASETS.build(loader.dataset)
    head = MODELS.build(cfg.model.decode_head)
    stem = Path(args.config).stem
    out = args.out or Path('work_dirs') / stem / f'fed_{args.split}'
    files = []
    for index in choose_images(dataset, args.images, seed=args.seed):
        views, sizes = [], []
        for view in range(args.views):
            image, label, path = fed(
                dataset, index, args.seed + 1000003 * view + index)
            sizes.append(f'{image.shape[1]}x{image.shape[0]}')
            views.append(draw(image, label, f'{Path(path).name}, {sizes[-1]}',
                              head, args))
        files.append(out / f'{index:04d}_{Path(path).stem}.png')
        write_picture(files[-1], fed_sheet(views))
        print(f'{files[-1]}: {args.views} x {sizes[0]}', flush=True)
    return files


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'browse_dataset.py')


if __name__ == '__main__':
    sys.exit(command())
