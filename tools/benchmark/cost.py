"""What a network costs in a test, and on which images it is trained.

``python tools/benchmark/cost.py CONFIG --shape 512 512 --out FILE.json`` is
what ``run_table.py`` asks of each row before it trains it.
"""

import argparse
import importlib.util
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'analysis'))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import get_flops  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

TRAINING_ONLY = ('auxiliary_head', 'std_head')


def test_parameters(model: nn.Module) -> int:
    """Count the parameters that predict.

    Args:
        model (nn.Module): A segmentor.

    Returns:
        int: All but those of auxiliary heads, CIRL's std head and losses.
    """
    return sum(
        p.numel() for name, p in model.named_parameters()
        if not any(part in TRAINING_ONLY or part.startswith('loss_')
                   for part in name.split('.')))


def cost_of(cfg: Any, shape: Sequence[int],
            share: float = 0.05) -> tuple[int, float]:
    """Count a network's parameters and its operations for one image.

    Args:
        cfg (Config): A whole config.
        shape (Sequence[int]): (H, W) of the image.
        share (float): Pixels that a rendering head renders, in [0, 1].

    Returns:
        tuple[int, float]: Parameters, and operations in billions
        (two for each multiply-add of convolutions, matrix products and
        attention).
    """
    import copy
    logging.getLogger('mmengine').setLevel(logging.ERROR)
    cfg = copy.deepcopy(cfg)
    if 'coarse_checkpoint' in cfg.model:
        # Weights change no cost, and need not be there yet.
        cfg.model.update(coarse_checkpoint=None, random_coarse=True)
    model = get_flops.build(cfg, share)
    parameters = test_parameters(model)
    image = get_flops.image_for(model, shape)
    try:
        counts = get_flops.analyse(model, image)
    except (RuntimeError, TypeError, NotImplementedError):
        # Unpooling cannot be traced by every release of torch.
        return parameters, counted_while_running(model, image) / 1e9
    return parameters, 2 * get_flops.macs_of(counts['']) / 1e9


def counted_while_running(model: nn.Module, image: torch.Tensor) -> int:
    """Count the operations of one prediction as they are called.

    Args:
        model (nn.Module): A segmentor.
        image (Tensor): Float, (1, 3, H, W).

    Returns:
        int: Two for each multiply-add of convolutions, matrix products and
        attention; equal to the traced count where both can be had.
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image, mode='tensor')
    return counter.get_total_flops()


def images_of(cfg: Any) -> dict[str, Any]:
    """Look at the images of a config's splits.

    Args:
        cfg (Config): A whole config.

    Returns:
        dict[str, Any]: 'images' by split; 'own_validation': whether there is
        a val split that shares no image with train and test;
        'epoch_length': iterations.
    """
    from mmcrack.engine.trained import whole_images
    paths: dict[str, list[str]] = {}
    for split in ('train', 'val', 'test'):
        if cfg.get(f'{split}_dataloader') is not None:
            images = whole_images(cfg, split)
            paths[split] = [str(images.get_data_info(i)['img_path'])
                            for i in range(len(images))]
    val = set(paths.get('val', ()))
    others = {p for split in ('train', 'test') for p in paths.get(split, ())}
    loader, count = cfg.train_dataloader, len(paths['train'])
    batch = loader.get('batch_size', 1)
    length = count // batch if loader.get('drop_last') else -(-count // batch)
    return dict(images={split: len(p) for split, p in paths.items()},
                own_validation=bool(val) and not val & others,
                epoch_length=max(1, length))


def main(argv: Sequence[str] | None = None) -> None:
    """Look at a config; write what was seen.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.
    """
    from mmengine.registry import init_default_scope

    from mmcrack.engine.launch import load_config
    parser = argparse.ArgumentParser(
        description='Look at the cost and the images of a config.')
    parser.add_argument('config')
    parser.add_argument('--shape', type=int, nargs=2, default=[512, 512])
    parser.add_argument('--images-only', action='store_true')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args(argv)
    cfg = load_config(args.config)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    found = images_of(cfg)
    found['parameters'], found['gflops'] = (
        (None, None) if args.images_only else cost_of(cfg, args.shape))
    part = args.out.with_suffix('.part')
    part.write_text(json.dumps(found))
    part.replace(args.out)


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    torch.set_num_threads(1)
    return run_tool(main, 'cost.py')


if __name__ == '__main__':
    sys.exit(command())
