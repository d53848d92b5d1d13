"""Time the guided filter beside two plain ways to average over windows.

``python tools/benchmark/guided_filter.py --device cpu`` prints, for each
radius: the plain filter whose averages are convolutions with a window of
ones (the reference of the ratios), the same with ``avg_pool2d``, and
mmcrack's filter (exact, and subsampled by 2 and 4), all guided by their own
input as in CBPRN, and the largest error of each against the definition in
float64.
"""

import argparse
import importlib.util
import statistics
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import measure  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Time the guided filter against plain ones.')
    parser.add_argument(
        '--size', type=measure.image_size, default=(1440, 2560),
        metavar='WIDTHxHEIGHT', help='default 2560x1440')
    parser.add_argument(
        '--radii', type=int, nargs='+', default=[2, 4, 8, 16, 32])
    parser.add_argument(
        '--subsample', type=int, nargs='+', default=[1, 2, 4])
    parser.add_argument('--eps', type=float, default=1e-2)
    parser.add_argument(
        '--slowest-radius', type=int, default=8,
        help='largest radius of the window convolution, whose time grows '
        'with the square of the radius (default %(default)s)')
    measure.add_machine_options(parser)
    return parser.parse_args(argv)


def window_means(image: Tensor, *, radius: int) -> Callable[[Tensor], Tensor]:
    """Return averages over clipped windows by a convolution with ones.

    Args:
        image (Tensor): (1, 1, H, W), of the size and type to come.
        radius (int): r, in pixels.

    Returns:
        Callable: Averages; the pixels of each window are counted once.
    """
    side = 2 * radius + 1
    window = image.new_ones(1, 1, side, side)
    count = F.conv2d(torch.ones_like(image), window, padding=radius)
    return lambda x: F.conv2d(x, window, padding=radius) / count


def pool_means(image: Tensor, *, radius: int) -> Callable[[Tensor], Tensor]:
    """Return averages over clipped windows by ``avg_pool2d``."""
    return lambda x: F.avg_pool2d(
        x, 2 * radius + 1, 1, radius, count_include_pad=False)


def plain_filter(image: Tensor, *, radius: int, eps: float,
                 means: Callable[..., Callable]) -> Tensor:
    """Guided filter of an image by itself, as He et al. 2012 write it.

    Args:
        image (Tensor): Float, (N, 1, H, W), in [0, 1].
        radius (int): r, in pixels.
        eps (float): Regularisation.
        means (Callable): :func:`window_means`, :func:`pool_means` or
            :func:`exact_means`.

    Returns:
        Tensor: Of the shape and type of ``image``.
    """
    mean = means(image, radius=radius)
    centre = mean(image)
    variance = mean(image * image) - centre * centre
    slope = variance / (variance + eps)
    return mean(slope) * image + mean(centre - slope * centre)


def exact_means(image: Tensor, *, radius: int) -> Callable[[Tensor], Tensor]:
    """Return averages over clipped windows by running sums, for float64."""

    def total(x: Tensor) -> Tensor:
        return _line(_line(x, radius, -2), radius, -1)

    count = total(torch.ones_like(image))
    return lambda x: total(x) / count


def _line(x: Tensor, radius: int, dim: int) -> Tensor:
    """Sum x[i - radius ... i + radius], clipped, along one axis."""
    size = x.shape[dim]
    total = torch.cat([torch.zeros_like(x.narrow(dim, 0, 1)),
                       x.cumsum(dim)], dim)
    place = torch.arange(size, device=x.device)
    high = (place + radius + 1).clamp(max=size)
    low = (place - radius).clamp(min=0)
    return total.index_select(dim, high) - total.index_select(dim, low)


def photograph(size: Sequence[int], device: torch.device) -> Tensor:
    """Return a smooth picture with grain and dark lines, (1, 1, H, W)."""
    draw = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 9, 16, generator=draw)
    image = F.interpolate(
        coarse, tuple(size), mode='bicubic', align_corners=False)
    image = image + 0.05 * torch.randn(1, 1, *size, generator=draw)
    image[..., ::97] -= 0.3
    return image.clamp(0, 1).to(device)


def candidates(image: Tensor, *, radius: int, eps: float,
               subsample: Sequence[int],
               slowest_radius: int) -> dict[str, Callable[[], Tensor]]:
    """Return the filters to compare, by name.

    Args:
        image (Tensor): Float32, (1, 1, H, W).
        radius (int): r, in pixels.
        eps (float): Regularisation.
        subsample (Sequence[int]): Subsamplings of mmcrack's filter.
        slowest_radius (int): No window convolution beyond.

    Returns:
        dict[str, Callable]: Each returns (1, 1, H, W).
    """
    from mmcrack.functional.guided_filter import guided_filter
    jobs: dict[str, Callable[[], Tensor]] = {}
    for name, means in (('window convolution', window_means),
                        ('avg_pool2d', pool_means)):
        if means is pool_means or radius <= slowest_radius:
            jobs[name] = partial(
                plain_filter, image, radius=radius, eps=eps, means=means)
    for step in subsample:
        jobs[f'mmcrack, subsample {step}'] = partial(
            guided_filter, image, image, radius=radius, eps=eps,
            subsample=step)
    return jobs


def measure_radius(image: Tensor, radius: int, args: argparse.Namespace,
                   device: torch.device) -> list[dict]:
    """Measure all filters at one radius.

    Args:
        image (Tensor): Float32, (1, 1, H, W).
        radius (int): r, in pixels.
        args (argparse.Namespace): The command line.
        device (torch.device): Where to measure.

    Returns:
        list[dict]: Rows of the table.
    """
    jobs = candidates(
        image,
        radius=radius,
        eps=args.eps,
        subsample=args.subsample,
        slowest_radius=args.slowest_radius)
    truth = plain_filter(
        image.double(), radius=radius, eps=args.eps, means=exact_means)
    errors = {
        name: float((job().double() - truth).abs().max())
        for name, job in jobs.items()
    }
    seconds = measure.in_turns(
        jobs,
        repeats=args.repeats,
        warmup=args.warmup,
        device=device,
        say=lambda text: measure.say(f'radius {radius}: {text}'))
    slow = seconds.get('window convolution')
    return [{
        'radius': radius,
        'filter': name,
        'milliseconds': f'{1e3 * statistics.median(times):.2f}',
        'spread': f'{100 * measure.spread(times):.0f} %',
        'times faster': f'{1 / measure.ratio(times, slow):.2f}'
                        if slow else '-',
        'largest error': f'{errors[name]:.1e}',
    } for name, times in seconds.items()]


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure; print and save the table.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[dict]: Rows of the table.

    Raises:
        ValueError: If an option is out of its range.
    """
    args = parse_args(argv)
    if min(args.radii) < 1 or min(args.subsample) < 1:
        raise ValueError('--radii and --subsample must be at least 1, got '
                         f'{args.radii} and {args.subsample}.')
    device = measure.prepare_machine(args)
    image = photograph(args.size, device)
    heading = (f'Guided filter, {args.size[1]}x{args.size[0]}, float32, eps '
               f'{args.eps:g}: {measure.describe_machine(device)}; median of '
               f'{args.repeats} rounds in turns.')
    rows = []
    with torch.inference_mode():
        for radius in args.radii:
            rows += measure_radius(image, radius, args, device)
            measure.save(rows, args.out, heading)
    print(f'{heading}\n\n{measure.markdown(rows)}')
    return rows


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'guided_filter.py')


if __name__ == '__main__':
    sys.exit(command())
