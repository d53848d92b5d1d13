"""Images per second and peak memory of any networks, side by side.

``python tools/benchmark/throughput.py CONFIG... --sizes 512x512
--reference NAME`` times networks in turns (A B C, C B A, ...), so that
whatever else the machine does hits all alike, from the normalised image in
the device's memory to logits of its size. ``--table TABLE.yaml`` takes the
rows of a table. Weights are random and change no time; how much a rendering
head renders does, so that is forced (``--share``), while PointRend takes its
own number of points. The last column tells how many times as many images per
second a network does as the mean of those that match ``--reference``; it is
the median over the rounds.
"""

import argparse
import fnmatch
import gc
import importlib.util
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import measure  # noqa: E402
import networks  # noqa: E402
import torch  # noqa: E402
from cost import test_parameters  # noqa: E402
from inference import DTYPES  # noqa: E402
from networks import Setting  # noqa: E402
from torch import Tensor, nn  # noqa: E402


class Entry(NamedTuple):
    """A network to time.

    Attributes:
        name (str): In the table.
        model (nn.Module): Ready to predict.
        parameters (int): Those that predict.
    """

    name: str
    model: nn.Module
    parameters: int


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Time any networks side by side.')
    add = parser.add_argument
    add('configs', nargs='*', metavar='[NAME=]CONFIG',
        help='config files; the name is that of the file unless given')
    add('--table', type=Path, help='take the rows of this table too')
    add('--sizes', type=measure.image_size, nargs='+', default=[(512, 512)],
        metavar='WIDTHxHEIGHT', help='default 512x512')
    add('--reference', help='name or pattern such as "PointRend*" of the '
        'rows to which the others are compared (default: the first)')
    add('--batch', type=int, default=1, help='images at a time (default 1)')
    add('--share', type=float, default=5., metavar='PERCENT',
        help='pixels that CBPRN renders (default %(default)s)')
    add('--dtype', choices=DTYPES, default='fp32',
        help='arithmetic, below fp32 by autocast (default %(default)s)')
    add('--cast', action='store_true',
        help='weights and image in --dtype too, instead of autocast')
    add('--channels-last', action='store_true', help='memory format')
    add('--no-memory', action='store_true', help='skip the peak memory')
    measure.add_machine_options(parser)
    args = parser.parse_args(argv)
    if not args.configs and args.table is None:
        parser.error('give configs, or --table')
    if args.batch < 1 or not 0 <= args.share <= 100:
        parser.error('--batch must be at least 1 and --share lie between 0 '
                     'and 100')
    return args


def chosen(args: argparse.Namespace) -> dict[str, str]:
    """Return the networks to time.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        dict[str, str]: Configs by name.

    Raises:
        ValueError: If a name stands twice or ``--reference`` fits none.
    """
    pairs = []
    for text in args.configs:
        name, found, path = text.partition('=')
        pairs.append((name, path) if found else (Path(text).stem, text))
    if args.table:
        from tables import read_table

        from mmcrack.paths import config_path
        root = Path(config_path('_base_/default_runtime')).parents[1]
        table = read_table(args.table, root)
        rows = {row.name: row for row in table.rows}
        pairs += [(name, str(rows[name].config)) for name in table.order
                  if rows[name].config and rows[name].show]
    names = [name for name, _ in pairs]
    twins = [name for name in names if names.count(name) > 1]
    if twins:
        raise ValueError(f'Two networks are called {twins[0]!r}: give '
                         'NAME=CONFIG.')
    if args.reference and not fnmatch.filter(names, args.reference):
        raise ValueError(f'--reference {args.reference!r} fits none of '
                         f'{", ".join(names)}.')
    return dict(pairs)


def load(name: str, path: str, setting: Setting) -> Entry:
    """Build a network with random weights.

    Args:
        name (str): In the table.
        path (str): Its config.
        setting (Setting): How it is run.
    """
    from mmengine.model import revert_sync_batchnorm

    from mmcrack.engine.launch import load_config
    cfg = load_config(path).model
    cfg = cfg.copy()
    if 'coarse_checkpoint' in cfg:
        cfg.update(coarse_checkpoint=None, random_coarse=True)
    model = revert_sync_batchnorm(networks.build(cfg))
    return Entry(name, setting.prepare(model), test_parameters(model))


def prepared_run(model: nn.Module, image: Tensor, share: float,
                 setting: Setting) -> Callable[[], Tensor]:
    """Return the call that is timed.

    Args:
        model (nn.Module): A segmentor.
        image (Tensor): Float32, (N, 3, H, W), normalised; is padded with 0
            as the network's preprocessor does in a test.
        share (float): Of the pixels that a rendering head renders.
        setting (Setting): How it is run.

    Returns:
        Callable: Predicts logits.
    """
    rules = getattr(model.data_preprocessor, 'test_cfg', None) or {}
    divisor = rules.get('size_divisor') or 1
    bottom, right = (-side % divisor for side in image.shape[-2:])
    image = setting.place(nn.functional.pad(image, (0, right, 0, bottom)))
    size = tuple(image.shape[-2:])
    mask = networks.forced_mask(size, share, setting.layout)
    for module in model.modules():
        if hasattr(module, 'test_sampler'):
            module.test_sampler = networks.ForcedShare(
                mask.to(setting.device))
    metas = [dict(img_shape=size, ori_shape=size, pad_shape=size,
                  padding_size=[0] * 4)] * len(image)
    return setting.guard(partial(model.inference, image, metas))


def speed_ratio(times: Sequence[float],
                references: Sequence[Sequence[float]]) -> float:
    """Compare images per second with the mean of others.

    Args:
        times (Sequence[float]): Seconds of each round.
        references (Sequence[Sequence[float]]): The same of each reference.

    Returns:
        float: Median over the rounds of (1 / time) / mean(1 / reference).
    """
    rounds = zip(times, *references, strict=True)
    return statistics.median(
        1 / own / statistics.fmean(1 / t for t in others)
        for own, *others in rounds)


def lines_of(entries: Sequence[Entry], seconds: Mapping[str, list[float]],
             memory: Mapping[str, float], size: str,
             args: argparse.Namespace) -> list[dict[str, str]]:
    """Return the lines of the table for one size.

    Args:
        entries (Sequence[Entry]): All networks.
        seconds (Mapping): Of each round, for those that ran.
        memory (Mapping): Peak, MiB, for those that were looked at.
        size (str): In words.
        args (argparse.Namespace): With ``reference`` and ``batch``.
    """
    pattern = args.reference or entries[0].name
    references = [seconds[name] for name in seconds
                  if name == pattern or fnmatch.fnmatchcase(name, pattern)]
    lines = []
    for entry in entries:
        times = seconds.get(entry.name)
        median = statistics.median(times) / args.batch if times else 0.
        lines.append({
            'size': size,
            'network': entry.name,
            'parameters [M]': f'{entry.parameters / 1e6:.2f}',
            'seconds per image': f'{median:.4g}' if times else 'failed',
            'spread': f'{100 * measure.spread(times):.0f} %' if times else '',
            'images per second': f'{1 / median:.4g}' if times else '',
            'peak MiB': f'{memory[entry.name]:.0f}'
                        if entry.name in memory else '',
            f'times as fast as {pattern}':
                f'{speed_ratio(times, references):.3f}'
                if times and references else '',
        })
    return lines


def measure_size(entries: Sequence[Entry], size: Sequence[int],
                 args: argparse.Namespace,
                 setting: Setting) -> list[dict[str, str]]:
    """Measure all networks at one size.

    Args:
        entries (Sequence[Entry]): The networks.
        size (Sequence[int]): (H, W).
        args (argparse.Namespace): The command line.
        setting (Setting): How networks are run.

    Returns:
        list[dict[str, str]]: Lines of the table; a network that cannot run
        at this size, for lack of memory for example, is told and left out.
    """
    draw = torch.Generator().manual_seed(0)
    image = torch.randn(args.batch, 3, *size, generator=draw)
    words = f'{size[1]}x{size[0]}'
    jobs, memory = {}, {}
    for entry in entries:
        run = prepared_run(entry.model, image, args.share / 100, setting)
        try:
            if args.no_memory:
                run()
            else:
                memory[entry.name] = measure.peak_memory(run, setting.device)
            jobs[entry.name] = run
            measure.say(f'{words}: looked at {entry.name}')
        except (RuntimeError, ValueError, AssertionError) as error:
            measure.say(f'{words}: {entry.name} FAILED: '
                        f'{str(error).splitlines()[0]}')
        gc.collect()
        if setting.device.type == 'cuda':
            torch.cuda.empty_cache()
    seconds = measure.in_turns(
        jobs, repeats=args.repeats, warmup=args.warmup,
        device=setting.device,
        say=lambda text: measure.say(f'{words}: {text}'))
    return lines_of(entries, seconds, memory, words, args)


def main(argv: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Measure; print and save the table after each size.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[dict[str, str]]: Lines of the table.

    Raises:
        ValueError: If an option is out of its range.
    """
    import logging

    from mmengine.logging import MMLogger
    args = parse_args(argv)
    pairs = chosen(args)
    device = measure.prepare_machine(args)
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    setting = Setting(device=device, dtype=DTYPES[args.dtype],
                      cast=args.cast, channels_last=args.channels_last)
    extras = [f'batch {args.batch}', args.dtype]
    extras += ['cast'] if args.cast else []
    extras += ['channels last'] if args.channels_last else []
    heading = (f'Inference, {", ".join(extras)}, CBPRN renders '
               f'{args.share:g} %: {measure.describe_machine(device)}; '
               f'median of {args.repeats} rounds in turns.')
    entries = []
    for name, path in pairs.items():
        entries.append(load(name, path, setting))
        measure.say(f'built {name}')
    lines: list[dict[str, str]] = []
    for size in args.sizes:
        lines += measure_size(entries, size, args, setting)
        measure.save(lines, args.out, heading)
    print(f'{heading}\n\n{measure.markdown(lines)}')
    return lines


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'throughput.py')


if __name__ == '__main__':
    sys.exit(command())
