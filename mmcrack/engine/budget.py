"""Another length for a training, with everything that depends on it."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmcrack.engine.sentences import did_you_mean

# What a schedule keeps where it is stretched or shortened.
_UNSCALED = frozenset({
    'type', 'begin', 'end', 'by_epoch', 'convert_to_iter_based', 'param_name',
    'last_step', 'verbose', 'power', 'eta_min', 'eta_min_ratio', 'factor',
    'start_factor', 'end_factor', 'restart_weights', '_scope_'
})
_KINDS = ('Poly', 'Linear', 'CosineAnnealing', 'Step', 'MultiStep',
          'Constant', 'Exponential', 'CosineRestart')
# With a single step the chainable forms of these never leave their start.
_TWO_STEPS = ('Linear', 'Constant')
_EPOCH_LENGTH = 20


def budget_options(cfg: Mapping,
                   *,
                   epochs: int | None = None,
                   max_iters: int | None = None,
                   epoch_length: int = _EPOCH_LENGTH) -> dict[str, Any]:
    """Return the settings that give a training another length.

    Schedulers keep their shape: begins, ends, steps and milestones are
    scaled by new length / old length, also those that count iterations in a
    training of epochs, since both grow alike; so are the switch of
    ``TwoPhaseHook`` (a fraction stays), ``val_interval`` and the interval of
    checkpoints. Begins and ends that were equal stay equal, and none that
    lay apart fall together.

    Args:
        cfg (Mapping): A whole config; is not changed.
        epochs (int, optional): Length of trainings that count epochs.
        max_iters (int, optional): Of those that count iterations.
        epoch_length (int): Iterations of an epoch, for schedulers with
            ``convert_to_iter_based``: no part of them falls below a step.

    Returns:
        dict[str, Any]: Dotted keys and values as for ``--cfg-options``;
        empty where neither number is given.

    Raises:
        ValueError: If the config counts in the other unit, if the budget is
            too short for the parts of its schedule, or if a scheduler is of
            an unknown kind.

    Example:
        A config of 1000 epochs with a linear warm-up to 100 and a poly decay
        from 100 to 1000, at ``epochs=60``: ``param_scheduler.0.end`` and
        ``param_scheduler.1.begin`` are 6 and ``param_scheduler.1.end`` is 60.
    """
    if epochs is None and max_iters is None:
        return {}
    loop = cfg.get('train_cfg') or {}
    by_epoch = _counts_epochs(loop)
    key, unit = ('max_epochs', 'epochs') if by_epoch else (
        'max_iters', 'iterations')
    new, old = epochs if by_epoch else max_iters, loop.get(key)
    if new is None:
        wanted = '--epochs' if by_epoch else '--max-iters'
        raise ValueError(
            f'The config counts {unit} ({key}={old}), and the budget does '
            f'not: give {wanted} (too).')
    if new < 1 or not old:
        raise ValueError(f'A budget must be at least 1 and the config must '
                         f'have train_cfg.{key}, got {new} and {old}.')
    ratio = new / old
    options: dict[str, Any] = {f'train_cfg.{key}': new}
    for name in ('val_interval', 'val_begin'):
        if loop.get(name, 0) > 1:
            options[f'train_cfg.{name}'] = _at_least_1(loop[name] * ratio)
    if loop.get('dynamic_intervals'):
        options['train_cfg.dynamic_intervals'] = [
            [round(start * ratio), _at_least_1(length * ratio)]
            for start, length in loop['dynamic_intervals']]
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    for name in ('interval', 'save_begin'):
        if checkpoint.get(name, 0) > 1:
            options[f'default_hooks.checkpoint.{name}'] = _at_least_1(
                checkpoint[name] * ratio)
    options.update(_schedulers(cfg.get('param_scheduler'), ratio, by_epoch,
                               new, epoch_length))
    options.update(_switches(cfg.get('custom_hooks') or (), old, new, unit))
    return options


def _counts_epochs(loop: Mapping) -> bool:
    """Tell whether a training loop counts epochs."""
    kind = str(loop.get('type', ''))
    if kind.endswith('EpochBasedTrainLoop') or loop.get('by_epoch') is True:
        return True
    if kind.endswith('IterBasedTrainLoop') or loop.get('by_epoch') is False:
        return False
    raise ValueError(
        'A budget needs train_cfg with type EpochBasedTrainLoop or '
        f'IterBasedTrainLoop, got {kind or dict(loop)!r}.')


def _at_least_1(value: float) -> int:
    return max(1, round(value))


def _kind(scheduler: Mapping) -> str:
    """Return a scheduler's kind: its type without 'LR' and the like."""
    name = str(scheduler.get('type', '')).rpartition('.')[2]
    for ending in ('ParamScheduler', 'Momentum', 'LR'):
        name = name.removesuffix(ending)
    if name not in _KINDS:
        raise ValueError(
            f'A budget cannot rewrite param_scheduler.type='
            f'{scheduler.get("type")!r}: it knows {", ".join(_KINDS)} (LR)'
            f'.{did_you_mean(name, _KINDS)}')
    return name


def _schedulers(described: Any, ratio: float, by_epoch: bool, total: int,
                epoch_length: int) -> dict[str, Any]:
    """Scale all schedulers."""
    if not described:
        return {}
    parts = {'param_scheduler': described} if 'type' in described else {
        f'param_scheduler.{i}': part for i, part in enumerate(described)}
    if not all(isinstance(part, Mapping) for part in parts.values()):
        raise ValueError('A budget takes param_scheduler as a list of '
                         f'schedulers, got {described!r}.')
    options: dict[str, Any] = {}
    for epochal, converted in ((True, False), (True, True), (False, False)):
        group = {
            key: part for key, part in parts.items()
            if bool(part.get('by_epoch', True)) == epochal
            and bool(part.get('convert_to_iter_based', False)) == converted}
        step = 1 / epoch_length if converted else 1
        places = _places(group.values(), ratio, step)
        # What ended within the training must still do so.
        ends = [new for old, new in places.items()
                if old * ratio <= total + 1e-6]
        if epochal == by_epoch and max(ends) > total + 1e-6:
            raise ValueError(
                f'A budget of {total} {"epochs" if by_epoch else "iterations"}'
                f' is too short for the {len(group)} schedulers of the '
                'config: give a longer one.')
        for key, part in group.items():
            options.update({f'{key}.{name}': value for name, value in
                            _scaled(part, ratio, places, step).items()})
    return options


def _places(group: Iterable[Mapping], ratio: float,
            step: float) -> dict[float, float]:
    """Map begins and ends of schedulers to new ones.

    Args:
        group (Iterable[Mapping]): Schedulers of one unit.
        ratio (float): New length / old length.
        step (float): The smallest length: 1, or that of an iteration in
            epochs.

    Returns:
        dict[float, float]: In the same order and never together.
    """
    group = list(group)
    points = sorted({float(p) for part in group
                     for p in (part.get('begin', 0), part.get('end', 0))
                     if 0 < p < float('inf')})
    places = {0.: 0.}
    for point in points:
        least = max(places.values()) + step
        for part in group:
            begin = float(part.get('begin', 0))
            if part.get('end') == point and _kind(part) in _TWO_STEPS:
                steps = min(2., (point - begin) / step)
                least = max(least, places[begin] + steps * step)
        new = max(least, round(point * ratio) if step == 1
                  else point * ratio)
        # MMEngine cuts begin x epoch_length: no step is lost to rounding.
        whole = abs(new - round(new)) < 1e-6
        places[point] = float(round(new)) if whole else new + 1e-9
    return places


def _scaled(part: Mapping, ratio: float, places: Mapping[float, float],
            step: float) -> dict[str, Any]:
    """Scale one scheduler.

    Args:
        part (Mapping): The scheduler.
        ratio (float): New length / old length.
        places (Mapping[float, float]): Of begins and ends.
        step (float): 1 where they are whole numbers.

    Returns:
        dict[str, Any]: The keys that change.
    """
    kind = _kind(part)
    new: dict[str, Any] = {}
    for key in ('begin', 'end'):
        if key in part and 0 < part[key] < float('inf'):
            place = places[float(part[key])]
            new[key] = int(place) if place.is_integer() else round(place, 9)
    if kind == 'Step':
        new['step_size'] = _at_least_1(part['step_size'] * ratio)
    elif kind == 'MultiStep':
        new['milestones'] = [_at_least_1(m * ratio)
                             for m in part['milestones']]
    elif kind == 'CosineAnnealing' and part.get('T_max') is not None:
        new['T_max'] = _at_least_1(part['T_max'] * ratio)
    elif kind == 'CosineRestart':
        new['periods'] = [_at_least_1(p * ratio) for p in part['periods']]
    elif kind == 'Exponential':
        new['gamma'] = part['gamma']**(1 / ratio)
    known = _UNSCALED | {'gamma', *new, 'T_max'}
    unknown = sorted(set(part) - known)
    if unknown:
        raise ValueError(f'A budget does not know what {unknown[0]!r} of '
                         f'{part["type"]} means for another length.')
    return new


def _switches(hooks: Iterable[Mapping], old: int, new: int,
              unit: str) -> dict[str, int]:
    """Scale the switch of ``TwoPhaseHook``."""
    options = {}
    for index, hook in enumerate(hooks):
        if not str(hook.get('type')).endswith('TwoPhaseHook'):
            continue
        switch = hook.get('switch_at', 1000)
        if isinstance(switch, float) and not switch.is_integer():
            continue
        place = round(switch * new / old)
        if 0 < switch < old:
            if new < 2:
                raise ValueError(
                    f'A budget of {new} {unit} leaves no room for two '
                    'phases: give at least 2.')
            place = min(max(1, place), new - 1)
        options[f'custom_hooks.{index}.switch_at'] = place
    return options
