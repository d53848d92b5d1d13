"""All figures of cracks: overlap, boundaries, thresholds, centre lines."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from PIL import Image
from prettytable import PrettyTable
from torch import Tensor

from mmcrack.evaluation.metrics.per_image import PerImageMetric
from mmcrack.evaluation.metrics.samples import (
    field,
    image_name,
    logits_name,
    probability_map,
    stale_logits,
)
from mmcrack.evaluation.resampling import figure_intervals
from mmcrack.evaluation.scores import (
    ScoredImage,
    Suite,
    build_scores,
    find_protocol,
    plain_rows,
)
from mmcrack.evaluation.scores.overlap import PixelScore
from mmcrack.functional.metrics.counts import check_empty_rule
from mmcrack.functional.metrics.masks import as_numpy
from mmcrack.registry import METRICS


@METRICS.register_module()
class CrackMetric(PerImageMetric):
    """Score the crack class, pooled, as a mean over images, and otherwise.

    The two kinds of averages answer different questions and differ by
    several points: pooled figures are made from the pixels of all images
    together (a long crack counts more than a short one; mmseg's
    ``IoUMetric`` does this); mean figures are made for each image and
    averaged (each image counts the same; the tables of CIRL do this, see
    section 4.2 there and the code of JTFN, which it follows). Ratios are in
    percent, at the original size.

    Keys below ``prefix`` without further metrics, NaN where undefined:

    * pooled: ``IoU, Dice, Precision, Recall, F1, mIoU``;
    * mean over images: ``image_IoU, image_Dice, image_Precision,
      image_Recall, image_F1, image_mIoU``;
    * ``images``, all that were judged, and ``images_without_crack``, those
      of them whose truth has no crack.

    ``IoU``, ``Dice``, ... are of the crack class; ``mIoU`` is the mean of
    crack and all else. Pooled ``Dice`` and ``F1`` are one number, and so
    are the two of one image; neither is the harmonic mean of the mean
    precision and the mean recall.

    Each image leaves one row of plain numbers, of which all figures are
    made, so that several processes give those of one. The metrics are those
    of ``tools/evaluate.py`` (``--list-metrics``; docs/metrics.md). The
    protocols, in the words that are printed with the result:

    * ``'cirl'``: p >= 0.5, exact pixels, precision, recall and F1 of each
      image, mean over images; an image without crack scores 0;
    * ``'cbprn'``: p >= 0.5, exact pixels, IoU and Dice in each reading,
      mBA as accuracy and as IoU; an image without crack is left out;
    * ``'zou'``: within 2 px (a disc), ODS, OIS as a mean, AP, p >= t for 99
      thresholds; an image without crack is left out of means;
    * ``'fphb'``: thinned, one to one within 0.0075 of the diagonal, ODS,
      OIS from summed counts, AP, and AIU of exact pixels, p >= t for 99
      thresholds; an image without crack scores 0;
    * ``'omnicrack'``: clIoU within 4 px, pooled for each subset.

    Args:
        ignore_index (int): Label whose pixels count nowhere.
        crack_class (int): Class index of crack. With more than two classes
            all others are background.
        empty (str, optional): What an image without crack in its truth
            scores in the mean over images: ``'skip'`` nothing, it is left
            out (and the number of such images is printed); ``'zero'`` 0, as
            in the code behind CIRL's tables; ``'one'`` 100 if nothing is
            predicted either, 0 after a false alarm. An image with cracks
            and an empty prediction scores 0 under each. The pooled figures
            follow the same rule if no image has a crack. None: the
            protocol's, ``'skip'`` without one.
        threshold (float, optional): Crack where its probability is at least
            this; None: the protocol's. Without one, or where no
            probabilities are at hand: where ``prediction`` is
            ``crack_class``.
        output_dir (str, optional): Folder for the predicted masks: PNG, 1
            crack and 0 all else, named like the image; in a folder of its
            own below it for another ``prediction`` than ``pred_sem_seg``.
        format_only (bool): Only write the masks (for images without truth).
        per_image_csv (str, optional): File for the figures of each image,
            written anew after each evaluation.
        collect_device (str): Where the results of several processes meet:
            ``'cpu'`` or ``'gpu'``.
        prefix (str, optional): In front of each key; None: ``crack``.
        prediction (str): Field of the data samples that is scored. A
            segmentor that predicts in two steps leaves one for each, such as
            ``coarse_sem_seg`` beside ``pred_sem_seg``; with a ``prefix`` of
            its own a second metric scores it in the same run.
        metrics (Sequence[str | dict], optional): Names, or dicts with the
            name under ``type`` and parameters, such as ``('pixel', 'mba',
            dict(type='tolerance', tau=5))``. Those with ``'prob'`` among
            their needs take probabilities of heads with any number of
            channels; ``'variance'`` needs a segmentor that leaves a field
            ``variance`` (see :class:`mmcrack.VarianceHook`). None:
            ``('pixel', )``, or what the protocol has; with a protocol they
            are in addition to its own.
        protocol (str, optional): One of the above.
        intervals (bool): Add bootstrap 95 % intervals over images, as keys
            that end with ``_low`` and ``_high``.
        seed (int): Of the bootstrap.
        resamples (int): Draws of the bootstrap.
        source (str, optional): Print figures of each source of images too:
            ``'folder'`` of their path, or a regular expression whose first
            group is found in the file's name. None: the protocol's.

    Attributes:
        per_image (list[dict]): After an evaluation, on the main process:
            for each image ``image, tp, fp, fn, tn`` and the six ratios in
            percent, and the figures of further metrics.
        by_source (dict[str, dict]): Figures of each source.

    Raises:
        ValueError: If an argument is outside its range.
        TypeError: If an argument is of the wrong type.
    """

    def __init__(self,
                 ignore_index: int = 255,
                 crack_class: int = 1,
                 empty: str | None = None,
                 threshold: float | None = None,
                 output_dir: str | None = None,
                 format_only: bool = False,
                 per_image_csv: str | None = None,
                 collect_device: str = 'cpu',
                 prefix: str | None = None,
                 prediction: str = 'pred_sem_seg',
                 metrics: Sequence | None = None,
                 protocol: str | None = None,
                 intervals: bool = False,
                 seed: int = 0,
                 resamples: int = 2000,
                 source: str | None = None) -> None:
        self.protocol = None if protocol is None else find_protocol(protocol)
        if threshold is None and self.protocol is not None:
            threshold = self.protocol.threshold
        super().__init__(
            ignore_index=ignore_index,
            crack_class=crack_class,
            threshold=threshold,
            prediction=prediction,
            per_image_csv=per_image_csv,
            collect_device=collect_device,
            prefix=prefix)
        if empty is None:
            empty = self.protocol.empty if self.protocol else 'skip'
        check_empty_rule(empty)
        if resamples < 1:
            raise ValueError(f'resamples must be at least 1, got {resamples}.')
        if format_only and output_dir is None:
            raise ValueError(
                'output_dir must be a folder when format_only=True, got '
                'None: there would be nothing to do.')
        self.empty = empty
        self.suite = self._suite(metrics, source)
        self.intervals, self.seed, self.resamples = intervals, seed, resamples
        self.by_source = {}
        self.format_only = format_only
        self.output_dir = None if output_dir is None else Path(output_dir)
        if self.output_dir is not None and prediction != 'pred_sem_seg':
            self.output_dir /= prediction
        self._written = {}
        if self.output_dir is not None and is_main_process():
            self.output_dir.mkdir(parents=True, exist_ok=True)

    def process_image(self, sample: dict) -> dict:
        """Score one image.

        Args:
            sample (dict): Its data sample.

        Returns:
            dict: Its row; nothing with ``format_only``.

        Raises:
            ValueError: If a mask is missing or unusable, or a metric needs
                what the sample does not have.
        """
        if self.format_only:
            self._write_mask(sample, self.prediction(sample))
            return {}
        pred, target, valid = self.masks(sample)
        if self.output_dir is not None:
            self._write_mask(sample, pred)
        if any(not isinstance(x, PixelScore) for x in self.suite.scores):
            # Only pixels are counted where they are.
            pred, target = as_numpy(pred), as_numpy(target)
            valid = None if valid is None else as_numpy(valid)
        return self.suite.measure(ScoredImage(
            image_name(sample), pred, target, valid,
            self._probability(sample, pred),
            self._variance(sample, pred)))

    def compute_metrics(self, results: list) -> dict:
        """Make the figures of the set and print them.

        Args:
            results (list[dict]): One row for each image.

        Returns:
            dict[str, float]: The keys of the class.
        """
        if self.format_only:
            self.keep_rows(results)
            self.say(f'{len(results)} predicted masks are in '
                     f'{self.output_dir} (no figures: format_only=True).')
            return {}
        self.keep_rows(plain_rows(results))
        figures = self.suite.summarise(results)
        bounds = figure_intervals(
            self.suite, results, seed=self.seed, resamples=self.resamples,
            level=0.95) if self.intervals else {}
        behind = self.suite.numbers_behind(results)
        if self.protocol is not None:
            self.say(f'Protocol {self.protocol.name}: {self.protocol.text}.')
        self._print_pixels(figures, behind)
        self._print_others(figures, behind, bounds)
        if self.suite.source is not None:
            self.by_source = self.suite.by_source(results)
            self._print_sources()
        for name, (low, high) in bounds.items():
            figures |= {f'{name}_low': low, f'{name}_high': high}
        return figures

    def _suite(self, metrics, source) -> Suite:
        """The scores of the arguments."""
        wanted = [] if self.protocol is None else list(self.protocol.metrics)
        if metrics is None:
            metrics = () if wanted else ('pixel', )
        elif isinstance(metrics, (str, dict)):
            metrics = (metrics, )
        scores = build_scores([*wanted, *metrics], empty=self.empty)
        if not scores:
            raise ValueError('metrics must name at least one metric, got '
                             'none.')
        if source is None and self.protocol is not None:
            source = self.protocol.source
        return Suite(scores, source)

    def _probability(self, sample: dict, pred):
        """Probabilities (H, W) where a score needs them."""
        if 'prob' not in self.suite.needs:
            return None
        name = self.prediction_field
        prob = probability_map(
            sample, crack_class=self.crack_class, prediction=name)
        if prob is None:
            return None
        if prob.shape != pred.shape:
            raise ValueError(
                f'{logits_name(name)} and {name} of {image_name(sample)} '
                f'must be of one size, got {tuple(prob.shape)} and '
                f'{tuple(pred.shape)}.')
        if self.threshold is None and stale_logits(
                sample, crack_class=self.crack_class, prediction=name):
            self._warn_once(
                'stale', f'{logits_name(name)} of {image_name(sample)} do '
                f'not belong to its {name} (test-time augmentation keeps '
                'those of its last view only): figures over all thresholds '
                'are of that view.')
        return as_numpy(prob)

    def _variance(self, sample: dict, pred):
        """Variance (H, W) where a score needs it."""
        if 'variance' not in self.suite.needs:
            return None
        variance = field(sample, 'variance')
        if variance is None:
            return None
        variance = as_numpy(variance)
        variance = variance[0] if variance.ndim == 3 else variance
        if variance.shape != pred.shape:
            raise ValueError(
                f'The variance of {image_name(sample)} must have the size '
                f'of its prediction, got {variance.shape} and '
                f'{tuple(pred.shape)}.')
        return variance

    def _print_pixels(self, figures: dict, behind: dict) -> None:
        """Print figures of exact pixels, each kind under its own name."""
        if not any(isinstance(x, PixelScore) for x in self.suite.scores):
            return
        used = behind['image_IoU']
        table = PrettyTable()
        table.field_names = ['percent', *PixelScore.ratios, 'keys']
        for name, head in (('pooled over all pixels', ''),
                           (f'mean over {used} images', 'image_')):
            table.add_row([
                name,
                *(f'{figures[head + key]:.2f}' for key in PixelScore.ratios),
                f'{self.prefix}/{head}IoU, ...'
            ])
        what = {
            'skip': 'left out of the mean over images',
            'zero': 'counted as 0 in the mean over images',
            'one': 'counted as 100 in the mean over images, or 0 after a '
                   'false alarm'
        }[self.empty]
        self.say(f'Crack figures of {figures["images"]:.0f} images; '
                 f'{figures["images_without_crack"]:.0f} without crack in '
                 f"the truth: {what} (empty='{self.empty}'). mIoU is the "
                 f'mean of crack and background.\n{table.get_string()}')
        if not used:
            self.say(
                'The figures above are NaN: no image counts, because '
                + ('there is none.' if not figures['images'] else
                   'none has a judged crack pixel in its truth.'),
                logging.WARNING)

    def _print_others(self, figures: dict, behind: dict,
                      bounds: dict) -> None:
        """Print what is not of exact pixels, and intervals of everything."""
        shown = [f for score in self.suite.scores for f in score.figures
                 if f.name in bounds or not isinstance(score, PixelScore)]
        if not shown:
            return
        table = PrettyTable()
        table.field_names = ['key', 'value', 'unit', 'over', 'images',
                             *(['95 % interval'] if bounds else [])]
        for f in shown:
            row = [f'{self.prefix}/{f.name}', f'{figures[f.name]:.4g}',
                   f.unit, f.kind, behind[f.name]]
            if bounds:
                row.append(' to '.join(
                    f'{end:.4g}' for end in bounds.get(f.name, ())))
            table.add_row(row)
        self.say(f'Further figures of cracks:\n{table.get_string()}')

    def _print_sources(self) -> None:
        """Print the main figures of each source."""
        names = [f.name for f in self.suite.figures]
        if self.protocol is not None:
            names = [x for x in self.protocol.figures if x in names]
        names = names[:8]
        table = PrettyTable()
        table.field_names = ['source', 'images', *names]
        for source, figures in self.by_source.items():
            table.add_row([source, f'{figures["images"]:.0f}',
                           *(f'{figures[name]:.2f}' for name in names)])
        self.say(f'Sources of images:\n{table.get_string()}')

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
