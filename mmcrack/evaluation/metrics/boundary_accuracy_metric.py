"""mBA of a set of images."""

import logging

import numpy as np

from mmcrack.evaluation.metrics.per_image import PerImageMetric
from mmcrack.functional.metrics.boundary import (
    BOUNDARY_MODES,
    background_counts,
    boundary_counts,
    boundary_radii,
    mean_over_bands,
)
from mmcrack.registry import METRICS


@METRICS.register_module()
class BoundaryAccuracyMetric(PerImageMetric):
    """Mean boundary accuracy, with the floor that it stands on.

    mBA of CascadePSP (Cheng et al., CVPR 2020), as its released code
    computes it and CBPRN (section 4.2) reports it: the mean over images of
    :func:`mmcrack.functional.metrics.boundary_accuracy`, at the original
    size, in percent. Of thin cracks most of the bands is background, so
    that a network which finds nothing still scores well: the floor says how
    well.

    Keys below ``prefix``, NaN where no image has a boundary:

    * ``mBA`` and ``mBA_floor`` (an all-background prediction on the same
      images), or ``mBA_IoU`` and ``mBA_IoU_floor`` with ``mode='iou'``;
    * ``mBA_images``, the images in the mean, and
      ``mBA_images_without_boundary``, those left out because their truth
      has no crack or nothing else (``mBA_IoU_images...`` likewise).

    Args:
        min_radius (int): Radius of the smallest band in pixels: 1 in the
            released code; the text of the paper is usually quoted with 3.
        mode (str): ``'accuracy'``: share of band pixels where prediction
            and truth agree (the released code). ``'iou'``: IoU of the crack
            inside the bands (the wording of CBPRN).
        ignore_index (int): Label whose pixels are in no band and make no
            edge.
        crack_class (int): Class index of crack. With more than two classes
            all others are background.
        threshold (float, optional): Crack where its probability is at least
            this; None, or where no probabilities are at hand: where
            ``prediction`` is ``crack_class``.
        per_image_csv (str, optional): File for the figures of each image,
            written anew after each evaluation.
        collect_device (str): Where the results of several processes meet:
            ``'cpu'`` or ``'gpu'``.
        prefix (str, optional): In front of each key; None: ``crack``.
        prediction (str): Field of the data samples that is scored. A
            segmentor that predicts in two steps leaves one for each, such as
            ``coarse_sem_seg`` beside ``pred_sem_seg``; with a ``prefix`` of
            its own a second metric scores it in the same run.

    Attributes:
        per_image (list[dict]): After an evaluation, on the main process:
            for each image ``image``, its score and its floor in percent.

    Raises:
        ValueError: If an argument is outside its range.
        TypeError: If an argument is of the wrong type.
    """

    def __init__(self,
                 min_radius: int = 1,
                 mode: str = 'accuracy',
                 ignore_index: int = 255,
                 crack_class: int = 1,
                 threshold: float | None = None,
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
        if mode not in BOUNDARY_MODES:
            raise ValueError(
                f"mode must be one of {', '.join(BOUNDARY_MODES)}, got "
                f'{mode!r}.')
        boundary_radii(1, 1, min_radius=min_radius)
        self.min_radius = min_radius
        self.mode = mode
        self.key = 'mBA' if mode == 'accuracy' else 'mBA_IoU'

    def process_image(self, sample: dict) -> dict:
        """Score one image.

        Args:
            sample (dict): Its data sample.

        Returns:
            dict[str, float]: Score and floor in percent, NaN without a
            boundary.

        Raises:
            ValueError: If a mask is missing or unusable.
        """
        pred, target, valid = self.masks(sample)
        counts = boundary_counts(
            pred, target, min_radius=self.min_radius, valid=valid)
        return {
            self.key:
            100 * mean_over_bands(counts, mode=self.mode),
            f'{self.key}_floor':
            100 * mean_over_bands(background_counts(counts), mode=self.mode),
        }

    def compute_metrics(self, results: list) -> dict:
        """Average over the images that have a boundary and print it.

        Args:
            results (list[dict]): One row for each image.

        Returns:
            dict[str, float]: The keys of the class.
        """
        self.keep_rows(results)
        key, floor_key = self.key, f'{self.key}_floor'
        scored = [row for row in results if not np.isnan(row[floor_key])]
        score, floor = (
            float(np.mean([row[k] for row in scored]))
            if scored else float('nan') for k in (key, floor_key))
        without = len(results) - len(scored)
        kind = 'accuracy' if self.mode == 'accuracy' else "crack's IoU"
        self.say(
            f'{self.prefix}/{key} {score:.2f} (mean {kind} in percent in 5 '
            f'bands around the contour, radii from {self.min_radius} px; an '
            f'all-background prediction gets {floor:.2f}), mean over '
            f'{len(scored)} images; {without} without a boundary in the '
            'truth left out.')
        if not scored:
            self.say(
                f'{self.prefix}/{key} is NaN: no image has a boundary in '
                'its truth.', logging.WARNING)
        return {
            key: score,
            floor_key: floor,
            # MMEngine writes an int as null into its JSON file.
            f'{key}_images': float(len(scored)),
            f'{key}_images_without_boundary': float(without),
        }
