"""Make an inspection report of a folder that ``tools/infer.py`` wrote.

``python tools/analysis/crack_report.py INFER_OUT --out report/`` measures
the cracks of all masks and writes ``index.html``, one page that needs no
network and prints well: a table by severity, a histogram of widths, and each
photograph with layers (mask, probability, variance, widths) and its widest
places. With ``--mm-per-px`` (or EXIF, or a table) widths are in millimetres.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; what is not given is left to the classes."""
    parser = argparse.ArgumentParser(
        description='Make an inspection report of a folder that '
        'tools/infer.py wrote.', argument_default=argparse.SUPPRESS)
    add = parser.add_argument
    add('run', type=Path, metavar='INFER_OUT', help='its --out folder')
    add('--out', type=Path, required=True, metavar='DIR')
    add('--title', help='of the page')
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument('--mm-per-px', type=float,
                       help='millimetres on the surface')
    scale.add_argument(
        '--scales', type=Path, metavar='CSV',
        help='columns image and mm_per_px, or image, distance_mm, focal_mm '
        'and sensor_width_mm')
    scale.add_argument(
        '--exif', action='store_true',
        help='read the camera from the photographs; with --distance-mm '
        'where they do not know it')
    add('--distance-mm', type=float, help='from the lens to the surface')
    add('--width-limits', type=float, nargs='+', metavar='W',
        help='of the classes, in mm, or in px without scale (default 0.1 '
        '0.2 0.3 mm, 3 6 12 px)')
    add('--min-length', type=float, metavar='L',
        help='leave out shorter cracks, in mm, or in px without scale')
    add('--photographs', type=int, metavar='N',
        help='to show with pictures, the widest cracks first (default 100)')
    add('--megabytes', type=float, metavar='MB',
        help='of the page, about (default 60)')
    return parser.parse_args(argv)


def scale_function(args: argparse.Namespace
                   ) -> Callable[[dict], float] | None:
    """Return how a record's millimetres per pixel are found, if they are.

    Raises:
        FileNotFoundError: If the table is not there.
        ValueError: If the table or a number is wrong.
    """
    from mmcrack import measurement as m
    from mmcrack.measurement.scale import check_scale
    if 'distance_mm' in args and 'exif' not in args:
        raise ValueError('--distance-mm needs --exif; a camera without EXIF '
                         'is described in a table: --scales.')
    if 'mm_per_px' in args:
        scale = check_scale(args.mm_per_px, name='--mm-per-px')
        return lambda record: scale
    if 'scales' in args:
        table = m.read_scales(args.scales)

        def from_table(record: dict) -> float:
            name = Path(record['file']).stem
            if name not in table:
                raise ValueError(f'{args.scales} has no row for {name}.')
            size = record['figures']
            return m.scale_from_row(
                table[name], width_px=max(size['width'], size['height']))

        return from_table
    if 'exif' not in args:
        return None

    def from_exif(record: dict) -> float:
        scale = m.scale_from_exif(
            record['file'], distance_mm=getattr(args, 'distance_mm', None))
        if scale is None:
            raise ValueError(
                f'{record["file"]} does not say what a pixel measures: give '
                '--distance-mm, or a table with --scales.')
        return scale

    return from_exif


def main(argv: Sequence[str] | None = None) -> Path:
    """Measure, draw and write; return the page.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        Path: ``index.html``.

    Raises:
        ValueError: If an option is wrong.
        FileNotFoundError: If the folder holds no run.
    """
    from mmcrack.evaluation.report_formats import check_writable
    from mmcrack.inference.crack_page import PageLimits, write_crack_page
    from mmcrack.inference.survey import take_survey
    args = parse_args(argv)
    for name in ('photographs', 'megabytes'):
        if getattr(args, name, 1) <= 0:
            raise ValueError(f'--{name} must be positive, got '
                             f'{getattr(args, name)}.')
    if not getattr(args, 'min_length', 0) >= 0:
        raise ValueError('--min-length must not be negative, got '
                         f'{args.min_length}.')

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    survey = take_survey(args.run, scale_of=scale_function(args),
                         limits=getattr(args, 'width_limits', None),
                         min_length=getattr(args, 'min_length', 0.0),
                         tell=tell)
    target = args.out / 'index.html'
    check_writable(target)
    limits = PageLimits(**{name: getattr(args, name) for name in (
        'photographs', 'megabytes') if name in args})
    title = {'title': args.title} if 'title' in args else {}
    write_crack_page(survey, target, limits=limits, tell=tell, **title)
    print(f'The page is {target} ({target.stat().st_size / 1e6:.1f} MB)')
    return target


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'crack_report.py')


if __name__ == '__main__':
    sys.exit(command())
