"""Time CBPRN, PointRend and the bare backbone side by side in one run.

``python tools/benchmark/inference.py`` measures, for each size and network,
seconds per image from the normalised image in the device's memory to logits
of its size (reading, normalising and saving are not in it), as a multiple of
the bare backbone too; the share of pixels predicted again; and the peak
memory of torch's allocator above weights and image. Networks are untrained:
the rendered share is forced. With ``--config``, ``--checkpoint`` and
``--image`` a trained network is measured on photographs, with the share that
it renders there; with ``--point-memory`` the memory of rendering alone; with
``--tiled`` a photograph from its file to its maps, tile by tile, with
``--onnx`` by ONNX Runtime too.
"""

import argparse
import importlib.util
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import measure  # noqa: E402
import networks  # noqa: E402
import tiled  # noqa: E402
import torch  # noqa: E402
from networks import Row, Setting  # noqa: E402
from torch import Tensor  # noqa: E402

DTYPES = dict(fp32=torch.float32, bf16=torch.bfloat16, fp16=torch.float16)
DIVISOR = 32  # ``test_cfg.size_divisor`` of the data preprocessor


def _share(text: str) -> str:
    """Check a share of the command line."""
    if text == networks.OWN:
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError(
            f"wants a share in (0, 100] percent or 'own', got {text!r}")
    return f'{value:g}'


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Time CBPRN, PointRend and the bare backbone in turns.')
    add = parser.add_argument
    add('--sizes', type=measure.image_size, nargs='+',
        metavar='WIDTHxHEIGHT', help='default: 512x512 2560x1440, on a GPU '
        '3840x2160 too; padded to multiples of 32, as in a test')
    add('--shares', type=_share, nargs='+', default=['own', '1', '5', '20'],
        help="percent of the pixels to render; 'own' is PointRend's own "
        'number of points (default: own 1 5 20)')
    add('--layout', choices=('band', 'uniform'), default='band',
        help='forced pixels lie along a wavy line (default), or evenly')
    add('--rows', nargs='+', choices=networks.ROWS,
        help='networks (default: all, with a sweep the backbone)')
    add('--edge-channels', type=int, nargs='+', metavar='N',
        help='also time CBPRN with these widths of the edge branch')
    add('--head-channels', type=int, nargs='+', metavar='N',
        help='and with these of the enhanced map and top-down path; its '
        'other widths go along (detail, heat: half; points: twice)')
    add('--batch', type=int, default=1, help='images at a time (default 1)')
    add('--dtype', choices=DTYPES, default='fp32',
        help='arithmetic, below fp32 by autocast (default fp32; on a GPU '
        "its convolutions use TF32, torch's default)")
    add('--cast', action='store_true',
        help='weights and image in --dtype too, instead of autocast')
    add('--channels-last', action='store_true', help='memory format')
    add('--compile', nargs='?', const='default', metavar='MODE',
        choices=('default', 'reduce-overhead', 'max-autotune',
                 'max-autotune-no-cudagraphs'),
        help='torch.compile the parts of fixed shape')
    add('--chunk-size', type=int, help="in place of CBPRNHead's")
    add('--no-memory', action='store_true', help='skip the peak memory')
    add('--config', help='config of a trained network, or the CBPRN from '
        f'which all rows are derived (default {networks.CONFIG})')
    add('--checkpoint', help='weights of --config, for --image')
    add('--image', type=Path, nargs='+', help='photographs for --checkpoint')
    add('--point-memory', action='store_true',
        help='measure the peak memory of rendering 1 ... 100 %% alone')
    tiled.add_options(parser)
    measure.add_machine_options(parser)
    args = parser.parse_args(argv)
    if args.tiled:
        for wrong in tiled.check(args):
            parser.error(wrong)
    elif args.onnx:
        parser.error('--onnx needs --tiled')
    elif bool(args.checkpoint) != bool(args.image) or (
            args.checkpoint and not args.config):
        parser.error('a trained network needs --config, --checkpoint and '
                     '--image together')
    return args


def test_image(size: Sequence[int], batch: int) -> Tensor:
    """Return normalised noise, padded with 0 to multiples of 32.

    Args:
        size (Sequence[int]): (H, W).
        batch (int): N.

    Returns:
        Tensor: Float32, (N, 3, H', W').
    """
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, *size, generator=draw)
    bottom, right = (-side % DIVISOR for side in size)
    return torch.nn.functional.pad(x, (0, right, 0, bottom))


def build_rows(x: Tensor, args: argparse.Namespace,
               setting: Setting) -> list[Row]:
    """Build all rows that the command line asks for.

    Args:
        x (Tensor): (N, 3, H, W), the image, in place.
        args (argparse.Namespace): The command line.
        setting (Setting): How networks are run.

    Returns:
        list[Row]: The bare backbone first.
    """
    sweep = bool(args.edge_channels or args.head_channels)
    wanted = args.rows or (['backbone'] if sweep else networks.ROWS)
    cfg = networks.read_model(args.config or networks.CONFIG)
    rows = []
    for name in ('backbone', *(n for n in wanted if n != 'backbone')):
        own = cfg
        if name == 'cbprn_lite':
            own = networks.read_model(networks.LITE_CONFIG)
        rows += networks.rows_of(name, own, args.shares, x, setting)
    if sweep:
        for edge in args.edge_channels or [cfg.backbone.channels]:
            for head in args.head_channels or [cfg.decode_head.channels]:
                own = networks.with_widths(cfg, edge=edge, head=head)
                rows += networks.rows_of(f'cbprn, edge {edge}, head {head}',
                                         own, args.shares, x, setting)
    return rows


def measure_rows(rows: Sequence[Row], size: str, num_pixels: int,
                 batch: int, args: argparse.Namespace,
                 device: torch.device) -> list[dict]:
    """Measure rows in turns.

    Args:
        rows (Sequence[Row]): The first is the reference.
        size (str): For the table.
        num_pixels (int): Pixels of the whole batch.
        batch (int): Images of a run.
        args (argparse.Namespace): The command line.
        device (torch.device): Where.

    Returns:
        list[dict]: Lines of the table.
    """
    shares, memory = {}, {}
    for row in rows:
        shares[row.label] = networks.rendered_share(row, num_pixels)
        if not args.no_memory:
            memory[row.label] = measure.peak_memory(row.run, device)
        measure.say(f'{size}: looked at {row.label}')
    seconds = measure.in_turns(
        {row.label: row.run for row in rows},
        repeats=args.repeats,
        warmup=args.warmup,
        device=device,
        say=lambda text: measure.say(f'{size}: {text}'))
    reference = seconds[rows[0].label]
    lines = []
    for row in rows:
        times, share = seconds[row.label], shares[row.label]
        median = statistics.median(times) / batch
        lines.append({
            'size': size,
            'network': row.name,
            'share asked': row.share or '-',
            'share rendered': '-' if share is None else f'{100 * share:.2f} %',
            'seconds per image': f'{median:.4g}',
            'spread': f'{100 * measure.spread(times):.0f} %',
            'images per second': f'{1 / median:.4g}',
            'x backbone': f'{measure.ratio(times, reference):.3f}',
            'peak MiB': f'{memory[row.label]:.0f}' if memory else '-',
        })
    return lines


def trained_rows(path: Path, args: argparse.Namespace,
                 setting: Setting) -> tuple[list[Row], Tensor, str]:
    """Build a trained network and its bare backbone for a photograph.

    Args:
        path (Path): The photograph.
        args (argparse.Namespace): The command line.
        setting (Setting): How networks are run.

    Returns:
        tuple[list[Row], Tensor, str]: Rows, the padded batch of one image,
        and its size before padding.

    Raises:
        ValueError: If the weights do not fit the network.
    """
    from mmengine.config import Config
    from mmseg.structures import SegDataSample

    from mmcrack.datasets.images import read_image
    from mmcrack.engine import checkpoint
    cfg = Config.fromfile(args.config).model
    model = networks.build(cfg)
    state = checkpoint.state_dict_of(
        checkpoint.load_checkpoint(args.checkpoint))
    difference = checkpoint.load_weights(model, state)
    if difference.missing or difference.misshapen:
        raise ValueError(f'--checkpoint {args.checkpoint} does not fit '
                         f'--config: {checkpoint.describe(difference)}')
    picture = read_image(path)
    pixels = torch.from_numpy(picture[..., ::-1].copy()).permute(2, 0, 1)
    data = dict(inputs=[pixels], data_samples=[SegDataSample()])
    x = model.data_preprocessor(data, False)['inputs']
    x = setting.place(x)
    size = tuple(x.shape[-2:])
    metas = [dict(img_shape=size, ori_shape=size)]
    setting.prepare(model)
    backbone = networks.rows_of(
        'backbone', cfg, [], x, setting)
    run = setting.guard(lambda: model.inference(x, metas))
    row = Row(Path(args.config).stem, 'interval', run,
              model.decode_head if hasattr(
                  model.decode_head, 'predict_points') else None)
    return [*backbone, row], x, f'{picture.shape[1]}x{picture.shape[0]}'


def point_memory(x: Tensor, args: argparse.Namespace,
                 setting: Setting) -> list[dict]:
    """Measure the memory of rendering alone, in chunks and in one go.

    Args:
        x (Tensor): (N, 3, H, W), the image.
        args (argparse.Namespace): The command line.
        setting (Setting): How networks are run.

    Returns:
        list[dict]: Lines of the table.
    """
    cfg = networks.read_model(args.config or networks.CONFIG)
    model = setting.prepare(networks.build(cfg))
    head, size = model.decode_head, tuple(x.shape[-2:])
    small = [side // head.stride for side in size]
    dtype = setting.dtype
    features, logits = (
        torch.randn(len(x), width, *small).to(setting.device, dtype)
        for width in (cfg.decode_head.channels, head.out_channels))
    own, lines = head.chunk_size, []
    for share in (1, 2, 5, 10, 20, 50, 100):
        mask = networks.forced_mask(size, share / 100, setting.layout)
        head.test_sampler = networks.ForcedShare(mask.to(setting.device))
        run = setting.guard(lambda: head.render(features, logits, size))
        peaks = []
        for chunk in (own, size[0] * size[1]):
            head.chunk_size = chunk
            peaks.append(measure.peak_memory(run, setting.device))
        measure.say(f'{size[1]}x{size[0]}: rendered {share} %')
        lines.append({
            'size': f'{size[1]}x{size[0]}',
            'share': f'{share} %',
            'points': int(mask.sum()) * len(x),
            f'peak MiB, chunks of {own}': f'{peaks[0]:.1f}',
            'peak MiB, one chunk': f'{peaks[1]:.1f}',
        })
    return lines


def measure_all(args: argparse.Namespace, setting: Setting,
                heading: str) -> list[dict]:
    """Measure sizes or photographs one after the other.

    The table is saved after each, so that a run that breaks off leaves what
    it has.
    """
    lines: list[dict] = []
    for path in args.image or ():
        rows, x, size = trained_rows(path, args, setting)
        lines += measure_rows(rows, f'{path.name} {size}', x[:, 0].numel(),
                              1, args, setting.device)
        measure.save(lines, args.out, heading)
    for size in () if args.image else args.sizes:
        x = setting.place(test_image(size, args.batch))
        if args.point_memory:
            lines += point_memory(x, args, setting)
        else:
            rows = build_rows(x, args, setting)
            lines += measure_rows(rows, f'{size[1]}x{size[0]}',
                                  x[:, 0].numel(), args.batch, args,
                                  setting.device)
            del rows
        measure.save(lines, args.out, heading)
    return lines


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure; print and save the table.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[dict]: Lines of the table.

    Raises:
        ValueError: If an option is out of its range.
    """
    args = parse_args(argv)
    if args.batch < 1 or (args.chunk_size or 1) < 1:
        raise ValueError('--batch and --chunk-size must be at least 1, got '
                         f'{args.batch} and {args.chunk_size}.')
    device = measure.prepare_machine(args)
    if args.sizes is None:
        args.sizes = [(512, 512), (1440, 2560)]
        args.sizes += [(2160, 3840)] if device.type == 'cuda' else []
    if args.tiled:
        heading = (f'Tiled inference of {Path(args.config).stem}, overlap '
                   f'{args.overlap}, batch {args.batch}, {args.dtype}: '
                   f'{measure.describe_machine(device)}; fastest of '
                   f'{args.repeats} runs.')
        lines = tiled.tiled_lines(args, device, heading)
        print(f'{heading}\n\n{measure.markdown(lines)}')
        return lines
    setting = Setting(
        device=device,
        dtype=DTYPES[args.dtype],
        cast=args.cast,
        channels_last=args.channels_last,
        compile_mode=args.compile,
        chunk_size=args.chunk_size,
        layout=args.layout)
    extras = [f'batch {args.batch}', args.dtype]
    extras += ['cast'] if args.cast else []
    extras += ['channels last'] if args.channels_last else []
    extras += [f'compile {args.compile}'] if args.compile else []
    extras += [f'chunk {args.chunk_size}'] if args.chunk_size else []
    extras += [] if args.image else [f'forced pixels: {args.layout}']
    heading = (f'Inference, {", ".join(extras)}: '
               f'{measure.describe_machine(device)}; median of '
               f'{args.repeats} rounds in turns.')
    lines = measure_all(args, setting, heading)
    print(f'{heading}\n\n{measure.markdown(lines)}')
    return lines


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'inference.py')


if __name__ == '__main__':
    sys.exit(command())
