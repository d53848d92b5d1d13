"""What a score of a set of images is made of.

Not in the papers. A score works in two steps: :meth:`Score.measure` makes
one row of plain numbers of one image, :meth:`Score.summarise` makes the
figures of the set of the rows alone. So a set can be scored by any number
of processes, in any order of images, with the figures of one; and a
bootstrap, a source of images or a second run need no image twice.

Pure: numpy and :mod:`mmcrack.functional.metrics`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

POOLED = 'pooled over all pixels'
MEAN = 'mean over images'
BEST = 'best threshold of the set'
NUMBER = 'number of images'


@dataclass(frozen=True)
class ScoredImage:
    """What is known of one image when it is scored.

    Attributes:
        name (str): Of the image.
        pred (np.ndarray | Tensor): (H, W), bool or {0, 1}; 1 is crack.
        target (np.ndarray | Tensor): (H, W), bool or {0, 1}.
        valid (np.ndarray | Tensor | None): (H, W), bool; false where a
            pixel is not judged. None: all are.
        prob (np.ndarray | None): (H, W), float in [0, 1], of crack.
        variance (np.ndarray | None): (H, W), float; the larger the less
            certain. Only its order matters.
    """

    name: str
    pred: Any
    target: Any
    valid: Any = None
    prob: Any = None
    variance: Any = None


class Figure(NamedTuple):
    """A figure of a set of images.

    Attributes:
        name (str): Its key.
        unit (str): '%', 'px', or '' for a plain number.
        kind (str): Over what it is taken.
        better (int): 1 where higher is better, -1 where lower is, 0 where
            neither.
        column (str): Key in the rows with the figure of each image; '' if
            there is none. Of a mean over images it is what is averaged.
    """

    name: str
    unit: str
    kind: str
    better: int
    column: str = ''


class Score:
    """One way to score a set of images.

    Subclasses state ``name``, ``title`` and ``figures``, and keep all keys
    of their rows apart from those of other scores. Figures whose kind is
    'mean over images' need no code: NaN and infinity are left out.

    Args:
        empty (str): What an image without crack in its truth scores, see
            :mod:`mmcrack.functional.metrics.counts`.

    Attributes:
        figures (tuple[Figure, ...]): What :meth:`summarise` returns.
        needs (tuple[str, ...]): Of 'prob' and 'variance', what an image
            must come with.
    """

    name = ''
    title = ''
    needs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()

    def __init__(self, *, empty: str) -> None:
        self.empty = empty

    def measure(self, image: ScoredImage) -> dict:
        """Score one image.

        Args:
            image (ScoredImage): The image.

        Returns:
            dict: Numbers, and small arrays of the same shape for each
            image where figures of the set need them.
        """
        raise NotImplementedError

    def summarise(self, columns: dict) -> dict:
        """Make the figures of a set.

        Args:
            columns (dict[str, np.ndarray]): Of each key of the rows all
                values, the image in the first dimension.

        Returns:
            dict[str, float]: One for each of ``figures``; NaN where
            undefined.
        """
        pooled = self.pool(columns)
        return {
            figure.name: mean_of(columns[figure.column])
            if figure.kind == MEAN else float(pooled[figure.name])
            for figure in self.figures
        }

    def pool(self, columns: dict) -> dict:
        """Make the figures that are no mean over images.

        Args:
            columns (dict[str, np.ndarray]): As in :meth:`summarise`.

        Returns:
            dict[str, float]: Those figures.
        """
        return {}


def mean_of(values: np.ndarray) -> float:
    """Average what is a finite number.

    Args:
        values (np.ndarray): Float, (images, ).

    Returns:
        float: Mean without NaN and infinity; NaN if nothing is left.
    """
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float('nan')


def both_kinds(names: dict, *, unit: str = '%', better: int = 1) -> tuple:
    """Return figures that exist pooled and as a mean over images.

    Args:
        names (Sequence[str]): Key of the pooled figure and of the rows; the
            mean has ``image_`` in front.
        unit (str): Of all.
        better (int): Of all.

    Returns:
        tuple[Figure, ...]: First the pooled ones.
    """
    return (*(Figure(name, unit, POOLED, better, name) for name in names),
            *(Figure(f'image_{name}', unit, MEAN, better, name)
              for name in names))


def percent(figures: dict) -> dict:
    """Return shares as percentages.

    Args:
        figures (dict[str, float]): In [0, 1] or NaN.

    Returns:
        dict[str, float]: In [0, 100] or NaN.
    """
    return {key: 100 * value for key, value in figures.items()}


def number_text(value: float) -> str:
    """Write a parameter the short way, for keys: 2.0 becomes '2'."""
    return f'{value:g}'
