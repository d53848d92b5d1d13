"""IoU, Dice, precision, recall and F1 of cracks."""

import logging
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from PIL import Image
from prettytable import PrettyTable
from torch import Tensor

from mmcrack.evaluation.metrics.per_image import PerImageMetric
from mmcrack.evaluation.metrics.samples import image_name
from mmcrack.functional.metrics.counts import (
    Counts,
    check_empty_rule,
    confusion_counts,
    ratios,
)
from mmcrack.registry import METRICS


@METRICS.register_module()
class CrackMetric(PerImageMetric):
    """Score the crack class, both pooled and as a mean over images.

    The two kinds answer different questions and differ by several points:
    pooled figures are made from the pixels of all images together (a long
    crack counts more than a short one; mmseg's ``IoUMetric`` does this);
    mean figures are made for each image and averaged (each image counts the
    same; the tables of CIRL do this, see section 4.2 there and the code of
    JTFN, which it follows). All are in percent, at the original size.

    Keys below ``prefix``, NaN where undefined:

    * pooled: ``IoU, Dice, Precision, Recall, F1, mIoU``;
    * mean over images: ``image_IoU, image_Dice, image_Precision,
      image_Recall, image_F1, image_mIoU``;
    * ``images``, all that were judged, and ``images_without_crack``, those
      of them whose truth has no crack.

    ``IoU``, ``Dice``, ... are of the crack class; ``mIoU`` is the mean of
    crack and all else. Pooled ``Dice`` and ``F1`` are one number, and so
    are the two of one image; neither is the harmonic mean of the mean
    precision and the mean recall.

    Args:
        ignore_index (int): Label whose pixels count nowhere.
        crack_class (int): Class index of crack. With more than two classes
            all others are background.
        empty (str): What an image without crack in its truth scores in the
            mean over images: ``'skip'`` nothing, it is left out (and the
            number of such images is printed); ``'zero'`` 0, as in the code
            behind CIRL's tables; ``'one'`` 100 if nothing is predicted
            either, 0 after a false alarm. An image with cracks and an empty
            prediction scores 0 under each. The pooled figures follow the
            same rule if no image has a crack.
        threshold (float, optional): Crack where its probability is at least
            this; None, or where no probabilities are at hand: where
            ``prediction`` is ``crack_class``.
        output_dir (str, optional): Folder for the predicted masks: PNG, 1
            crack and 0 all else, named like the image; in a folder of its
            own below it for another ``prediction`` than ``pred_sem_seg``.
        format_only (bool): Only write the masks (for images without truth).
        per_image_csv (str, optional): File for the counts and ratios of
            each image, written anew after each evaluation.
        collect_device (str): Where the results of several processes meet:
            ``'cpu'`` or ``'gpu'``.
        prefix (str, optional): In front of each key; None: ``crack``.
        prediction (str): Field of the data samples that is scored. A
            segmentor that predicts in two steps leaves one for each, such as
            ``coarse_sem_seg`` beside ``pred_sem_seg``; with a ``prefix`` of
            its own a second metric scores it in the same run.

    Attributes:
        per_image (list[dict]): After an evaluation, on the main process:
            for each image ``image, tp, fp, fn, tn`` and the six ratios in
            percent.

    Raises:
        ValueError: If an argument is outside its range.
        TypeError: If an argument is of the wrong type.
    """

    def __init__(self,
                 ignore_index: int = 255,
                 crack_class: int = 1,
                 empty: str = 'skip',
                 threshold: float | None = None,
                 output_dir: str | None = None,
                 format_only: bool = False,
                 per_image_csv: str | None = None,
                 collect_device: str = 'cpu',
                 prefix: str | None = None,
                 prediction: str = 'pred_sem_seg') -> None:
        super().__init__(
            ignore_index=ignore_index,
            crack_class=crack_class,
            threshold=threshold,
            prediction=prediction,
            per_image_csv=per_image_csv,
            collect_device=collect_device,
            prefix=prefix)
        check_empty_rule(empty)
        if format_only and output_dir is None:
            raise ValueError(
                'output_dir must be a folder when format_only=True, got '
                'None: there would be nothing to do.')
        self.empty = empty
        self.format_only = format_only
        self.output_dir = None if output_dir is None else Path(output_dir)
        if self.output_dir is not None and prediction != 'pred_sem_seg':
            self.output_dir /= prediction
        self._written = {}
        if self.output_dir is not None and is_main_process():
            self.output_dir.mkdir(parents=True, exist_ok=True)

    def process_image(self, sample: dict) -> dict:
        """Count the pixels of one image.

        Args:
            sample (dict): Its data sample.

        Returns:
            dict[str, int]: ``tp, fp, fn, tn``; nothing with
            ``format_only``.

        Raises:
            ValueError: If a mask is missing or unusable.
        """
        if self.format_only:
            self._write_mask(sample, self.prediction(sample))
            return {}
        pred, target, valid = self.masks(sample)
        if self.output_dir is not None:
            self._write_mask(sample, pred)
        counts = confusion_counts(pred, target, valid=valid)
        return {
            'tp': counts.tp,
            'fp': counts.fp,
            'fn': counts.fn,
            'tn': counts.tn
        }

    def compute_metrics(self, results: list) -> dict:
        """Make the figures of the set and print them.

        Args:
            results (list[dict]): One row of counts for each image.

        Returns:
            dict[str, float]: The keys of the class, in percent.
        """
        if self.format_only:
            self.keep_rows(results)
            self.say(f'{len(results)} predicted masks are in '
                     f'{self.output_dir} (no figures: format_only=True).')
            return {}
        counts = [
            Counts(row['tp'], row['fp'], row['fn'], row['tn'])
            for row in results
        ]
        rows = [{
            **row,
            **_percent(ratios(c, empty=self.empty))
        } for row, c in zip(results, counts, strict=True)]
        self.keep_rows(rows)
        pooled = _percent(
            ratios(sum(counts, Counts(0, 0, 0, 0)), empty=self.empty))
        means = {
            key: _mean_of_numbers([row[key] for row in rows])
            for key in pooled
        }
        without = sum(c.tp + c.fn == 0 for c in counts)
        used = sum(not np.isnan(row['IoU']) for row in rows)
        self._print(pooled, means, images=len(rows), without=without,
                    used=used)
        return {
            **pooled,
            **{f'image_{key}': value for key, value in means.items()},
            # MMEngine writes an int as null into its JSON file.
            'images': float(len(rows)),
            'images_without_crack': float(without),
        }

    def _print(self, pooled: dict, means: dict, *, images: int, without: int,
               used: int) -> None:
        """Print both kinds of figures, each under its own name."""
        table = PrettyTable()
        table.field_names = ['percent', *pooled, 'keys']
        for name, figures, key in (
            ('pooled over all pixels', pooled, 'IoU'),
            (f'mean over {used} images', means, 'image_IoU')):
            table.add_row([
                name, *(f'{value:.2f}' for value in figures.values()),
                f'{self.prefix}/{key}, ...'
            ])
        what = {
            'skip': 'left out of the mean over images',
            'zero': 'counted as 0 in the mean over images',
            'one': 'counted as 100 in the mean over images, or 0 after a '
                   'false alarm'
        }[self.empty]
        self.say(f'Crack figures of {images} images; {without} without '
                 f"crack in the truth: {what} (empty='{self.empty}'). mIoU "
                 'is the mean of crack and background.\n'
                 f'{table.get_string()}')
        if not used:
            self.say(
                'The figures above are NaN: no image counts, because '
                + ('there is none.' if not images else
                   'none has a judged crack pixel in its truth.'),
                logging.WARNING)

    def _write_mask(self, sample: dict, pred: Tensor) -> None:
        """Write one predicted mask under the name of its image."""
        path = sample.get('img_path')
        if not path:
            raise ValueError('output_dir needs data samples with img_path, '
                             'got one without: add it to meta_keys of '
                             'PackSegInputs.')
        stem = Path(path).stem
        other = self._written.setdefault(stem, str(path))
        if other != str(path):
            raise ValueError(
                f'output_dir needs images of different names, got {other} '
                f'and {image_name(sample)}: both would be written to '
                f'{stem}.png.')
        self.output_dir.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pred.cpu().numpy().astype(np.uint8)).save(
            self.output_dir / f'{stem}.png')


def _percent(figures: dict) -> dict:
    """Shares as percentages."""
    return {key: 100 * value for key, value in figures.items()}


def _mean_of_numbers(values: list) -> float:
    """Mean of the values that are not NaN; NaN if there is none."""
    values = [value for value in values if not np.isnan(value)]
    return float(np.mean(values)) if values else float('nan')
