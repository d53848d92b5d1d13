"""Measure the cracks of masks from any software.

``python tools/measure.py MASKS... --out DIR`` takes files, folders and
patterns, and writes ``cracks.csv`` and ``branches.csv`` over all masks, and
for each mask NAME.json, NAME.geojson (centrelines) and NAME_widths.jpg.
``--prob DIR`` gives sub-pixel edges, ``--images DIR`` the ground to draw on,
and ``--mm-per-px`` (or the camera, EXIF, a table) millimetres. With
``--before DIR`` masks of an earlier date are compared crack by crack
(``changes.csv``). A mask that cannot be measured is reported and does not
stop the others; the exit status is then 2.
"""

import argparse
import glob
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np  # noqa: E402

PICTURES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp',
            '.gif')


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Measure the cracks of masks from any software.')
    add = parser.add_argument
    add('masks', nargs='+', help='files, folders or patterns')
    add('--out', type=Path, required=True, help='folder to write into')
    add('--prob', type=Path, help='folder of probability maps, one for each '
        'mask: .png of 8 or 16 bit, or .npy')
    add('--images', type=Path, help='folder of photographs to draw on')
    add('--before', type=Path, help='folder of masks of an earlier date')
    add('--tolerance', type=float, default=3.0, help='of the registration '
        'of the two dates, in pixels (default %(default)s)')
    scale = parser.add_argument_group('scale')
    add = scale.add_argument
    add('--mm-per-px', type=float, help='millimetres on the surface')
    add('--distance-mm', type=float, help='from the lens to the surface')
    add('--focal-mm', type=float, help='focal length')
    add('--sensor-width-mm', type=float, help="of the sensor's longer side")
    add('--exif', action='store_true', help='read the camera from the '
        'photographs (--images); the distance too without --distance-mm')
    add('--scales', type=Path, help='CSV with the columns image and '
        'mm_per_px, or image, distance_mm, focal_mm and sensor_width_mm')
    options = parser.add_argument_group('measurement')
    add = options.add_argument
    add('--width-limits', type=float, nargs='+', default=[0.1, 0.2, 0.3],
        metavar='MM', help='of the width classes (default 0.1 0.2 0.3)')
    add('--level', type=float, default=0.5,
        help="probability at a crack's edge (default %(default)s)")
    add('--edges', choices=('mean', 'level'), default='mean',
        help='how a probability is read: mean place of the edge, or where '
        'it crosses the level (default %(default)s)')
    add('--min-area', type=int, default=1, metavar='PX',
        help='leave out cracks of fewer pixels (default %(default)s)')
    add('--min-length', type=float, default=0.0, metavar='PX',
        help='leave out shorter cracks (default %(default)s)')
    add('--ignore-value', type=int, help='value of pixels without a label')
    add('--max-long-edge', type=int, default=2400, metavar='PX',
        help='of the drawn pictures (default %(default)s)')
    add('--marks', type=int, default=30,
        help='widths to write on a picture (default %(default)s)')
    return parser.parse_args(argv)


def find_masks(names: Sequence[str]) -> list[Path]:
    """Find the masks that files, folders and patterns mean.

    Args:
        names (Sequence[str]): As given.

    Returns:
        list[Path]: Sorted within each name, none twice.

    Raises:
        FileNotFoundError: If a name means nothing.
        ValueError: If two masks would write the same files.
    """
    found: dict[str, Path] = {}
    for name in names:
        path = Path(name)
        if path.is_dir():
            files = sorted(p for p in path.iterdir()
                           if p.suffix.lower() in PICTURES)
        elif path.exists():
            files = [path]
        else:
            files = [Path(p) for p in sorted(glob.glob(name, recursive=True))]
        if not files:
            raise FileNotFoundError(f'there is no mask {name!r}.')
        for file in files:
            other = found.setdefault(file.stem, file)
            if other.resolve() != file.resolve():
                raise ValueError(
                    f'{other} and {file} have one name and would write the '
                    'same files: measure them into two folders.')
    return list(found.values())


def find_partner(folder: Path, stem: str, *, what: str,
                 endings: Sequence[str] = PICTURES) -> Path:
    """Find the file of a folder that belongs to a mask.

    Raises:
        FileNotFoundError: If there is none.
    """
    for ending in endings:
        for path in (folder / f'{stem}{ending}',
                     folder / f'{stem}{ending.upper()}'):
            if path.is_file():
                return path
    raise FileNotFoundError(
        f'{folder} holds no {what} named {stem} ({", ".join(endings)}).')


def read_probability(path: Path) -> np.ndarray:
    """Read a map of 8 or 16 bit, or an array.

    Raises:
        ValueError: If it is none of these.
    """
    if path.suffix == '.npy':
        return np.load(path, allow_pickle=False)
    from mmcrack.datasets.images import open_upright
    values = np.asarray(open_upright(path, data=None, kind='map')[0])
    if values.ndim != 2 or values.dtype.kind not in 'uif':
        raise ValueError(
            f'{path} must be one channel of 8 or 16 bit, got '
            f'{values.shape} of {values.dtype}.')
    # Pillow gives 16 bits as signed 32 on some platforms.
    return values.astype(np.uint16) if values.dtype.kind == 'i' else values


def check_scale_options(args: argparse.Namespace) -> None:
    """Raise ValueError on options that say too much or too little."""
    camera = (args.focal_mm, args.sensor_width_mm)
    ways = [args.mm_per_px is not None, any(v is not None for v in camera),
            args.exif, args.scales is not None]
    if sum(ways) > 1:
        raise ValueError(
            'give one of --mm-per-px, --focal-mm with --sensor-width-mm, '
            '--exif and --scales.')
    if ways[1] and None in (*camera, args.distance_mm):
        raise ValueError('--distance-mm, --focal-mm and --sensor-width-mm '
                         'belong together.')
    if args.distance_mm is not None and not (ways[1] or args.exif):
        raise ValueError('--distance-mm needs --focal-mm and '
                         '--sensor-width-mm, or --exif.')
    if args.exif and args.images is None:
        raise ValueError('--exif needs the photographs: --images DIR.')


def find_scale(args: argparse.Namespace, scales: dict | None, stem: str,
               image: Path | None, size: tuple[int, int]) -> float | None:
    """Return the millimetres per pixel of one mask, or None."""
    from mmcrack import measurement as m
    if args.mm_per_px is not None:
        return args.mm_per_px
    if args.focal_mm is not None:
        return m.scale_from_camera(
            distance_mm=args.distance_mm, focal_mm=args.focal_mm,
            sensor_width_mm=args.sensor_width_mm, width_px=max(size))
    if scales is not None:
        if stem not in scales:
            raise ValueError(f'{args.scales} has no row for {stem}.')
        return m.scale_from_row(scales[stem], width_px=max(size))
    if args.exif:
        scale = m.scale_from_exif(image, distance_mm=args.distance_mm)
        if scale is None:
            raise ValueError(
                f'{image} does not say what a pixel measures: give '
                '--distance-mm, or the camera by --focal-mm and '
                '--sensor-width-mm.')
        return scale
    return None


def measure_one(path: Path, args: argparse.Namespace, scales: dict | None
                ) -> tuple:
    """Measure one mask and write its own files.

    Returns:
        tuple: The measurements, and rows of changes.
    """
    from mmcrack import measurement as m
    from mmcrack.datasets.images import read_image
    from mmcrack.datasets.masks import read_mask
    from mmcrack.visualization import to_picture, write_picture
    from mmcrack.visualization.widths import width_picture

    def measured(mask, probability, scale):
        return m.measure_cracks(
            mask, probability, scale=scale, width_limits=args.width_limits,
            level=args.level, edges=args.edges, min_area=args.min_area,
            min_length=args.min_length)

    mask = read_mask(path, ignore_value=args.ignore_value) == 1
    image = None if args.images is None else find_partner(
        args.images, path.stem, what='photograph')
    probability = None if args.prob is None else read_probability(
        find_partner(args.prob, path.stem, what='probability map',
                     endings=('.npy', '.png', '.tif', '.tiff')))
    scale = find_scale(args, scales, path.stem, image, mask.shape)
    result = measured(mask, probability, scale)
    m.write_json(args.out / f'{path.stem}.json', m.to_json(result))
    m.write_json(args.out / f'{path.stem}.geojson', m.to_geojson(result))
    ground = to_picture(mask) // 3 if image is None else read_image(image)
    write_picture(
        args.out / f'{path.stem}_widths.jpg',
        width_picture(ground, result, most=args.marks,
                      max_long_edge=args.max_long_edge))
    if args.before is None:
        return result, []
    earlier = read_mask(
        find_partner(args.before, path.stem, what='earlier mask'),
        ignore_value=args.ignore_value) == 1
    changes = m.compare_cracks(measured(earlier, None, scale), result,
                               tolerance=args.tolerance)
    return result, [c.row(scale=scale) for c in changes]


def main(argv: Sequence[str] | None = None) -> Path:
    """Measure; return the folder of results.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        Path: The folder.

    Raises:
        ValueError: If an option is wrong, or a mask was not measured.
        FileNotFoundError: If a mask is not there.
    """
    from mmcrack import measurement as m
    args = parse_args(argv)
    check_scale_options(args)
    scales = None if args.scales is None else m.read_scales(args.scales)
    masks = find_masks(args.masks)
    tables: dict[str, list] = {'cracks': [], 'branches': [], 'changes': []}
    failed = 0
    for index, path in enumerate(masks, 1):
        try:
            result, changes = measure_one(path, args, scales)
        except (ValueError, TypeError, OSError) as error:
            failed += 1
            print(f'measure.py: error: {path}: {error}', file=sys.stderr)
            continue
        name = {'image': path.name}
        tables['cracks'] += [name | row for row in result.rows()]
        tables['branches'] += [name | row for row in result.branch_rows()]
        tables['changes'] += [name | row for row in changes]
        print(f'{index} of {len(masks)}: {path.name}: '
              f'{len(result.cracks)} cracks', flush=True)
    if args.before is None:
        del tables['changes']
    for title, rows in tables.items():
        m.write_csv(args.out / f'{title}.csv', rows)
    if failed:
        raise ValueError(f'{failed} of {len(masks)} masks were not measured; '
                         'the reasons stand above.')
    print(f'written to {args.out}')
    return args.out


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'measure.py')


if __name__ == '__main__':
    sys.exit(command())
