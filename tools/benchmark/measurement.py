"""Hold measured widths and lengths against cracks that are known exactly.

``python tools/benchmark/measurement.py`` draws cracks of 1 to 20 px with the
generator and measures their true masks, their anti-aliased coverage, and
coverage that was blurred and made noisy before it was thresholded.

For a network: ``--write DIR`` writes the photographs of the same cracks;
after it has predicted them, ``--prob DIR`` scores its probability maps
(NAME.npy, or NAME.png of 8 or 16 bit).

Width errors compare the measured width with the true one at the same place,
once place by place and once as means over each crack. Only places near the
true centreline count; ``found`` is the share of the true length near one.
"""

import argparse
import dataclasses
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402

#: Name, blur (standard deviation in px) and noise of the renderings.
RENDERINGS = (('coverage', 0.0, 0.0), ('blur 0.7, noise 0.05', 0.7, 0.05),
              ('blur 1.0, noise 0.10', 1.0, 0.1))


class TrueCrack(NamedTuple):
    """One crack that is alone in its picture.

    Attributes:
        seed (int): Of the scene.
        points (np.ndarray): Float, (K, 2), centreline in the frame, two
            points per pixel.
        widths (np.ndarray): Float, (K,), in pixels.
        length (float): In pixels, in the frame.
        mask (np.ndarray): Uint8, (H, W), {0, 1}.
        coverage (np.ndarray): Float32, (H, W), part of each pixel covered.
    """

    seed: int
    points: np.ndarray
    widths: np.ndarray
    length: float
    mask: np.ndarray
    coverage: np.ndarray


class Score(NamedTuple):
    """How one crack was measured, in pixels; NaN where it was not.

    Attributes:
        width (float): True mean width.
        place (float): Mean absolute error of the profile's width, by place.
        mean (float): Error of the profile's mean width over the same
            places.
        circle_place (float): As ``place``, of the inscribed circle.
        circle_mean (float): As ``mean``, of the inscribed circle.
        length (float): Relative error of the length.
        found (float): Share of the true length that was found.
    """

    width: float
    place: float
    mean: float
    circle_place: float
    circle_mean: float
    length: float
    found: float


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Hold measured widths and lengths against the truth.')
    add = parser.add_argument
    add('--cracks', type=int, default=200, help='(default %(default)s)')
    add('--size', type=int, default=320,
        help='side of the pictures (default %(default)s)')
    add('--seed', type=int, default=0, help='(default %(default)s)')
    add('--write', type=Path, metavar='DIR',
        help='write the photographs as PNG and stop')
    add('--prob', type=Path, metavar='DIR',
        help='score these probability maps of the photographs')
    add('--edges', choices=('mean', 'level'), default='mean',
        help='how a probability is read (default %(default)s)')
    add('--min-area', type=int, default=8, metavar='PX',
        help='of renderings: smaller specks are noise (default %(default)s)')
    return parser.parse_args(argv)


def crack_style(photographs: bool):
    """The generator's style: one crack of 1 to 20 px in each picture.

    Args:
        photographs (bool): Whether the pictures are to be seen, so that
            cracks must be visible; otherwise only their geometry counts.
    """
    from mmcrack.datasets.synthetic import SceneStyle
    base = SceneStyle.default() if photographs else SceneStyle.clean()
    return dataclasses.replace(
        base, cracks=(1, 1), branches=(0.0, 0.0),
        crack_free=0.0, pale_crack=0.0, crack_width=(1.0, 20.0))


def true_cracks(count: int, size: int, seed: int, *,
                photographs: bool = False) -> Iterator[TrueCrack]:
    """Draw cracks whose widths and lengths are known.

    Args:
        count (int): How many.
        size (int): Side of the pictures.
        seed (int): Of the first scene.
        photographs (bool): See :func:`crack_style`.

    Yields:
        TrueCrack: One after the other, always the same.
    """
    from mmcrack.datasets.synthetic import scene_truth
    from mmcrack.datasets.synthetic_cracks import Segments, paint_segments
    from mmcrack.measurement.centreline import resample
    from mmcrack.measurement.sampling import frame_distance
    style = crack_style(photographs)
    while count:
        truth = scene_truth(seed, (size, size), style=style)
        seed += 1
        if len(truth) != 1:
            continue
        crack = truth[0]
        mask, coverage, _ = paint_segments(
            Segments.of_lines([(crack.points, crack.widths, crack.widths)]),
            top=0, left=0, rows=size, columns=size)
        steps = np.hypot(*np.diff(crack.points, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        points = resample(crack.points, step=0.5)
        widths = np.interp(np.linspace(0, along[-1], len(points)), along,
                           crack.widths)
        inside = frame_distance(points, (size, size)) >= 0
        yield TrueCrack(seed - 1, points[inside], widths[inside],
                        crack.length, mask, coverage)
        count -= 1


def score(truth: TrueCrack, measured) -> Score:
    """Compare what was measured with the truth.

    Args:
        truth (TrueCrack): The crack.
        measured (CrackMeasurements): Of its picture.

    Returns:
        Score: In pixels.
    """
    branches = [b for c in measured.cracks for b in c.branches]
    nan = float('nan')
    width = float(truth.widths.mean())
    if not branches:
        return Score(width, nan, nan, nan, nan, -1.0, 0.0)
    points = np.concatenate([b.points for b in branches])
    away, nearest = cKDTree(truth.points).query(points)
    true = truth.widths[nearest]
    near = away <= true / 2 + 2
    share = np.concatenate([np.full(len(b.points), b.length / len(b.points))
                            for b in branches])
    length = float(share[near].sum())
    found = float(np.mean(cKDTree(points).query(truth.points)[0]
                          <= truth.widths / 2 + 2))
    errors = []
    for name in ('widths', 'circle_widths'):
        values = np.concatenate([getattr(b, name) for b in branches])
        error = (values - true)[near & ~np.isnan(values)]
        errors += [float(np.abs(error).mean()) if len(error) else nan,
                   float(error.mean()) if len(error) else nan]
    return Score(width, *errors, length / truth.length - 1, found)


def rendering(truth: TrueCrack, blur: float, noise: float) -> np.ndarray:
    """A probability map as a blurred, noisy picture gives it.

    Args:
        truth (TrueCrack): The crack.
        blur (float): Standard deviation of the blur, in pixels.
        noise (float): Standard deviation of the noise; the step from ground
            to crack is 1.

    Returns:
        np.ndarray: Float32, (H, W), 0 to 1.
    """
    value = truth.coverage
    if blur:
        value = cv2.GaussianBlur(value, (0, 0), blur)
    rng = np.random.default_rng(truth.seed)
    value = value + noise * rng.standard_normal(value.shape)
    return np.clip(value, 0, 1).astype(np.float32)


def summary(scores: Sequence[Score]) -> dict[str, float]:
    """Mean absolute errors over cracks.

    Args:
        scores (Sequence[Score]): Of all cracks.

    Returns:
        dict: ``place``, ``mean``, ``circle_place``, ``circle_mean`` (px),
        ``length`` (relative), ``found`` (share), ``measured`` (cracks);
        ``bias`` (px), the mean of ``mean`` with its sign.
    """
    table = np.array(scores)
    known = ~np.isnan(table[:, 1])
    result = {
        name: float(np.abs(table[known, i + 1]).mean()) if known.any()
        else float('nan')
        for i, name in enumerate(Score._fields[1:])}
    result['bias'] = float(table[known, 2].mean()) if known.any() else float(
        'nan')
    result['found'] = float(table[:, -1].mean())
    result['measured'] = int(known.sum())
    return result


def report(title: str, scores: Sequence[Score]) -> None:
    """Print one row over all widths, and one for each range of widths."""
    widths = np.array([s.width for s in scores])
    for name, low, high in ((title, 0, 99), ('  1-2 px', 0, 2),
                            ('  2-5 px', 2, 5), ('  5-20 px', 5, 99)):
        chosen = [s for s, w in zip(scores, widths, strict=True)
                  if low <= w < high]
        if chosen:
            s = summary(chosen)
            print(f'{name:34s} {s["measured"]:4d} {s["mean"]:7.3f} '
                  f'{s["bias"]:+7.3f} {s["place"]:7.3f} '
                  f'{s["circle_mean"]:7.3f} {s["circle_place"]:7.3f} '
                  f'{100 * s["length"]:7.2f} {100 * s["found"]:6.1f}',
                  flush=True)


def rows(args: argparse.Namespace
         ) -> Iterator[tuple[str, Callable[[TrueCrack], tuple]]]:
    """What to measure: a title, and mask and probability of a crack."""
    if args.prob is not None:
        def from_folder(truth):
            value = read_map(args.prob, truth.seed)
            return value >= 0.5, value
        yield f'{args.prob.name}, probability', from_folder
        yield (f'{args.prob.name}, mask alone',
               lambda t: (from_folder(t)[0], None))
        return
    yield 'true mask', lambda t: (t.mask, None)
    for name, blur, noise in RENDERINGS:
        def rendered(truth, blur=blur, noise=noise):
            value = rendering(truth, blur, noise)
            return value >= 0.5, value
        yield f'{name}, probability', rendered
        yield f'{name}, mask alone', lambda t, f=rendered: (f(t)[0], None)


def picture_name(seed: int) -> str:
    """Stem of a photograph."""
    return f'crack_{seed:05d}'


def read_map(folder: Path, seed: int) -> np.ndarray:
    """Read the probability map of one photograph.

    Raises:
        FileNotFoundError: If there is none.
    """
    stem = folder / picture_name(seed)
    if stem.with_suffix('.npy').is_file():
        value = np.load(stem.with_suffix('.npy'), allow_pickle=False)
        return value.astype(np.float32)
    value = cv2.imread(str(stem.with_suffix('.png')), cv2.IMREAD_UNCHANGED)
    if value is None:
        raise FileNotFoundError(
            f'{folder} holds no map {stem.name}.npy or .png: predict the '
            'photographs that --write writes with the same --cracks, --size '
            'and --seed.')
    return (value / np.iinfo(value.dtype).max).astype(np.float32)


def write_photographs(args: argparse.Namespace) -> None:
    """Write the photographs that a network is to predict."""
    from mmcrack.datasets.synthetic import generate_scene
    from mmcrack.visualization import write_picture
    for done, truth in enumerate(
            true_cracks(args.cracks, args.size, args.seed,
                        photographs=True), 1):
        scene = generate_scene(
            truth.seed, (args.size, args.size), style=crack_style(True))
        write_picture(args.write / f'{picture_name(truth.seed)}.png',
                      scene.image)
        if done % 20 == 0 or done == args.cracks:
            print(f'{done} of {args.cracks} photographs', file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> None:
    """Write photographs, or measure and print the errors.

    Raises:
        ValueError: If an option is wrong.
        FileNotFoundError: If a probability map is missing.
    """
    from mmcrack.measurement import measure_cracks
    args = parse_args(argv)
    if args.cracks < 1:
        raise ValueError(f'--cracks must be at least 1, got {args.cracks}.')
    if args.write is not None:
        write_photographs(args)
        return
    cracks = list(true_cracks(args.cracks, args.size, args.seed,
                              photographs=args.prob is not None))
    print(f'{len(cracks)} cracks, mean absolute errors; widths in px, '
          'length in %')
    print(f'{"":34s}  num   width    bias   place  circle   place  '
          'length  found')
    for title, take in rows(args):
        scores = []
        for truth in cracks:
            mask, probability = take(truth)
            least = 1 if title == 'true mask' else args.min_area
            scores.append(score(truth, measure_cracks(
                mask, probability, edges=args.edges, min_area=least)))
        report(title, scores)


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'measurement.py')


if __name__ == '__main__':
    sys.exit(command())
