"""Several scores together: rows of images, figures of sets."""

import re
from collections.abc import Sequence

import numpy as np

from mmcrack.evaluation.scores.base import MEAN, NUMBER, Score, ScoredImage

ROW_TITLES = ('image', 'source')


class Suite:
    """Scores that are taken of the same images.

    Args:
        scores (Sequence[Score]): With unlike keys, such as
            :func:`build_scores` gives.
        source (str, optional): What the source of an image is:
            ``'folder'``, the folder part of its name, or a regular
            expression on the name of its file, of which the first group (or
            all) of the first match counts. None: sources do not matter.

    Raises:
        ValueError: If ``source`` is no regular expression.
    """

    def __init__(self, scores: Sequence[Score],
                 source: str | None = None) -> None:
        self.scores = list(scores)
        self.source = source
        self._pattern = None
        if source not in (None, 'folder'):
            try:
                self._pattern = re.compile(source)
            except re.error as error:
                raise ValueError(
                    "The source must be 'folder' or a regular expression, "
                    f'got {source!r} ({error}).') from error

    @property
    def figures(self) -> list:
        """All figures of the set, in order."""
        return [f for score in self.scores for f in score.figures]

    @property
    def needs(self) -> set:
        """What images must come with: 'prob', 'variance'."""
        return {need for score in self.scores for need in score.needs}

    def without(self, *missing: str) -> 'Suite':
        """Return the suite without the scores that need what is missing.

        Args:
            *missing (str): 'prob', 'variance'.

        Returns:
            Suite: For masks alone, say.
        """
        return Suite([score for score in self.scores
                      if not set(missing) & set(score.needs)], self.source)

    def measure(self, image: ScoredImage) -> dict:
        """Make the row of an image.

        Args:
            image (ScoredImage): The image.

        Returns:
            dict: ``image``, ``source`` where sources matter, and the keys
            of all scores.

        Raises:
            ValueError: If the image lacks what a score needs, or as the
                metrics do.
        """
        row = {'image': image.name}
        if self.source is not None:
            row['source'] = self.source_of(image.name)
        for score in self.scores:
            for need, what in (('prob', 'probabilities'),
                               ('variance', 'a variance map')):
                if need in score.needs and getattr(image, need) is None:
                    raise ValueError(
                        f'The metric {score.name!r} needs {what}, and '
                        f'{image.name} comes without.')
            row.update(score.measure(image))
        return row

    def source_of(self, name: str) -> str:
        """Return the source of an image.

        Args:
            name (str): Of the image, with ``/`` between folders.

        Returns:
            str: Its source; 'other' where the pattern matches nowhere, '.'
            without a folder.
        """
        if self._pattern is None:
            return name.rpartition('/')[0] or '.'
        match = self._pattern.search(name.rpartition('/')[2])
        if match is None:
            return 'other'
        groups = [g for g in match.groups() if g is not None]
        return groups[0] if groups else match[0]

    def summarise(self, rows: Sequence[dict]) -> dict:
        """Make the figures of a set.

        Args:
            rows (Sequence[dict]): Of :meth:`measure`, in any order.

        Returns:
            dict[str, float]: By name; NaN where undefined.
        """
        return self.summarise_columns(columns_of(rows))

    def summarise_columns(self, columns: dict) -> dict:
        """Make the figures of a set of stacked rows.

        Args:
            columns (dict[str, np.ndarray]): Of :func:`columns_of`.

        Returns:
            dict[str, float]: By name.
        """
        out = {}
        for score in self.scores:
            if columns:
                out.update(score.summarise(columns))
            else:
                # MMEngine writes an int as null into its JSON file.
                out.update({
                    f.name: 0.0 if f.kind == NUMBER else float('nan')
                    for f in score.figures})
        return out

    def numbers_behind(self, rows: Sequence[dict]) -> dict:
        """Count the images that stand behind each mean over images.

        Args:
            rows (Sequence[dict]): Of :meth:`measure`.

        Returns:
            dict[str, int]: By name of the figure; those of other kinds are
            of all images.
        """
        columns = columns_of(rows)
        out = {}
        for figure in self.figures:
            out[figure.name] = len(rows)
            if figure.kind == MEAN and columns:
                out[figure.name] = int(
                    np.count_nonzero(np.isfinite(columns[figure.column])))
        return out

    def by_source(self, rows: Sequence[dict]) -> dict:
        """Make the figures of each source.

        Args:
            rows (Sequence[dict]): Of :meth:`measure`, with ``source``.

        Returns:
            dict[str, dict[str, float]]: Source to figures, sorted, and the
            number of images under ``images`` in any case.
        """
        groups: dict[str, list] = {}
        for row in rows:
            groups.setdefault(row['source'], []).append(row)
        return {
            source: {**self.summarise(groups[source]),
                     'images': float(len(groups[source]))}
            for source in sorted(groups)}


def columns_of(rows: Sequence[dict]) -> dict:
    """Stack rows.

    Args:
        rows (Sequence[dict]): All with the same keys.

    Returns:
        dict[str, np.ndarray]: Each key but the names, the image in the
        first dimension; {} without rows.
    """
    if not rows:
        return {}
    return {key: np.array([row[key] for row in rows])
            for key in rows[0] if key not in ROW_TITLES}


def take(columns: dict, indices: np.ndarray) -> dict:
    """Choose images.

    Args:
        columns (dict[str, np.ndarray]): Of :func:`columns_of`.
        indices (np.ndarray): Int, of images, repeated as wanted.

    Returns:
        dict[str, np.ndarray]: The columns of those images.
    """
    return {key: values[indices] for key, values in columns.items()}


def plain_rows(rows: Sequence[dict]) -> list:
    """Return the rows without their arrays, for a table of images.

    Args:
        rows (Sequence[dict]): Of :meth:`Suite.measure`.

    Returns:
        list[dict]: Names and numbers.
    """
    return [{key: value for key, value in row.items()
             if not isinstance(value, np.ndarray)} for row in rows]
