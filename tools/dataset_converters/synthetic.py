"""Write a set of synthetic crack photographs with exact masks."""

import argparse
import sys
from pathlib import Path

import cv2

from mmcrack.datasets.synthetic import baseline_scores, write_dataset


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line.

    Args:
        argv (list[str] | None): Arguments; None reads the command line.

    Returns:
        argparse.Namespace: The options.
    """
    parser = argparse.ArgumentParser(
        description='Write synthetic photographs of cracked concrete: '
        'images/<split>, masks/<split> (0 and 1), truth/<split> (centreline '
        'and width of every crack) and manifest.json.')
    parser.add_argument('out_dir', help='folder to write into')
    for split, count in (('train', 200), ('val', 20), ('test', 40)):
        parser.add_argument(
            f'--{split}', type=int, default=count, metavar='N',
            help=f'pictures of the {split} split (default %(default)s)')
    parser.add_argument(
        '--size', type=int, nargs=2, default=(320, 320),
        metavar=('HEIGHT', 'WIDTH'),
        help='in pixels (default 320 320)')
    parser.add_argument(
        '--seed', type=int, default=0, help='(default %(default)s)')
    parser.add_argument(
        '--format', choices=('jpg', 'png'), default='jpg',
        help='of the images (default %(default)s)')
    parser.add_argument(
        '--workers', type=int, default=1,
        help='processes (default %(default)s)')
    parser.add_argument(
        '--overwrite', action='store_true',
        help='delete an older synthetic set in the folder')
    parser.add_argument(
        '--baselines', action='store_true',
        help='print the crack IoU that Otsu, adaptive threshold and Frangi '
        'reach on the test pictures with their best settings')
    return parser.parse_args(argv)


def print_baselines(out_dir: Path, manifest: dict) -> None:
    """Print what simple methods reach on the test pictures.

    Args:
        out_dir (Path): Folder of the set.
        manifest (dict): What ``write_dataset`` returned.

    Raises:
        ValueError: If the set has no test pictures.
    """
    files = [f for f in manifest['files'] if f['split'] == 'test']
    if not files:
        raise ValueError('--baselines needs test pictures: give --test.')
    scores = baseline_scores(
        [cv2.cvtColor(cv2.imread(str(out_dir / f['image'])),
                      cv2.COLOR_BGR2RGB) for f in files],
        [cv2.imread(str(out_dir / f['mask']), cv2.IMREAD_UNCHANGED)
         for f in files])
    print(f'crack IoU on {len(files)} test pictures, best setting of each:')
    for name, score in scores.items():
        print(f'  {name:9s} {score["iou"]:.3f}  ({score["setting"]})')


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Args:
        argv (list[str] | None): Arguments; None reads the command line.

    Returns:
        int: 0, or 2 after one sentence on stderr if an option is bad.
    """
    args = parse_args(argv)
    try:
        if args.baselines and args.test == 0:
            raise ValueError('--baselines needs test pictures: give --test.')
        manifest = write_dataset(
            args.out_dir,
            splits={'train': args.train, 'val': args.val, 'test': args.test},
            size=tuple(args.size), seed=args.seed, workers=args.workers,
            overwrite=args.overwrite, image_format=args.format)
        if args.baselines:
            print_baselines(Path(args.out_dir), manifest)
    except (TypeError, ValueError, OSError) as error:
        print(f'synthetic: {error}', file=sys.stderr)
        return 2
    count = len(manifest['files'])
    print(f'{count} pictures, masks and truths in {args.out_dir}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
