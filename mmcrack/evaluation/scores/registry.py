"""The scores by name, and how a name with parameters becomes one."""

import difflib
import inspect
from collections.abc import Mapping, Sequence

from mmcrack.evaluation.scores.base import Score
from mmcrack.evaluation.scores.certainty import (
    CalibrationScore,
    VarianceScore,
)
from mmcrack.evaluation.scores.curves import AverageIoUScore, CurveScore
from mmcrack.evaluation.scores.lines import (
    CentreLineIoUScore,
    ClDiceScore,
    SkeletonScore,
)
from mmcrack.evaluation.scores.overlap import (
    BoundaryAccuracyScore,
    BoundaryF1Score,
    BoundaryIoUScore,
    PixelScore,
    ToleranceScore,
)
from mmcrack.evaluation.scores.shape import BettiScore, DistanceScore
from mmcrack.functional.metrics.curves import PROTOCOLS

SCORES: dict[str, type[Score]] = {
    kind.name: kind
    for kind in (PixelScore, BoundaryAccuracyScore, BoundaryIoUScore,
                 BoundaryF1Score, ToleranceScore, CurveScore,
                 AverageIoUScore, ClDiceScore, CentreLineIoUScore,
                 SkeletonScore, BettiScore, DistanceScore, CalibrationScore,
                 VarianceScore)
}

# Every score with its usual parameters.
ALL_METRICS: tuple = (
    'pixel', 'mba', dict(type='mba', mode='iou'), 'boundary_iou',
    'boundary_f1', 'tolerance', dict(type='tolerance', tau=5), 'cldice',
    'cliou', 'skeleton', 'betti', 'distance',
    *(dict(type='curves', protocol=name) for name in PROTOCOLS), 'aiu',
    'calibration', 'variance')


def list_scores() -> str:
    """Return a line for each score: name, description and needs."""
    width = max(map(len, SCORES))
    lines = []
    for name, kind in SCORES.items():
        needs = {'prob': 'probabilities', 'variance': 'variance maps'}
        tail = ''.join(f' [needs {needs[need]}]' for need in kind.needs)
        lines.append(f'{name:{width}}  {kind.title}{tail}')
    return '\n'.join(lines)


def build_scores(metrics: Sequence, *, empty: str) -> list:
    """Build scores from names and parameters.

    Args:
        metrics (Sequence[str | dict]): Names, ``'name:key=value,...'``, or
            dicts with ``type`` (the name) and parameters, such as
            ``dict(type='tolerance', tau=5)``.
        empty (str): What an image without crack in its truth scores.

    Returns:
        list[Score]: In this order; what is named twice once.

    Raises:
        TypeError: If an entry is neither a name nor a dict.
        ValueError: If a name or parameter is unknown, a value is out of
            range, or two entries would give figures of one name.
    """
    if isinstance(metrics, (str, Mapping)):
        metrics = [metrics]
    specs, scores, owners = [], [], {}
    for entry in metrics:
        spec = read_spec(entry)
        if spec in specs:
            continue
        specs.append(spec)
        score = _build(spec, empty=empty)
        scores.append(score)
        for figure in score.figures:
            if figure.name in owners:
                raise ValueError(
                    f'Two entries of metrics give the figure {figure.name}: '
                    f'{owners[figure.name]} and {spec}; leave one out.')
            owners[figure.name] = spec
    return scores


def read_spec(entry) -> dict:
    """Bring a metric's entry to one form.

    Args:
        entry (str | dict): See :func:`build_scores`.

    Returns:
        dict: ``type`` and parameters.

    Raises:
        TypeError: If it is neither a name nor a dict.
        ValueError: If it has no name or is not ``name:key=value,...``.

    Example:
        >>> read_spec('tolerance:tau=5')
        {'type': 'tolerance', 'tau': 5}
    """
    if isinstance(entry, Mapping):
        if not isinstance(entry.get('type'), str):
            raise ValueError("A metric needs its name under 'type', such as "
                             f"dict(type='tolerance', tau=5), got {entry}.")
        return dict(entry)
    if not isinstance(entry, str):
        raise TypeError("A metric is a name or a dict such as "
                        f"dict(type='tolerance', tau=5), got {entry!r}.")
    name, _, tail = entry.partition(':')
    spec: dict = {'type': name.strip()}
    for part in filter(None, tail.split(',')):
        key, sign, value = part.partition('=')
        if not sign or not key.strip():
            raise ValueError(
                f'The metric {entry!r} must be written name or '
                'name:key=value,key=value, such as tolerance:tau=5.')
        spec[key.strip()] = _value(value.strip())
    return spec


def _value(text: str):
    """A parameter from the command line: integer, float, bool or text."""
    if text.lower() in ('true', 'false'):
        return text.lower() == 'true'
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _build(spec: dict, *, empty: str) -> Score:
    """One score; all that can be wrong with it in one sentence."""
    name, parameters = spec['type'], {**spec}
    del parameters['type']
    kind = SCORES.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, SCORES, n=1, cutoff=0.5)
        hint = f' Did you mean {near[0]!r}?' if near else ''
        raise ValueError(f'There is no metric {name!r}; there are '
                         f'{", ".join(SCORES)}.{hint}')
    known = [key for key in inspect.signature(kind.__init__).parameters
             if key not in ('self', 'empty')]
    for key in parameters:
        if key not in known:
            takes = (f'it takes {", ".join(known)}' if known
                     else 'it takes none')
            raise ValueError(
                f'The metric {name!r} has no parameter {key!r}; {takes}.')
    try:
        return kind(empty=empty, **parameters)
    except TypeError as error:
        raise ValueError(
            f'The metric {name!r} cannot take {parameters}: a value is of '
            f'the wrong type ({error}).') from error
