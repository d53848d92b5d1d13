"""See whether networks can learn a few crops by heart.

``python tools/benchmark/overfit.py CONFIG...`` builds each config's network
and optimiser, cuts crack-centred crops out of a few training photographs and
trains on all of them at once, without augmentation, schedule or hooks, until
the crack IoU on these crops, in eval mode, is above ``--iou`` or the time is
up. A network or a loss that cannot do this has a fault. Exit code 1 if one
missed or failed.
"""

import argparse
import importlib.util
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

LOOK_EVERY = 20
CRACK = 1


class Result(NamedTuple):
    """How far a network came.

    Attributes:
        iterations (int): Steps of the optimiser.
        seconds (float): Training and looking.
        iou (float): Crack IoU of all crops together, in [0, 1].
        loss (float): Of the last step.
    """

    iterations: int
    seconds: float
    iou: float
    loss: float


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description='See whether networks can learn a few crops by heart.')
    add = parser.add_argument
    add('configs', nargs='+', help='config files')
    add('--images', type=int, default=4, help='crops (default %(default)s)')
    add('--size', type=int, default=128,
        help='edge of a crop in pixels (default %(default)s)')
    add('--minutes', type=float, default=4.,
        help='for each network at most (default %(default)s)')
    add('--iterations', type=int, help='for each network at most')
    add('--iou', type=float, default=0.85,
        help='crack IoU to pass (default %(default)s)')
    add('--seed', type=int, default=0, help='(default %(default)s)')
    add('--threads', type=int, default=1, help='(default %(default)s)')
    add('--device', default='cpu', help='(default %(default)s)')
    add('--dtype', choices=('auto', 'fp32', 'bf16'), default='auto',
        help='autocast; auto: bf16 where the machine computes in it')
    add('--csv', type=Path, help='file for the table')
    add('--cfg-options', nargs='+', action=KeyValues,
        help='override settings of the configs, key=value')
    args = parser.parse_args(argv)
    if min(args.images, args.size, args.threads) < 1 or args.minutes <= 0:
        parser.error('--images, --size and --threads must be at least 1 and '
                     '--minutes above 0')
    if not 0 < args.iou < 1:
        parser.error(f'--iou must lie between 0 and 1, got {args.iou:g}')
    return args


def computes_in_bf16(device: str) -> bool:
    """Tell whether bfloat16 is native there (emulated, it is slower)."""
    if device.startswith('cuda'):
        return torch.cuda.is_bf16_supported()
    return getattr(torch.ops.mkldnn, '_is_mkldnn_bf16_supported',
                   lambda: False)()


def crack_crops(dataset: Sequence[dict], count: int, size: int,
                seed: int) -> list[dict]:
    """Cut one crop around a crack out of each of some photographs.

    Args:
        dataset (Sequence[dict]): Whole images as a test reads them: 'inputs'
            uint8 (C, H, W) and 'data_samples' with ``gt_sem_seg``.
        count (int): Photographs, drawn at random among those with a crack.
        size (int): Edge, in pixels; smaller photographs are filled up with
            0, without a label.
        seed (int): Of the draw.

    Returns:
        list[dict]: The same keys, (C, size, size) and (1, size, size).

    Raises:
        ValueError: If too few photographs have a crack.
    """
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample
    rng = np.random.default_rng(seed)
    crops = []
    for index in rng.permutation(len(dataset)):
        packed = dataset[int(index)]
        image = packed['inputs']
        label = packed['data_samples'].gt_sem_seg.data
        places = (label[0] == CRACK).nonzero()
        if not len(places) or tuple(label.shape[1:]) != tuple(
                image.shape[1:]):
            continue
        middle = places[int(rng.integers(len(places)))].tolist()
        window = []
        for centre, full in zip(middle, image.shape[1:], strict=True):
            start = max(0, min(centre - size // 2, full - size))
            window.append(slice(start, start + size))
        cut, truth = image[:, window[0], window[1]], label[
            :, window[0], window[1]]
        below, right = (size - s for s in cut.shape[1:])
        pad = (0, right, 0, below)
        cut = nn.functional.pad(cut, pad)
        truth = nn.functional.pad(truth, pad, value=255)
        sample = SegDataSample(
            gt_sem_seg=PixelData(data=truth),
            metainfo=dict(img_shape=(size, size), ori_shape=(size, size),
                          img_path=packed['data_samples'].img_path))
        crops.append(dict(inputs=cut, data_samples=sample))
        if len(crops) == count:
            return crops
    raise ValueError(f'The training set has {len(crops)} photographs with a '
                     f'crack, --images wants {count}: ask for fewer.')


def batch_of(crops: Sequence[dict]) -> dict[str, list]:
    """Return a fresh batch of crops, as a data loader gives it."""
    return dict(inputs=[c['inputs'] for c in crops],
                data_samples=[c['data_samples'].clone() for c in crops])


@torch.no_grad()
def crack_iou(model: nn.Module, crops: Sequence[dict]) -> float:
    """Score a network on crops.

    Args:
        model (nn.Module): A segmentor; is left in training mode.
        crops (Sequence[dict]): From :func:`crack_crops`.

    Returns:
        float: Pooled IoU of the crack, in [0, 1].
    """
    model.eval()
    samples = model.test_step(batch_of(crops))
    model.train()
    hit = union = 0
    for sample in samples:
        truth = sample.gt_sem_seg.data
        valid = truth != 255
        truth = truth == CRACK
        found = (sample.pred_sem_seg.data.to(truth.device) == CRACK) & valid
        hit += int((found & truth).sum())
        union += int((found | truth).sum())
    return hit / max(1, union)


def prepare(cfg: Any, args: argparse.Namespace) -> tuple[nn.Module, Any]:
    """Build network and optimiser.

    Args:
        cfg (Config): Any OpenMMLab config; is changed.
        args (argparse.Namespace): The command line.

    Returns:
        tuple[nn.Module, OptimWrapper]: Initialised, in training mode.
    """
    from mmengine.model import revert_sync_batchnorm
    from mmengine.optim import build_optim_wrapper
    from mmengine.registry import MODELS

    from mmcrack.engine import launch
    torch.manual_seed(args.seed)
    bf16 = args.dtype == 'bf16' or (
        args.dtype == 'auto' and computes_in_bf16(args.device))
    if bf16:
        launch.enable_amp(cfg)
    preprocessor = cfg.model.get('data_preprocessor')
    if preprocessor is not None and preprocessor.get('size') is not None:
        preprocessor.size = (args.size, args.size)
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    model.init_weights()
    model = model.to(args.device, memory_format=torch.channels_last)
    # MMSegmentation's ResNet returns nothing from train().
    model.train()
    return model, build_optim_wrapper(model, cfg.optim_wrapper)


def learn(model: nn.Module, optimiser: Any, crops: Sequence[dict],
          args: argparse.Namespace) -> Result:
    """Train until the crops are known or the time is up.

    Args:
        model (nn.Module): In training mode.
        optimiser (OptimWrapper): Its optimiser.
        crops (Sequence[dict]): The whole batch of each iteration.
        args (argparse.Namespace): With ``minutes``, ``iterations``, ``iou``.

    Returns:
        Result: Where it ended.
    """
    start, done, loss = time.monotonic(), 0, float('nan')
    while True:
        log = model.train_step(batch_of(crops), optimiser)
        done, loss = done + 1, float(log['loss'].detach())
        seconds = time.monotonic() - start
        over = seconds > 60 * args.minutes or done == args.iterations \
            or not np.isfinite(loss)
        if over or done % LOOK_EVERY == 0:
            iou = crack_iou(model, crops)
            if done % (10 * LOOK_EVERY) == 0:
                print(f'  iteration {done}, {seconds:.0f} s: loss '
                      f'{loss:.4f}, IoU {iou:.3f}', file=sys.stderr,
                      flush=True)
            if over or iou > args.iou:
                return Result(done, time.monotonic() - start, iou, loss)


def try_config(path: str, args: argparse.Namespace) -> dict[str, str]:
    """Let one config's network learn.

    Args:
        path (str): The config.
        args (argparse.Namespace): The command line.

    Returns:
        dict[str, str]: One line of the table.
    """
    from mmengine.registry import init_default_scope

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import whole_images
    cfg = load_config(path, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    crops = crack_crops(whole_images(cfg, 'train'), args.images, args.size,
                        args.seed)
    from cost import cost_of
    parameters, flops = cost_of(cfg, (args.size, args.size))
    model, optimiser = prepare(cfg, args)
    result = learn(model, optimiser, crops, args)
    return line_of(
        path, 'yes' if result.iou > args.iou else 'no',
        parameters=f'{parameters / 1e6:.3f} M',
        GFLOPs='?' if flops is None else f'{flops:.4g}',
        iterations=str(result.iterations),
        seconds=f'{result.seconds:.0f}',
        loss=f'{result.loss:.4f}',
        IoU=f'{result.iou:.3f}')


def line_of(path: str, passed: str, **figures: str) -> dict[str, str]:
    """Return a line of the table; figures that are missing are empty."""
    columns = ('parameters', 'GFLOPs', 'iterations', 'seconds', 'loss', 'IoU')
    return dict(network=Path(path).stem, passed=passed,
                **{c: figures.get(c, '') for c in columns})


def main(argv: Sequence[str] | None = None) -> int:
    """Try all configs; print and save the table.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        int: 0 if all passed, else 1.
    """
    import measure
    from mmengine.logging import MMLogger

    from mmcrack.engine.sentences import explain
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    heading = (f'{args.images} crops of {args.size} x {args.size}, seed '
               f'{args.seed}, at most {args.minutes:g} minutes, wanted IoU > '
               f'{args.iou:g}; GFLOPs of one crop; '
               f'{measure.describe_machine(torch.device(args.device))}')
    lines: list[dict] = []
    for path in args.configs:
        measure.say(f'{len(lines) + 1} of {len(args.configs)}: {path}')
        try:
            lines.append(try_config(path, args))
        except Exception as error:
            if len(args.configs) == 1:
                raise
            words = explain(error) or f'{type(error).__name__}: {error}'
            print(f'{path}: {words}', file=sys.stderr, flush=True)
            lines.append(line_of(path, 'failed'))
        print(', '.join(f'{k} {v}' for k, v in lines[-1].items() if v),
              flush=True)
        measure.save(lines, [args.csv] if args.csv else [], heading)
    print(f'{heading}\n\n{measure.markdown(lines)}')
    return int(any(line['passed'] != 'yes' for line in lines))


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    codes: list[int] = []
    return run_tool(lambda: codes.append(main()), 'overfit.py') or codes[0]


if __name__ == '__main__':
    sys.exit(command())
