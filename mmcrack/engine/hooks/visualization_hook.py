"""Hook that draws what a network found and what it rendered."""

from collections.abc import Sequence
from pathlib import Path

import mmcv
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from mmcrack.engine.hooks.save_prediction_hook import image_root, picture_name
from mmcrack.registry import HOOKS
from mmcrack.visualization import result_picture, to_picture, write_picture


@HOOKS.register_module()
class CrackVisualizationHook(Hook):
    """Write image | truth | prediction | heat map for each tested image.

    CBPRN's Figure 4 for the last panel: the crack probability before
    rendering, and on it the pixels that were predicted again. A network
    whose head renders nothing shows its crack probability. Not in the
    papers: the other panels.

    A head takes part by an attribute ``keep_rendering`` (bool). The hook
    sets it while it draws; each ``predict`` then leaves ``rendering``: a
    dict of ``heat_map``, float (N, 1, H, W), and ``rendered``, bool (N, H,
    W), both at the size of the network's input, or None. In ``slide`` mode a
    prediction covers one window only, and the probability is drawn instead.

    Args:
        draw (bool): Whether to draw at all. ``tools/test.py --show-dir``
            sets it.
        out_dir (str, optional): Where to write; by default ``pictures`` in
            the run's log folder. Pictures have their image's path below the
            data set's image folder and end in ``.png``.
        show (bool): Whether to show each picture in a window as well.
        wait_time (float): Seconds for which it is shown; 0: until a key.
        interval (int): Draw every ``interval``-th image.
        max_long_edge (int, optional): Longer panels are reduced to it, in
            pixels, thin cracks are kept; None never reduces.
        draw_val (bool): Draw during validation too, in a folder for each
            epoch or iteration.
        crack_class (int): Class index of crack.

    Raises:
        ValueError: If a number is out of its range.
    """

    priority = 'NORMAL'

    def __init__(self,
                 draw: bool = False,
                 out_dir: str | None = None,
                 show: bool = False,
                 wait_time: float = 0.,
                 *,
                 interval: int = 1,
                 max_long_edge: int | None = 1024,
                 draw_val: bool = False,
                 crack_class: int = 1) -> None:
        if interval < 1:
            raise ValueError(f'interval must be at least 1, got {interval}.')
        if max_long_edge is not None and max_long_edge < 16:
            raise ValueError('max_long_edge must be None or at least 16 '
                             f'pixels, got {max_long_edge}.')
        if wait_time < 0:
            raise ValueError('wait_time must not be negative, got '
                             f'{wait_time}.')
        if crack_class < 0:
            raise ValueError('crack_class must not be negative, got '
                             f'{crack_class}.')
        self.draw = draw
        self.out_dir = out_dir
        self.show = show
        self.wait_time = wait_time
        self.interval = interval
        self.max_long_edge = max_long_edge
        self.draw_val = draw_val
        self.crack_class = crack_class
        #: Folder of the last pictures, once there is one.
        self.written_to: Path | None = None
        self._heads: list[nn.Module] = []
        self._count = 0

    def before_test(self, runner: Runner) -> None:
        """Ask the heads to keep what they render.

        Args:
            runner (Runner): With the model.
        """
        self._count = 0
        if self.draw:
            self._ask(runner)

    def before_val(self, runner: Runner) -> None:
        """Do as :meth:`before_test` if validation is drawn.

        Args:
            runner (Runner): With the model.
        """
        self._count = 0
        if self.draw and self.draw_val:
            self._ask(runner)

    def after_test(self, runner: Runner) -> None:
        """Let the heads forget.

        Args:
            runner (Runner): Not used.
        """
        self._release()

    def after_val(self, runner: Runner) -> None:
        """Let the heads forget.

        Args:
            runner (Runner): Not used.
        """
        self._release()

    def after_test_iter(self,
                        runner: Runner,
                        batch_idx: int,
                        data_batch: dict | None = None,
                        outputs: Sequence[BaseDataElement] | None = None
                        ) -> None:
        """Draw one batch.

        Args:
            runner (Runner): Names folders and the model.
            batch_idx (int): Not used.
            data_batch (dict): With ``inputs``, the images as loaded.
            outputs (Sequence[SegDataSample]): Predictions and truth.
        """
        if self.draw:
            folder = Path(self.out_dir or Path(runner.log_dir) / 'pictures')
            self._draw_batch(runner, folder, data_batch, outputs or (),
                             runner.test_dataloader.dataset)

    def after_val_iter(self,
                       runner: Runner,
                       batch_idx: int,
                       data_batch: dict | None = None,
                       outputs: Sequence[BaseDataElement] | None = None
                       ) -> None:
        """Draw one batch of validation, if asked to.

        Args:
            runner (Runner): Names folders and the model.
            batch_idx (int): Not used.
            data_batch (dict): With ``inputs``, the images as loaded.
            outputs (Sequence[SegDataSample]): Predictions and truth.
        """
        if self.draw and self.draw_val:
            folder = Path(self.out_dir or Path(runner.log_dir) / 'pictures')
            self._draw_batch(runner, folder / f'val_{runner.iter}',
                             data_batch, outputs or (),
                             runner.val_dataloader.dataset)

    def _ask(self, runner: Runner) -> None:
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        if isinstance(model, BaseTTAModel):
            return
        self._heads = [m for m in model.modules()
                       if hasattr(m, 'keep_rendering')]
        for head in self._heads:
            head.keep_rendering = True

    def _release(self) -> None:
        for head in self._heads:
            head.keep_rendering = False
            head.rendering = None
        self._heads = []

    def _draw_batch(self, runner: Runner, folder: Path,
                    data_batch: dict | None,
                    outputs: Sequence[BaseDataElement],
                    dataset: object) -> None:
        """Draw the images of a batch whose turn it is."""
        inputs = (data_batch or {}).get('inputs', ())
        root = image_root(dataset)
        for index, sample in enumerate(outputs):
            self._count += 1
            if (self._count - 1) % self.interval:
                continue
            pixels = inputs[index] if index < len(inputs) else None
            if not isinstance(pixels, Tensor):
                pixels = None
            picture = self._draw_sample(sample, index, pixels)
            name = picture_name(sample.metainfo['img_path'], root)
            write_picture(folder / f'{name}.png', picture)
            self.written_to = folder
            if self.show:
                runner.visualizer.show(
                    picture, win_name=str(name), wait_time=self.wait_time)

    def _draw_sample(self, sample: BaseDataElement, index: int,
                     pixels: Tensor | None) -> np.ndarray:
        """Collect what is known of one image and draw it."""
        pred = sample.pred_sem_seg.data.squeeze(0).cpu().numpy()
        size = pred.shape
        target = ignored = None
        if 'gt_sem_seg' in sample:
            label = sample.gt_sem_seg.data.squeeze(0).cpu().numpy()
            if label.shape != size:
                label = mmcv.imresize(label.astype(np.uint8), size[::-1],
                                      interpolation='nearest')
            target, ignored = label == self.crack_class, label == 255
        heat, rendered = self._rendering(sample, index)
        if heat is None:
            heat = self._probability(sample)
        return result_picture(
            _photograph(sample, pixels, size),
            pred=pred == self.crack_class,
            target=target,
            ignored=ignored,
            heat_map=heat,
            rendered=rendered,
            max_long_edge=self.max_long_edge)

    def _rendering(self, sample: BaseDataElement, index: int
                   ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return heat map and rendered pixels at the original size."""
        kept = [head.rendering for head in self._heads
                if getattr(head, 'rendering', None) is not None]
        if not kept or index >= len(kept[-1]['heat_map']):
            return None, None
        heat = kept[-1]['heat_map'][index, 0].detach().float()
        rendered = kept[-1]['rendered'][index]
        meta = sample.metainfo
        left, right, top, bottom = meta.get(
            'img_padding_size', meta.get('padding_size', [0] * 4))
        height, width = meta['img_shape'][:2]
        if heat.shape not in ((height, width),
                              (height + top + bottom, width + left + right)):
            return None, None
        rows = slice(top, heat.shape[0] - bottom)
        columns = slice(left, heat.shape[1] - right)
        heat, rendered = heat[rows, columns], rendered[rows, columns]
        if meta.get('flip'):
            axis = 1 if meta.get('flip_direction') == 'horizontal' else 0
            heat, rendered = heat.flip(axis), rendered.flip(axis)
        size = tuple(sample.pred_sem_seg.data.shape[-2:])
        return _resized_heat(heat, size), _resized_mask(rendered, size)

    def _probability(self, sample: BaseDataElement) -> np.ndarray | None:
        """Return the crack probability that a prediction holds."""
        if 'seg_logits' not in sample:
            return None
        logits = sample.seg_logits.data.detach().float()
        if logits.shape[0] == 1:
            return logits[0].cpu().numpy()
        return logits.softmax(dim=0)[self.crack_class].cpu().numpy()


def _resized_heat(heat: Tensor, size: tuple[int, int]) -> np.ndarray:
    if heat.shape != size:
        heat = F.interpolate(heat[None, None], size=size, mode='bilinear',
                             align_corners=False)[0, 0]
    return heat.cpu().numpy()


def _resized_mask(mask: Tensor, size: tuple[int, int]) -> np.ndarray:
    """Resize so that single pixels stay when the size falls."""
    if mask.shape != size:
        if mask.shape[0] > size[0] or mask.shape[1] > size[1]:
            mask = F.adaptive_max_pool2d(mask[None, None].float(), size)[0, 0]
        else:
            mask = F.interpolate(mask[None, None].float(), size=size)[0, 0]
    return mask.to(torch.bool).cpu().numpy()


def _photograph(sample: BaseDataElement, pixels: Tensor | None,
                size: tuple[int, int]) -> np.ndarray:
    """Return the image at the original size, uint8 (H, W, 3) RGB.

    What the pipeline loaded, if it did not resize; otherwise the file, if it
    reads at that size; otherwise what was loaded, resized back.
    """
    loaded = None
    if pixels is not None:
        loaded = pixels.detach().cpu().numpy().transpose(1, 2, 0)
        if loaded.dtype != np.uint8:
            loaded = np.clip(loaded, 0, 255).astype(np.uint8)
        loaded = to_picture(loaded)[..., ::-1]
        if loaded.shape[:2] == tuple(size):
            return np.ascontiguousarray(loaded)
    try:
        image = mmcv.imread(sample.metainfo['img_path'], 'color', 'rgb')
    except (OSError, ValueError, AttributeError):
        image = None
    if image is not None and image.shape[:2] == tuple(size):
        return image
    if loaded is None:
        return np.zeros((*size, 3), np.uint8)
    return mmcv.imresize(
        np.ascontiguousarray(loaded), tuple(size)[::-1])
