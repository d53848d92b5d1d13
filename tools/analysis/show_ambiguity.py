"""Draw where CIRL finds labels ambiguous: Figures 1 and 2 of the paper.

``python tools/analysis/show_ambiguity.py CONFIG CHECKPOINT`` draws of each
image: photograph | label with the margin M (Eq. 1) | the place with the
densest ambiguous region, enlarged; below it: variance, on a logarithmic
scale with numbers and with its spread in crack, margin and background |
ambiguous region A (Eq. 8) | the same place. ``--also CONFIG CHECKPOINT``,
given once or more, adds a row for another network (Figure 2: KL against
Aseg). Share of the margin in A and quantiles of the variance are printed.

Images are whole, read as in a test, in evaluation mode; training sees crops
and each batch's own statistics, so its log tells slightly other numbers.
The variance is the one that phase II takes: of a head with
``std_source='frozen'`` that of the copy in the checkpoint, if it holds one.

``--masks FOLDER`` writes A of the first network as pictures too, 255 inside,
which ``tools/dataset_converters/to_polygons.py`` turns into polygons of an
annotation tool: so that people look at these places again.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor, nn  # noqa: E402


class Network(NamedTuple):
    """A trained network and its rule for what is ambiguous.

    Attributes:
        title (str): Its name.
        model (nn.Module): The segmentor.
        head (nn.Module): Its CIRLHead.
        threshold (float, optional): Of the variance.
        quantile (float, optional): Of the variance in an image's margin.
    """

    title: str
    model: nn.Module
    head: nn.Module
    threshold: float | None
    quantile: float | None


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    parser = argparse.ArgumentParser(
        description='Draw where CIRL finds labels ambiguous.')
    add = parser.add_argument
    add('config', help='config file with a mmcrack.CIRLHead')
    add('checkpoint', help='its network')
    add('--also', nargs=2, action='append', default=[],
        metavar=('CONFIG', 'CHECKPOINT'), help='compare with this network; '
        'may be given several times')
    add('--titles', nargs='+', help='names of the networks')
    add('--split', choices=('train', 'val', 'test'), default='train',
        help='of CONFIG (default %(default)s)')
    add('--images', nargs='+', default=['4'], metavar='N|NAME',
        help='so many, drawn at random, or these (default 4)')
    add('--seed', type=int, default=0, help='of the draw (default 0)')
    add('--threshold', help="in place of each config's own: a variance, or "
        "a quantile of each image's margin such as q0.9")
    add('--zoom', type=int, default=6,
        help='of the enlarged place (default %(default)s)')
    add('--max-long-edge', type=int, default=1024, help='longer images are '
        'reduced (default %(default)s)')
    add('--out', type=Path, help='folder for the pictures (default '
        'work_dirs/CONFIG/ambiguity)')
    add('--masks', type=Path, metavar='FOLDER', help="write the first "
        "network's ambiguous regions there, as NAME.png of 0 and 255")
    add('--cfg-options', nargs='+', action=KeyValues,
        help='override settings of the config, key=value')
    args = parser.parse_args(argv)
    if args.zoom < 1 or args.max_long_edge < 1:
        parser.error('--zoom and --max-long-edge must be at least 1')
    return args


def cirl_head(model: nn.Module, config: str) -> nn.Module:
    """Return the head whose prediction is the network's.

    Args:
        model (nn.Module): A segmentor.
        config (str): Its config file, for the message.

    Returns:
        nn.Module: A CIRLHead.

    Raises:
        ValueError: If it is none.
    """
    from mmcrack.models.decode_heads import CIRLHead
    head = model.decode_head
    head = head[-1] if isinstance(head, nn.ModuleList) else head
    if isinstance(head, CIRLHead):
        return head
    raise ValueError(
        f'The config {str(config)!r} predicts no variance: its decode head '
        f'is a {type(head).__name__}; wanted one that is wrapped, '
        "decode_head=dict(type='mmcrack.CIRLHead', seg_head=...).")


def load_network(config: str, checkpoint: str, args: argparse.Namespace,
                 title: str) -> tuple[Network, Any]:
    """Load one network.

    Args:
        config (str): Config file.
        checkpoint (str): Checkpoint.
        args (argparse.Namespace): With ``threshold`` and ``cfg_options``.
        title (str): Its name.

    Returns:
        tuple[Network, Config]: With the config as read.

    Raises:
        ValueError: If the config has no CIRLHead, the checkpoint is of
            another model, or the threshold is none.
    """
    from mmengine.registry import MODELS, init_default_scope

    from mmcrack.engine.checkpoint import load_weights
    from mmcrack.engine.hooks.two_phase_hook import FROZEN_KEY
    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import load_trained
    from mmcrack.models.layers.variance import read_threshold
    cfg = load_config(config, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = MODELS.build(cfg.model)
    head = cirl_head(model, config)
    content = load_trained(model, checkpoint)
    if head.std_source == 'frozen' and FROZEN_KEY in content:
        load_weights(model, content[FROZEN_KEY])
    rule = (head.threshold_value, head.threshold_quantile)
    if args.threshold is not None:
        try:
            rule = read_threshold(float(args.threshold))
        except ValueError:
            rule = read_threshold(args.threshold)
    return Network(title, model, head, *rule), cfg


@contextmanager
def _variance_last(model: nn.Module, head: nn.Module) -> Iterator[None]:
    """Let a segmentor's logits have one channel more: the variance.

    So whole images and sliding windows both come out of the segmentor's
    own code.
    """
    predict, channels = head.predict, model.out_channels
    head.predict = lambda *args: torch.cat(
        predict(*args, return_variance=True), dim=1)
    model.out_channels = channels + 1
    try:
        yield
    finally:
        del head.predict
        model.out_channels = channels


@torch.inference_mode()
def log_variance(network: Network, packed: dict,
                 size: Sequence[int]) -> Tensor:
    """Run a network on an image.

    Args:
        network (Network): In evaluation mode.
        packed (dict): 'inputs' and 'data_samples' of a test pipeline.
        size (Sequence[int]): (H, W) of the label.

    Returns:
        Tensor: Float32, (1, H, W), log of the variance.
    """
    model = network.model
    batch = dict(inputs=[packed['inputs']],
                 data_samples=[packed['data_samples'].clone()])
    data = model.data_preprocessor(batch, False)
    metas = [sample.metainfo for sample in data['data_samples']]
    with _variance_last(model, network.head):
        out = model.inference(data['inputs'], metas)
    log_var = out[:, -1:].log()
    left, right, top, bottom = metas[0].get(
        'img_padding_size', metas[0].get('padding_size', [0] * 4))
    height, width = log_var.shape[-2:]
    log_var = log_var[..., top:height - bottom, left:width - right]
    if tuple(log_var.shape[-2:]) != tuple(size):
        log_var = F.interpolate(log_var, tuple(size), mode='bilinear',
                                align_corners=False)
    return log_var[:, 0]


def find(network: Network, packed: dict) -> tuple[Any, Any]:
    """Find what one network says about an image.

    Args:
        network (Network): In evaluation mode.
        packed (dict): 'inputs' and 'data_samples' of a test pipeline.

    Returns:
        tuple[Labelled, Ambiguity]: For the picture.

    Raises:
        ValueError: If the image has no label.
    """
    from mmcrack.functional.regions import (
        ambiguous_region,
        binary_label,
        marginal_region,
    )
    from mmcrack.models.layers.variance import variance_threshold_of
    from mmcrack.visualization import Ambiguity, Labelled, to_picture
    sample, head = packed['data_samples'], network.head
    name = Path(sample.metainfo['img_path']).stem
    if 'gt_sem_seg' not in sample:
        raise ValueError(f'The image {name!r} has no label: margin and '
                         'ambiguous region exist only beside labelled crack.')
    target = binary_label(sample.gt_sem_seg.data.long(),
                          crack_class=head.crack_class,
                          ignore_index=head.ignore_index)
    margin = marginal_region(target, kernel_size=head.marginal_kernel,
                             ignore_index=head.ignore_index)
    log_var = log_variance(network, packed, target.shape[-2:])
    threshold = network.threshold
    if threshold is None:
        threshold = variance_threshold_of(log_var, margin, network.quantile)
    ambiguous = ambiguous_region(log_var, margin,
                                 variance_threshold=threshold)
    image = to_picture(packed['inputs'].numpy().transpose(1, 2, 0)[..., ::-1])
    height, width = target.shape[-2:]
    if image.shape[:2] != (height, width):
        image = cv2.resize(image, (width, height))
    labelled = Labelled(name, image, (target[0] == 1).numpy(),
                        margin[0].numpy(),
                        (target[0] == head.ignore_index).numpy())
    return labelled, Ambiguity(network.title, log_var[0].exp().numpy(),
                               ambiguous[0].numpy(), float(threshold))


def describe(labelled: Any, finding: Any) -> str:
    """Say in words what a picture shows.

    Args:
        labelled (Labelled): The image.
        finding (Ambiguity): Of one network.

    Returns:
        str: Two lines.
    """
    from mmcrack.visualization import spreads_of
    total, held = int(labelled.margin.sum()), int(finding.ambiguous.sum())
    spreads = ', '.join(
        f'{name} ' + '/'.join(f'{n:.3g}' for n in numbers)
        for name, numbers in spreads_of(finding.variance, labelled).items()
        if np.isfinite(numbers).all())
    if not total:
        return f'  {finding.title}: no margin; variance: {spreads}'
    # Where a ReLU leaves no feature the variance is the std head's bias
    # alone, and a quantile may fall on that plateau: none is above it.
    tied = 100 * np.isclose(finding.variance[labelled.margin],
                            finding.threshold, rtol=1e-5).mean()
    plateau = f'; {tied:.1f} % exactly there' if tied > 1 else ''
    return (f'  {finding.title}: {100 * held / total:.1f} % of the '
            f'margin in A ({held} of {total} px, variance > '
            f'{finding.threshold:.3g}{plateau})\n'
            f'    variance, quantiles 10/50/90 %: {spreads}')


def write_mask(path: Path, finding: Any) -> None:
    """Write an ambiguous region as a picture.

    Args:
        path (Path): PNG file; its folder is made.
        finding (Ambiguity): Of one network.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.where(finding.ambiguous, 255, 0).astype(np.uint8)
    path.write_bytes(cv2.imencode('.png', mask)[1].tobytes())


def titles_of(args: argparse.Namespace) -> list[str]:
    """Return a name for each network.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        list[str]: As given; otherwise names of the configs, with that of
        the checkpoint where two are equal.

    Raises:
        ValueError: If there are more or fewer names than networks.
    """
    pairs = [(args.config, args.checkpoint), *args.also]
    if args.titles:
        if len(args.titles) != len(pairs):
            raise ValueError(f'--titles wants {len(pairs)} names, one for '
                             f'each network, got {len(args.titles)}.')
        return args.titles
    stems = [Path(config).stem for config, _ in pairs]
    return [stem if stems.count(stem) == 1
            else f'{Path(path).parent.name}/{Path(path).stem}'
            for stem, (_, path) in zip(stems, pairs, strict=True)]


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Draw; return the files.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[Path]: Pictures.

    Raises:
        ValueError: If a config has no CIRLHead, a checkpoint is of another
            model, or there is no such image.
    """
    from mmcrack.engine.trained import choose_images, whole_images
    from mmcrack.visualization import ambiguity_picture, write_picture
    args = parse_args(argv)
    pairs = [(args.config, args.checkpoint), *args.also]
    loaded = [load_network(*pair, args, title)
              for pair, title in zip(pairs, titles_of(args), strict=True)]
    networks, (cfg, *_) = zip(*loaded, strict=True)
    dataset = whole_images(cfg, args.split)
    out = args.out or Path('work_dirs') / Path(args.config).stem / 'ambiguity'
    files: list[Path] = []
    held, margins = np.zeros(len(networks), int), np.zeros(len(networks), int)
    for index in choose_images(dataset, args.images, seed=args.seed):
        packed = dataset[index]
        found = [find(network, packed) for network in networks]
        labelled = found[0][0]
        files.append(out / f'{labelled.name}.png')
        write_picture(files[-1], ambiguity_picture(
            labelled, [finding for _, finding in found], zoom=args.zoom,
            max_long_edge=args.max_long_edge))
        print(files[-1])
        if args.masks is not None:
            write_mask(args.masks / f'{labelled.name}.png', found[0][1])
        for number, pair in enumerate(found):
            print(describe(*pair))
            held[number] += int(pair[1].ambiguous.sum())
            margins[number] += int(pair[0].margin.sum())
    for network, some, all_ in zip(networks, held, margins, strict=True):
        print(f'{network.title}, all images: {100 * some / max(1, all_):.1f} '
              f'% of the margin in A ({some} of {all_} px)')
    return files


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'show_ambiguity.py')


if __name__ == '__main__':
    sys.exit(command())
