"""Crack against margin in feature space: Figures 1 (b) and 6 of CIRL.

``python tools/analysis/feature_tsne.py CONFIG CHECKPOINT...`` draws as many
crack as margin pixels (CIRL Eq. 1) from images of a split, the same ones for
every network; reads the features that each network's head classifies; lays
them out by t-SNE; and prints two figures that depend on no eye, both in the
original space: the silhouette score (-1 to 1; 1: two tight clusters) and
the k-NN purity, the share of a pixel's K nearest neighbours that have its
class (0.5 is chance), where neighbours are sought only in *other* images:
pixels beside each other in one image have nearly one feature. ``--also
CONFIG CHECKPOINT`` adds a network of another config, wrapped by CIRL or
plain.

Behind a ReLU many features can be 0 in every channel, and cosine says
nothing about these: their share is printed, and distances are Euclidean by
default. Needs scikit-learn.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from torch import Tensor, nn  # noqa: E402

FOLDS = 5


class Pixels(NamedTuple):
    """Pixels of some images.

    Attributes:
        images (list): What the test pipeline made of each image.
        points (list): For each image float (P_i, 2), (x, y) in [0, 1].
        is_margin (array): bool, (P,), image after image.
        owner (array): int, (P,), number of the image.
    """

    images: list[dict]
    points: list[Tensor]
    is_margin: NDArray[np.bool_]
    owner: NDArray[np.integer]


class Separation(NamedTuple):
    """How far crack and margin lie apart.

    Attributes:
        silhouette (float): In [-1, 1].
        purity (float): Mean over the folds, in [0, 1].
        spread (float): Standard deviation of the purity over the folds.
    """

    silhouette: float
    purity: float
    spread: float


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description='Draw crack against margin in feature space.')
    add = parser.add_argument
    add('config', help='config file')
    add('checkpoints', nargs='+', help='its networks')
    add('--also', nargs=2, action='append', default=[],
        metavar=('CONFIG', 'CHECKPOINT'), help='a network of another '
        'config; may be given several times')
    add('--titles', nargs='+', help='names of the networks')
    add('--split', choices=('train', 'val', 'test'), default='train',
        help='of CONFIG (default %(default)s)')
    add('--images', nargs='+', default=['20'], metavar='N|NAME',
        help='so many, drawn at random, or these (default 20)')
    add('--points', type=int, default=1000,
        help='pixels of each class (default %(default)s)')
    add('--marginal-kernel', type=int, default=5,
        help='of the margin (default %(default)s)')
    add('--neighbors', type=int, default=20,
        help='K of the purity (default %(default)s, as in CIRL)')
    add('--metric', choices=('euclidean', 'cosine'), default='euclidean',
        help="distance of features (default %(default)s; CIRL's neighbours "
        'are sought by cosine)')
    add('--perplexity', type=float, default=30.,
        help='of t-SNE (default %(default)s)')
    add('--seed', type=int, default=0,
        help='of images, pixels and t-SNE (default 0)')
    add('--out', type=Path, help='the picture (default '
        'work_dirs/CONFIG/features.png)')
    add('--cfg-options', nargs='+', action=KeyValues,
        help='override settings of all configs, key=value')
    args = parser.parse_args(argv)
    if args.points < 2 or args.neighbors < 1 or args.perplexity <= 0:
        parser.error('--points must be at least 2, --neighbors at least 1 '
                     'and --perplexity above 0')
    return args


def need_sklearn() -> None:
    """Make sure that scikit-learn is there.

    Raises:
        ImportError: If not; says what to install.
    """
    if importlib.util.find_spec('sklearn') is None:
        raise ImportError(
            'feature_tsne.py needs scikit-learn, which is not installed: '
            "python -m pip install scikit-learn (mmcrack's extra "
            "'analysis' names it).")


def last_head(model: nn.Module) -> nn.Module:
    """Return the head that predicts, in a cascade the last."""
    head = model.decode_head
    return head[-1] if isinstance(head, nn.ModuleList) else head


def sample_pixels(dataset: Sequence[dict], indices: Sequence[int],
                  head: nn.Module, args: argparse.Namespace) -> Pixels:
    """Draw as many crack as margin pixels from each image.

    Args:
        dataset (Sequence[dict]): Of a test pipeline.
        indices (Sequence[int]): Images.
        head (nn.Module): Its ``ignore_index`` and ``crack_class`` count.
        args (argparse.Namespace): With ``points``, ``marginal_kernel`` and
            ``seed``.

    Returns:
        Pixels: At most ``points`` of each class; images in which a class is
        small give fewer.

    Raises:
        ValueError: If fewer than two images have both classes, or one has
            no label.
    """
    from mmcrack.functional.points import pixel_points
    from mmcrack.functional.regions import binary_label, marginal_region
    rng = np.random.default_rng(args.seed)
    quota, left = -(-args.points // len(indices)), args.points
    images, points, classes, owner = [], [], [], []
    for index in indices:
        packed = dataset[index]
        sample = packed['data_samples']
        if 'gt_sem_seg' not in sample:
            raise ValueError(f'The image {sample.metainfo["img_path"]!r} has '
                             'no label: choose a split that has.')
        target = binary_label(sample.gt_sem_seg.data.long(),
                              crack_class=getattr(head, 'crack_class', 1),
                              ignore_index=head.ignore_index)
        margin = marginal_region(target, kernel_size=args.marginal_kernel,
                                 ignore_index=head.ignore_index)
        places = [mask.flatten().nonzero()[:, 0]
                  for mask in (target[0] == 1, margin[0])]
        count = min(quota, left, *map(len, places))
        if not count:
            continue
        chosen = torch.cat([
            p[torch.from_numpy(rng.permutation(len(p))[:count])]
            for p in places])
        points.append(pixel_points(chosen, target.shape[-2:]))
        classes += [False] * count + [True] * count
        owner += [len(images)] * 2 * count
        images.append(packed)
        left -= count
    if len(images) < 2:
        raise ValueError(
            f'Only {len(images)} of {len(indices)} images have crack and '
            'margin, at least 2 are needed: give more --images.')
    return Pixels(images, points, np.array(classes), np.array(owner))


def classified(head: nn.Module, inputs: Sequence[Tensor],
               previous: Sequence[Tensor]) -> Tensor:
    """Return what a head classifies.

    Args:
        head (nn.Module): A CIRLHead, or any head with a classifier.
        inputs (Sequence[Tensor]): Feature maps of the backbone.
        previous (Sequence[Tensor]): In a cascade, what came before.

    Returns:
        Tensor: (N, D, h, w).

    Raises:
        ValueError: If the head has no classifier.
    """
    from mmcrack.models.decode_heads import CIRLHead
    from mmcrack.models.decode_heads.wrapping import classified_features
    if isinstance(head, CIRLHead):
        return head.features(inputs, *previous)
    if hasattr(head, 'features_and_logits'):
        return head.features_and_logits(inputs, *previous)[0]
    if getattr(head, 'conv_seg', None) is None:
        raise ValueError(f'{type(head).__name__} has no classifier '
                         '(conv_seg) whose input could be drawn.')
    with classified_features(head) as seen:
        head(inputs, *previous)
    return seen[-1]


@torch.inference_mode()
def features_of(model: nn.Module, pixels: Pixels) -> NDArray[np.float32]:
    """Read the features that a network's head classifies.

    Args:
        model (nn.Module): In evaluation mode.
        pixels (Pixels): P pixels.

    Returns:
        array: Float32, (P, D); each interpolated at its pixel's centre.
    """
    from mmcrack.functional.points import point_sample
    rows = []
    for packed, points in zip(pixels.images, pixels.points, strict=True):
        batch = dict(inputs=[packed['inputs']],
                     data_samples=[packed['data_samples'].clone()])
        x = model.data_preprocessor(batch, False)['inputs']
        inputs = model.extract_feat(x)
        previous: list[Tensor] = []
        if isinstance(model.decode_head, nn.ModuleList):
            for head in model.decode_head[:-1]:
                previous = [head(inputs, *previous)]
        features = classified(last_head(model), inputs, previous)
        # The image may be padded on its right and at its bottom.
        scale = [packed['inputs'].shape[d] / x.shape[d] for d in (-1, -2)]
        at = points * torch.tensor(scale)
        rows.append(point_sample(features.float(), at[None])[0].t())
    return torch.cat(rows).numpy()


def separation(features: NDArray[np.float32], pixels: Pixels,
               args: argparse.Namespace) -> Separation:
    """Tell how far crack and margin lie apart.

    Args:
        features (array): Float32, (P, D).
        pixels (Pixels): Their classes and images.
        args (argparse.Namespace): With ``metric`` and ``neighbors``.

    Returns:
        Separation: Silhouette over all; purity over folds of whole images.
    """
    from sklearn.metrics import silhouette_score
    from sklearn.model_selection import GroupKFold
    from sklearn.neighbors import NearestNeighbors
    labels = pixels.is_margin
    folds = GroupKFold(min(FOLDS, len(pixels.images)))
    purities = []
    for rest, held in folds.split(features, labels, pixels.owner):
        search = NearestNeighbors(
            n_neighbors=min(args.neighbors, len(rest)), metric=args.metric)
        near = search.fit(features[rest]).kneighbors(
            features[held], return_distance=False)
        purities.append((labels[rest][near] == labels[held, None]).mean())
    silhouette = silhouette_score(features, labels, metric=args.metric)
    return Separation(float(silhouette), float(np.mean(purities)),
                      float(np.std(purities)))


def describe(title: str, features: NDArray[np.float32], pixels: Pixels,
             figure: Separation, args: argparse.Namespace) -> str:
    """Say in words how far crack and margin lie apart.

    Args:
        title (str): Name of the network.
        features (array): Float32, (P, D).
        pixels (Pixels): Their classes.
        figure (Separation): Of these features.
        args (argparse.Namespace): With ``metric`` and ``neighbors``.

    Returns:
        str: One line, two where features are 0 in every channel.
    """
    said = (f'{title}: silhouette {figure.silhouette:.3f}, '
            f'{args.neighbors}-NN purity {figure.purity:.3f} +- '
            f'{figure.spread:.3f} ({features.shape[1]} channels, '
            f'{args.metric})')
    zero = (features == 0).all(axis=1)
    if zero.any():
        crack, margin = (100 * zero[pixels.is_margin == kind].mean()
                         for kind in (False, True))
        said += (f'\n  0 in every channel: {crack:.1f} % of the crack and '
                 f'{margin:.1f} % of the margin pixels')
    return said


def lay_out(features: NDArray[np.float32],
            args: argparse.Namespace) -> NDArray[np.float32]:
    """Lay features out in the plane by t-SNE.

    Args:
        features (array): Float32, (P, D).
        args (argparse.Namespace): With ``metric``, ``perplexity``, ``seed``.

    Returns:
        array: Float32, (P, 2).
    """
    from sklearn.manifold import TSNE
    # t-SNE wants some three times as many points as its perplexity.
    perplexity = min(args.perplexity, max(1., (len(features) - 1) / 3))
    return TSNE(2, metric=args.metric, perplexity=perplexity, init='pca',
                random_state=args.seed).fit_transform(features)


def load_networks(args: argparse.Namespace
                  ) -> tuple[list[tuple[str, nn.Module]], Any]:
    """Load all networks.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        tuple: Pairs of a name and a segmentor, and the first config.

    Raises:
        ValueError: If a checkpoint is of another model, or there are more
            or fewer names than networks.
    """
    from mmengine.registry import MODELS, init_default_scope

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import load_trained
    pairs = [(args.config, path) for path in args.checkpoints] + args.also
    titles = args.titles or [
        Path(config).stem if len(args.checkpoints) == 1 or config in
        [c for c, _ in args.also]
        else f'{Path(path).parent.name}/{Path(path).stem}'
        for config, path in pairs]
    if len(titles) != len(pairs):
        raise ValueError(f'--titles wants {len(pairs)} names, one for each '
                         f'network, got {len(titles)}.')
    networks, first = [], None
    for title, (config, path) in zip(titles, pairs, strict=True):
        cfg = load_config(config, args.cfg_options)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        model = MODELS.build(cfg.model)
        load_trained(model, path)
        networks.append((title, model))
        first = first or cfg
    return networks, first


def main(argv: Sequence[str] | None = None) -> dict[str, Separation]:
    """Draw and print; return the figures.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        dict[str, Separation]: Of each network, by its name.

    Raises:
        ImportError: If scikit-learn is missing.
        ValueError: If a checkpoint is of another model or there are no
            images with crack.
    """
    from mmcrack.engine.trained import choose_images, whole_images
    from mmcrack.visualization.plots import (
        Cloud,
        cloud_figure,
        write_figure,
    )
    args = parse_args(argv)
    need_sklearn()
    networks, cfg = load_networks(args)
    dataset = whole_images(cfg, args.split)
    indices = choose_images(dataset, args.images, seed=args.seed)
    pixels = sample_pixels(dataset, indices, last_head(networks[0][1]), args)
    count = int(pixels.is_margin.sum())
    print(f'{count} crack and {count} margin pixels of '
          f'{len(pixels.images)} images')
    clouds, figures = [], {}
    for title, model in networks:
        features = features_of(model, pixels)
        figure = figures[title] = separation(features, pixels, args)
        print(describe(title, features, pixels, figure, args))
        clouds.append(Cloud(
            title, f'silhouette {figure.silhouette:.3f}, purity '
            f'{figure.purity:.3f}', lay_out(features, args),
            pixels.is_margin))
    out = args.out or \
        Path('work_dirs') / Path(args.config).stem / 'features.png'
    write_figure(out, cloud_figure(clouds))
    print(out)
    return figures


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'feature_tsne.py')


if __name__ == '__main__':
    sys.exit(command())
