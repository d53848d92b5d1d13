"""Draw systems side by side: Figure 5 of CIRL, Figure 7 of CBPRN.

``python tools/analysis/compare_pictures.py --system UNet CONFIG CHECKPOINT
--system JTFN CONFIG CHECKPOINT --images 4`` draws of each image: photograph |
truth | each system, with hits, misses and false alarms in colours, the place
where the systems disagree most enlarged from full resolution, and the IoU of
each. ``--system NAME FOLDER`` takes masks from a folder (as ``tools/test.py
--out`` writes them). One picture for each image, and all in ``all.png``.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

CRACK, IGNORE = 1, 255


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    from mmcrack.engine.launch import KeyValues
    from mmcrack.visualization.comparison import STYLES
    parser = argparse.ArgumentParser(
        description='Draw systems side by side.')
    add = parser.add_argument
    add('--system', nargs='+', action='append', required=True,
        metavar=('NAME', 'CONFIG CHECKPOINT | FOLDER'),
        help='a name with a config and a checkpoint, or with a folder of '
        'masks; once for each system, in this order')
    add('--data', help='config whose images are drawn (default: that of the '
        'first system with one)')
    add('--split', choices=('train', 'val', 'test'), default='test',
        help='of its images (default %(default)s)')
    add('--images', nargs='+', default=['4'], metavar='N|NAME',
        help='so many, drawn at random, or these (default 4)')
    add('--seed', type=int, default=0, help='of the draw (default 0)')
    add('--box', action='append', type=_box, default=[],
        metavar='[IMAGE:]LEFT,TOP,WIDTH,HEIGHT',
        help='enlarge this place, of one image or of all')
    add('--boxes', type=int, default=1, help='places to choose for an image '
        'without --box (default %(default)s)')
    add('--zoom', type=int, help='of a chosen place (default 3; 2 on images '
        'that are reduced more than fourfold)')
    add('--max-long-edge', type=int, default=360,
        help='of a panel in pixels (default %(default)s)')
    add('--style', choices=STYLES, default='errors',
        help="'masks': white on black, as in the papers")
    add('--device', default='cpu', help='(default %(default)s)')
    add('--out', type=Path, default=Path('work_dirs/comparison'),
        help='folder for the pictures (default %(default)s)')
    add('--cfg-options', nargs='+', action=KeyValues,
        help='override settings of --data, key=value')
    args = parser.parse_args(argv)
    for system in args.system:
        if len(system) not in (2, 3):
            parser.error('--system takes NAME CONFIG CHECKPOINT or NAME '
                         f'FOLDER, got {" ".join(system)}')
    names = [system[0] for system in args.system]
    if len(set(names)) < len(names):
        parser.error('--system: every name may stand once, got '
                     f'{", ".join(names)}')
    args.data = args.data or next(
        (system[1] for system in args.system if len(system) == 3), None)
    if args.data is None:
        parser.error('folders of masks need --data, a config with the images')
    if args.boxes < 0 or args.max_long_edge < 1 or (
            args.zoom is not None and args.zoom < 1):
        parser.error('--boxes must be at least 0, --zoom and '
                     '--max-long-edge at least 1')
    return args


def _box(text: str) -> tuple[str, tuple[int, ...]]:
    """Read a box of the command line."""
    image, _, numbers = text.rpartition(':')
    try:
        box = tuple(int(n) for n in numbers.split(','))
    except ValueError:
        box = ()
    if len(box) != 4:
        raise argparse.ArgumentTypeError(
            f'wants [IMAGE:]LEFT,TOP,WIDTH,HEIGHT in pixels, got {text!r}')
    return Path(image).stem if image else '', box


def bare_scene(packed: dict) -> Any:
    """Read image and truth of a packed sample.

    Args:
        packed (dict): 'inputs' and 'data_samples' of a test pipeline.

    Returns:
        Scene: Without systems.

    Raises:
        ValueError: If the image has no label.
    """
    from mmcrack.visualization import to_picture
    from mmcrack.visualization.comparison import Scene
    sample = packed['data_samples']
    name = Path(sample.metainfo['img_path']).stem
    if 'gt_sem_seg' not in sample:
        raise ValueError(f'The image {name!r} has no label to compare with.')
    label = sample.gt_sem_seg.data[0].numpy()
    image = to_picture(packed['inputs'].numpy().transpose(1, 2, 0)[..., ::-1])
    if image.shape[:2] != label.shape:
        image = cv2.resize(image, label.shape[::-1])
    return Scene(name, image, label == CRACK, label == IGNORE, ())


def network_masks(config: str, checkpoint: str, samples: Sequence[dict],
                  device: str) -> list[np.ndarray]:
    """Let a trained network predict.

    Args:
        config (str): Its config.
        checkpoint (str): Its weights.
        samples (Sequence[dict]): Packed by a test pipeline.
        device (str): Where.

    Returns:
        list[array]: bool, (H, W) each.

    Raises:
        ValueError: If the checkpoint is of another model.
    """
    from mmengine.model import revert_sync_batchnorm
    from mmengine.registry import MODELS, init_default_scope

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import load_trained
    cfg = load_config(config)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = revert_sync_batchnorm(MODELS.build(cfg.model))
    load_trained(model, checkpoint)
    model.to(device)
    masks = []
    for packed in samples:
        batch = dict(inputs=[packed['inputs']],
                     data_samples=[packed['data_samples'].clone()])
        with torch.inference_mode():
            sample = model.test_step(batch)[0]
        masks.append(sample.pred_sem_seg.data[0].cpu().numpy() == CRACK)
    return masks


def folder_mask(folder: Path, name: str, size: Sequence[int]) -> np.ndarray:
    """Read a predicted mask from a folder.

    Args:
        folder (Path): With a PNG file named like the image.
        name (str): Of the image, without ending.
        size (Sequence[int]): (H, W) that it must have.

    Returns:
        array: bool, (H, W): 1, or above 127 where there are more values.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no mask of this size.
    """
    path = folder / f'{name}.png'
    if not path.is_file():
        raise FileNotFoundError(f'There is no mask {str(path)!r}.')
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if mask is None or mask.shape != tuple(size):
        found = 'no picture' if mask is None else \
            f'{mask.shape[1]} x {mask.shape[0]}'
        raise ValueError(f'{str(path)!r} must be a mask of {size[1]} x '
                         f'{size[0]} pixels, got {found}.')
    return mask > 127 if mask.max() > 1 else mask == CRACK


def main(argv: Sequence[str] | None = None) -> list[Path]:
    """Draw; return the files.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        list[Path]: Pictures, the one of all images last.

    Raises:
        ValueError: If a system does not fit, or there is no such image.
    """
    from mmengine.registry import init_default_scope

    from mmcrack.engine.launch import load_config
    from mmcrack.engine.trained import choose_images, whole_images
    from mmcrack.visualization import write_picture
    from mmcrack.visualization.comparison import (
        Box,
        Found,
        comparison_picture,
        crack_iou,
    )
    args = parse_args(argv)
    cfg = load_config(args.data, args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    dataset = whole_images(cfg, args.split)
    samples = [dataset[index] for index in choose_images(
        dataset, args.images, seed=args.seed)]
    scenes = [bare_scene(packed) for packed in samples]
    unknown = {image for image, _ in args.box} - {'', *(
        scene.name for scene in scenes)}
    if unknown:
        raise ValueError(f'--box names {sorted(unknown)[0]!r}, which is not '
                         f'drawn: {", ".join(s.name for s in scenes)}.')
    for name, *source in args.system:
        if len(source) == 2:
            masks = network_masks(*source, samples, args.device)
        else:
            masks = [folder_mask(Path(source[0]), scene.name,
                                 scene.target.shape) for scene in scenes]
        scenes = [scene._replace(found=(*scene.found, Found(name, mask)))
                  for scene, mask in zip(scenes, masks, strict=True)]
        ious = [crack_iou(mask, scene.target, scene.ignored)
                for scene, mask in zip(scenes, masks, strict=True)]
        print(f'{name}: IoU ' + ', '.join(
            f'{scene.name} {iou:.1f}'
            for scene, iou in zip(scenes, ious, strict=True)))
    boxes = [[Box(*box) for image, box in args.box
              if image in ('', scene.name)] for scene in scenes]
    files = []
    for chosen, names in [
            *(([k], scene.name) for k, scene in enumerate(scenes)),
            (range(len(scenes)), 'all')]:
        files.append(args.out / f'{names}.png')
        write_picture(files[-1], comparison_picture(
            [scenes[k] for k in chosen],
            boxes=[boxes[k] for k in chosen] if args.box else args.boxes,
            zoom=args.zoom, max_long_edge=args.max_long_edge,
            style=args.style))
        print(files[-1])
    return files


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'compare_pictures.py')


if __name__ == '__main__':
    sys.exit(command())
