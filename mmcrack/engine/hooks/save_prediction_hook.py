"""Hook that writes the predicted label maps of a test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from PIL import Image

from mmcrack.registry import HOOKS


def picture_name(img_path: str, root: str | None = None) -> Path:
    """Return the name under which to write something about an image.

    Args:
        img_path (str): The image's file.
        root (str, optional): The folder of the data set's images.

    Returns:
        Path: The image's path below ``root`` without its ending, or only
        its stem if it does not lie below.
    """
    path = Path(img_path)
    if root:
        try:
            return path.relative_to(root).with_suffix('')
        except ValueError:
            pass
    return Path(path.stem)


def image_root(dataset: object) -> str | None:
    """Return the folder of a data set's images, if it has one.

    Args:
        dataset: An MMSegmentation data set.

    Returns:
        str | None: ``data_prefix['img_path']``.
    """
    prefix = getattr(dataset, 'data_prefix', None) or {}
    return prefix.get('img_path') or None


@HOOKS.register_module()
class SavePredictionHook(Hook):
    """Write one PNG of class indices for each tested image.

    Not in the papers: what ``tools/test.py --out`` uses where no metric of
    the config writes predictions itself. The files are as MMSegmentation's
    ``IoUMetric(output_dir=...)`` writes them, at the size of the original.

    Args:
        out_dir (str): Folder to write into; made if needed.
    """

    priority = 'LOW'

    def __init__(self, *, out_dir: str) -> None:
        self.out_dir = Path(out_dir)

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: dict | None = None,
                        outputs: Sequence[BaseDataElement] | None = None
                        ) -> None:
        """Write the predictions of one batch.

        Args:
            runner (Runner): Its test data set names the images' folder.
            batch_idx (int): Not used.
            data_batch (dict): Not used.
            outputs (Sequence[SegDataSample]): With ``pred_sem_seg``.
        """
        root = image_root(runner.test_dataloader.dataset)
        for sample in outputs or ():
            label = sample.pred_sem_seg.data.squeeze(0).cpu().numpy()
            if sample.metainfo.get('reduce_zero_label', False):
                label = label + 1
            name = picture_name(sample.metainfo['img_path'], root)
            path = self.out_dir / f'{name}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(label.astype(np.uint8)).save(path)
