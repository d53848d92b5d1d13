"""What all metrics of cracks share: one row of figures for each image."""

import csv
import logging
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.structures import BaseDataElement
from torch import Tensor

from mmcrack.evaluation.metrics.samples import (
    field,
    image_name,
    logits_name,
    predicted_crack,
    stale_logits,
    true_crack,
)


class PerImageMetric(BaseMetric):
    """Score images one by one, at their original size.

    Exactly one row per image goes into ``results``, so that mmengine drops
    the images with which a distributed sampler fills up its last batch.

    Args:
        ignore_index (int): Label whose pixels count nowhere.
        crack_class (int): Class index of crack.
        threshold (float, optional): Crack where its probability is at least
            this; None: where the prediction says so.
        prediction (str): Field of the data sample that is scored.
        per_image_csv (str, optional): File for the rows of all images,
            written anew after each evaluation.
        collect_device (str): ``'cpu'`` or ``'gpu'``.
        prefix (str, optional): In front of each key; None: ``crack``.

    Attributes:
        per_image (list[dict]): The rows of the last evaluation, in the
            order of the data set; on the main process only.

    Raises:
        ValueError: If an argument is outside its range.
        TypeError: If an argument is of the wrong type.
    """

    default_prefix = 'crack'

    def __init__(self, *, ignore_index: int, crack_class: int, threshold,
                 prediction: str, per_image_csv, collect_device: str,
                 prefix) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        for name, value in (('ignore_index', ignore_index), ('crack_class',
                                                             crack_class)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(
                    f'{name} must be an integer label, got {value!r}.')
        if crack_class < 0:
            raise ValueError('crack_class must be a class index of at least '
                             f'0, got {crack_class}.')
        if crack_class == ignore_index:
            raise ValueError(
                'crack_class and ignore_index must differ, got '
                f'{crack_class} for both: crack would never be judged.')
        if threshold is not None:
            if (isinstance(threshold, bool)
                    or not isinstance(threshold, (int, float))):
                raise TypeError('threshold must be a probability or None, '
                                f'got {threshold!r}.')
            if not 0 <= threshold <= 1:
                raise ValueError('threshold must be a probability from 0 to '
                                 f'1, got {threshold}.')
        if not isinstance(prediction, str):
            raise TypeError("prediction must be a field's name, got "
                            f'{prediction!r}.')
        self.ignore_index = ignore_index
        self.crack_class = crack_class
        self.threshold = threshold
        self.prediction_field = prediction
        self.per_image_csv = per_image_csv
        self.per_image = []
        self._warned = set()

    def process(self, data_batch, data_samples: Sequence[dict]) -> None:
        """Score the images of one batch.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): What the segmentor returned.
        """
        for sample in data_samples:
            if isinstance(sample, BaseDataElement):
                sample = sample.to_dict()
            self.results.append(
                {'image': image_name(sample), **self.process_image(sample)})

    @abstractmethod
    def process_image(self, sample: dict) -> dict:
        """Score one image.

        Args:
            sample (dict): Its data sample.

        Returns:
            dict: Plain numbers, without the key ``image``.
        """

    def masks(self, sample: dict) -> tuple:
        """Return prediction, truth and judged pixels of one image.

        Args:
            sample (dict): Its data sample.

        Returns:
            tuple[Tensor, Tensor, Tensor | None]: Bool, (H, W), on one
            device; None where every pixel is judged.

        Raises:
            ValueError: If either mask is missing or their sizes differ.
        """
        pred = self.prediction(sample)
        target, valid = true_crack(
            sample,
            crack_class=self.crack_class,
            ignore_index=self.ignore_index,
            num_classes=self._num_classes())
        if pred.shape != target.shape:
            raise ValueError(
                f'prediction and truth of {image_name(sample)} must have the '
                f'size of the original image, got {pred.shape[1]}x'
                f'{pred.shape[0]} and {target.shape[1]}x{target.shape[0]} '
                '(width x height): put LoadAnnotations after Resize into the '
                'test pipeline, so that the truth is not resized.')
        target = target.to(pred.device)
        return pred, target, None if valid is None else valid.to(pred.device)

    def prediction(self, sample: dict) -> Tensor:
        """Return the predicted crack of one image.

        Args:
            sample (dict): Its data sample.

        Returns:
            Tensor: Bool, (H, W).
        """
        num_classes = self._num_classes()
        if num_classes is not None and self.crack_class >= num_classes:
            raise ValueError(
                f'crack_class must be one of the {num_classes} classes of '
                f'the data set (0 to {num_classes - 1}), got '
                f'{self.crack_class}.')
        name = self.prediction_field
        logits = logits_name(name)
        if self.threshold is not None:
            if field(sample, logits) is None:
                self._warn_once(
                    'threshold', f'threshold={self.threshold} has no effect: '
                    f'{image_name(sample)} comes without {logits}, so '
                    f'{name} is scored.')
            elif stale_logits(
                    sample, crack_class=self.crack_class, prediction=name):
                self._warn_once(
                    'stale', f'{logits} of {image_name(sample)} do not '
                    f'belong to its {name} (test-time augmentation '
                    'keeps those of its last view only), and '
                    f'threshold={self.threshold} scores {logits}: set '
                    f'threshold=None to score {name}.')
        return predicted_crack(
            sample, crack_class=self.crack_class, threshold=self.threshold,
            prediction=name)

    def keep_rows(self, rows: list) -> None:
        """Keep the rows of an evaluation and write them where asked.

        Args:
            rows (list[dict]): One for each image, all with the same keys.
        """
        self.per_image = rows
        if self.per_image_csv is None:
            return
        path = Path(self.per_image_csv)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open('w', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else ['image'])
            writer.writeheader()
            writer.writerows(rows)

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Write to the log of the run.

        Args:
            text (str): What to say.
            level (int): Level of the message.
        """
        print_log(text, logger='current', level=level)

    def _warn_once(self, topic: str, text: str) -> None:
        """Warn about a topic the first time only."""
        if topic not in self._warned:
            self._warned.add(topic)
            self.say(text, logging.WARNING)

    def _num_classes(self):
        """Return the classes of the data set; None where it names none."""
        classes = (self.dataset_meta or {}).get('classes')
        return len(classes) if classes else None
