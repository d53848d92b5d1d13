"""Draw how CIRL's variance went in trainings, from their logs.

``python tools/analysis/variance_curves.py WORK_DIR... --out FIGURE.png``
reads the newest ``scalars.json`` of each work folder (of all its runs, where
a training was resumed) and the config beside it.
"""

import argparse
import importlib.util
import math
import sys
from collections.abc import Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.config import Config

from mmcrack.engine.logs import read_scalars
from mmcrack.visualization.plots import write_figure
from mmcrack.visualization.variance_curves import VarianceLog, variance_figure

KEYS = ('variance_crack', 'variance_margin', 'variance_margin_q90',
        'variance_background', 'ambiguous_share')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('work_dirs', nargs='+', type=Path)
    parser.add_argument('--titles', nargs='+', help='one for each folder')
    parser.add_argument('--window', type=int, default=5,
                        help='logged values to each running median')
    parser.add_argument('--out', type=Path, default=Path('variance.png'))
    args = parser.parse_args(argv)
    if args.titles and len(args.titles) != len(args.work_dirs):
        parser.error(f'--titles wants {len(args.work_dirs)} titles, one for '
                     f'each folder, got {len(args.titles)}')
    if args.window < 1 or args.window % 2 == 0:
        parser.error(f'--window must be odd and at least 1, got '
                     f'{args.window}')
    return args


def read_log(work_dir: Path, title: str) -> VarianceLog:
    """Return what a training logged, with its threshold and switch.

    Raises:
        FileNotFoundError: If the folder has no log.
        ValueError: If the log has no variance.
    """
    rows = read_scalars(work_dir, keys=KEYS)
    if not rows:
        raise ValueError(
            f'The log of {work_dir} holds no variance: only the training of '
            'a mmcrack.CIRLHead logs one.')
    steps = sorted(rows)
    figures = {key: [rows[step].get(key, math.nan) for step in steps]
               for key in KEYS}
    switch = next((step for step in steps if 'loss_std' in rows[step]), None)
    threshold = None
    configs = sorted(work_dir.glob('*.py'))
    if configs:
        head = Config.fromfile(configs[-1]).model.get('decode_head', {})
        value = head.get('variance_threshold', 0.4)
        threshold = value if not isinstance(value, str) else None
    return VarianceLog(title, steps, figures, threshold, switch)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw; errors in one sentence.

    Returns:
        int: 0, or 2 if a folder cannot be read.
    """
    args = parse_args(argv)
    titles = args.titles or [path.name for path in args.work_dirs]
    try:
        logs = [read_log(path, title)
                for path, title in zip(args.work_dirs, titles, strict=True)]
        write_figure(args.out, variance_figure(logs, window=args.window))
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f'Wrote {args.out}.')
    return 0


if __name__ == '__main__':
    sys.exit(main())
