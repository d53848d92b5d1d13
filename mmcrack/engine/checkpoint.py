"""Loading checkpoints without running what a stranger put into them.

A checkpoint is a pickle, and unpickling can run any program. MMEngine tries
the safe way first and then quietly the unsafe one. Here a file that needs
more than tensors, plain values and what MMEngine itself stores is refused.
"""

import contextlib
import functools
import os
import pickle
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

TRUST_VARIABLE = 'MMCRACK_TRUST_CHECKPOINT'
_FORCE_VARIABLE = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
_SCHEMES = {
    '': 'load_from_local',
    'http://': 'load_from_http',
    'https://': 'load_from_http',
    r'(\S+\:)?s3://': 'load_from_ceph',
    r'(\S+\:)?petrel://': 'load_from_ceph',
    'modelzoo://': 'load_from_torchvision',
    'torchvision://': 'load_from_torchvision',
    'open-mmlab://': 'load_from_openmmlab',
    'openmmlab://': 'load_from_openmmlab',
    'mmcls://': 'load_from_mmcls',
}


class CheckpointError(ValueError):
    """A checkpoint that cannot or must not be used; one sentence."""


class StateDifference(NamedTuple):
    """How a checkpoint and a model differ.

    Attributes:
        matched (int): Parameters and buffers that the model takes over.
        missing (list[str]): What the model has and the checkpoint lacks.
        misshapen (list[str]): Of another shape, ``name: wanted (..), got
            (..)``.
        extra (list[str]): What only the checkpoint has.
    """

    matched: int
    missing: list[str]
    misshapen: list[str]
    extra: list[str]


def trusts_checkpoints() -> bool:
    """Whether the user allowed checkpoints that run code."""
    return os.environ.get(TRUST_VARIABLE, '') not in ('', '0')


def safe_globals() -> list[Any]:
    """Return what MMEngine stores beside tensors and plain values.

    Returns:
        list: Classes and functions without side effects: MMEngine's
        ``HistoryBuffer`` and NumPy's arrays, scalars and data types, the
        latter under the module names of NumPy 1 and 2. ``getattr``, which
        MMEngine's own list holds and which opens every object, is replaced
        by one that finds nothing but the statistics of ``HistoryBuffer``.
    """
    from mmengine.logging import HistoryBuffer
    core = getattr(np, '_core', None) or np.core
    allowed = [HistoryBuffer, np.ndarray, np.dtype, slice, _statistic]
    allowed += sorted({
        type(np.dtype(code)) for code in '?bBhHiIlLqQefdgFD'
    }, key=str)
    named = {
        'multiarray.scalar': core.multiarray.scalar,
        'multiarray._reconstruct': core.multiarray._reconstruct,
    }
    if hasattr(core, 'numeric') and hasattr(core.numeric, '_frombuffer'):
        named['numeric._frombuffer'] = core.numeric._frombuffer
    release = tuple(int(n) for n in re.findall(r'\d+', torch.__version__)[:2])
    if release < (2, 6):
        return allowed + list(named.values())
    return allowed + [(function, f'numpy.{home}.{name}')
                      for name, function in named.items()
                      for home in ('core', '_core')]


def _statistic(owner: Any, name: str) -> Callable:
    """Stand for ``getattr`` while a checkpoint is read."""
    from mmengine.logging import HistoryBuffer
    known = ('data', 'min', 'max', 'mean', 'current')
    if owner is not HistoryBuffer or name not in known:
        raise pickle.UnpicklingError(
            'GLOBAL builtins.getattr was not an allowed global')
    return getattr(owner, name)


# The unpickler finds allowed functions by their full name.
_statistic.__module__, _statistic.__qualname__ = 'builtins', 'getattr'


@contextlib.contextmanager
def _weights_only() -> Iterator[None]:
    """Every ``torch.load`` in here is safe, whatever its caller asks for."""
    before = os.environ.get(_FORCE_VARIABLE)
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals(safe_globals())
    os.environ[_FORCE_VARIABLE] = '1'
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(allowed)
        if before is None:
            del os.environ[_FORCE_VARIABLE]
        else:
            os.environ[_FORCE_VARIABLE] = before


def load_checkpoint(path: str | os.PathLike,
                    map_location: Any = 'cpu',
                    *,
                    trust: bool = False) -> Any:
    """Load a checkpoint file without running code from it.

    Args:
        path (str | PathLike): A local file.
        map_location: As in :func:`torch.load`.
        trust (bool): Load the file even if it runs code. The environment
            variable ``MMCRACK_TRUST_CHECKPOINT=1`` does the same.

    Returns:
        What the file holds, usually a dict with ``state_dict``.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is damaged or no checkpoint, or if it
            holds more than weights and MMEngine's own records.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f'The checkpoint {str(path)!r} does not exist.')
    if trust or trusts_checkpoints():
        with _readable(path):
            return torch.load(
                path, map_location=map_location, weights_only=False)
    with _readable(path), _weights_only():
        return torch.load(path, map_location=map_location, weights_only=True)


@contextlib.contextmanager
def _readable(path: str | os.PathLike) -> Iterator[None]:
    """Turn what ``torch.load`` raises into one sentence."""
    try:
        yield
    except pickle.UnpicklingError as error:
        found = re.search(r'GLOBAL (\S+) was not an allowed global',
                          str(error))
        found = found or re.search(r'Unsupported (?:global|class) (\S+)',
                                   str(error))
        if found is None and not _is_pickle(path):
            raise CheckpointError(_damaged(path, error)) from error
        culprit = f' ({found.group(1)})' if found else ''
        raise CheckpointError(
            f'The checkpoint {str(path)!r} holds more than weights'
            f'{culprit}, and loading it could run code; if you know who '
            f'made it, set the environment variable {TRUST_VARIABLE}=1 to '
            'load it all the same.') from error
    except (EOFError, RuntimeError, zipfile.BadZipFile, KeyError,
            AttributeError, UnicodeDecodeError, ValueError,
            IndexError, OSError) as error:
        if isinstance(error, (CheckpointError, PermissionError)):
            raise
        if 'CUDA' in str(error):
            raise
        raise CheckpointError(_damaged(path, error)) from error


def _is_pickle(path: str | os.PathLike) -> bool:
    """Whether a file begins as a pickle or an archive that holds one."""
    with contextlib.suppress(OSError), open(path, 'rb') as file:
        start = file.read(8)
        return start[:1] == b'\x80' and len(start) == 8 or (
            start.startswith(b'PK') and zipfile.is_zipfile(path))
    return True


def _damaged(path: str | os.PathLike, error: BaseException) -> str:
    text = str(error).rpartition('WeightsUnpickler error: ')[2]
    first = (text.strip().splitlines() or [type(error).__name__])[0]
    return (f'The checkpoint {str(path)!r} is damaged, cut short or no '
            f'checkpoint at all ({first[:120].rstrip(".")}); use another '
            'one.')


def install_safe_loading() -> None:
    """Make MMEngine load every checkpoint as :func:`load_checkpoint` does.

    It replaces the loaders that MMEngine registered for files, addresses
    and model zoos, so that ``load_from``, ``resume`` and ``init_cfg`` are
    covered alike. A second call changes nothing.
    """
    from mmengine.runner import checkpoint as engine

    def local(filename: str, map_location: Any = None) -> Any:
        return load_checkpoint(filename, map_location)

    # MMEngine logs the loader's name from its eleventh letter on.
    local.__name__ = 'load_from_local'
    for prefix, name in _SCHEMES.items():
        loader = getattr(engine, name, None)
        if loader is None or hasattr(loader, 'mmcrack_safe'):
            continue
        guarded = local if not prefix else _guarded(loader)
        engine.CheckpointLoader.register_scheme(
            prefixes=prefix, loader=guarded, force=True)


def _guarded(loader: Callable) -> Callable:
    """Wrap a loader of MMEngine's so that it only loads safely."""

    @functools.wraps(loader)
    def load(filename: str, *args: Any, **kwargs: Any) -> Any:
        if trusts_checkpoints():
            return loader(filename, *args, **kwargs)
        try:
            with _weights_only():
                return loader(filename, *args, **kwargs)
        except pickle.UnpicklingError as error:
            with _readable(filename):
                raise error from None

    return load


def state_dict_of(checkpoint: Any) -> dict[str, Tensor]:
    """Return the weights of a loaded checkpoint.

    Args:
        checkpoint: A dict with ``state_dict``, or a state dict itself.

    Returns:
        dict[str, Tensor]: Without the prefix of a wrapped model.

    Raises:
        CheckpointError: If there are no weights in it.
    """
    state = checkpoint
    if isinstance(checkpoint, dict):
        state = checkpoint.get('state_dict', checkpoint)
    if not isinstance(state, dict) or not any(
            isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(
            'The checkpoint holds no weights: wanted a dict with '
            f"'state_dict', got {type(checkpoint).__name__}.")
    return {
        re.sub(r'^module\.', '', key): value
        for key, value in state.items()
    }


def load_weights(model: nn.Module,
                 state_dict: dict[str, Tensor]) -> StateDifference:
    """Put weights into a model as far as names and shapes agree.

    Args:
        model (nn.Module): Takes the weights over, renaming old keys where
            its modules know how to.
        state_dict (dict[str, Tensor]): Weights by name.

    Returns:
        StateDifference: What agreed and what did not. Counters of batch
        normalisation, which older files lack, do not count.
    """
    own = model.state_dict()
    misshapen = {
        key: (f'{key}: wanted {tuple(own[key].shape)}, '
              f'got {tuple(value.shape)}')
        for key, value in state_dict.items()
        if isinstance(value, Tensor) and key in own
        and own[key].shape != value.shape
    }
    fitting = {k: v for k, v in state_dict.items() if k not in misshapen}
    try:
        result = model.load_state_dict(fitting, strict=False)
    except RuntimeError as error:
        raise CheckpointError(
            "The checkpoint's weights do not fit the model: "
            f'{" ".join(str(error).split())[:300]}.') from error
    missing = [
        key for key in result.missing_keys
        if key not in misshapen and not key.endswith('num_batches_tracked')
    ]
    extra = list(result.unexpected_keys)
    counted = [key for key in own if not key.endswith('num_batches_tracked')]
    matched = len(counted) - len(missing) - len(misshapen)
    return StateDifference(matched, missing, list(misshapen.values()), extra)


def describe(difference: StateDifference, *, names: int = 3) -> str:
    """Say in words what differs, with the first few names.

    Args:
        difference (StateDifference): From :func:`load_weights`.
        names (int): How many names to give of each kind.

    Returns:
        str: For example ``'2 parameters are missing (a, b)'``; empty if
        nothing differs.
    """

    def part(what: str, keys: list[str]) -> str:
        more = f', ... {len(keys) - names} more' if len(keys) > names else ''
        return f'{len(keys)} {what} ({", ".join(keys[:names])}{more})'

    parts = []
    if difference.missing:
        parts.append(part('missing', difference.missing))
    if difference.misshapen:
        parts.append(part('of another shape', difference.misshapen))
    if difference.extra:
        parts.append(part('not in the model', difference.extra))
    return '; '.join(parts)


def checkpoints_of(work_dir: str | os.PathLike) -> list[Path]:
    """List the resumable checkpoints of a run, the newest first.

    Args:
        work_dir (str | PathLike): Where the run wrote.

    Returns:
        list[Path]: What ``last_checkpoint`` names (looked for beside it if
        the folder was moved), then ``epoch_*.pth`` and ``iter_*.pth`` in
        falling order of time. ``best_*.pth`` lacks the optimiser's state
        and is left out.
    """
    work_dir = Path(work_dir)
    folders, found = [work_dir], []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = (work_dir / 'last_checkpoint').read_text().strip()
        if text and '\0' not in text:
            named = Path(text)
            folders.append(named.parent)
            found += [p for p in (named, work_dir / named.name)
                      if p.is_file()]
    others = {
        path.resolve()
        for folder in folders for pattern in ('epoch_*.pth', 'iter_*.pth')
        for path in folder.glob(pattern)
    }
    found += sorted(others, key=_age, reverse=True)
    return list(dict.fromkeys(path.resolve() for path in found))


def _age(path: Path) -> tuple[float, int]:
    number = re.search(r'(\d+)\.pth$', path.name)
    return path.stat().st_mtime, int(number.group(1)) if number else 0


def newest_good_checkpoint(
        work_dir: str | os.PathLike) -> tuple[Path | None, list[str]]:
    """Find the newest checkpoint of a run from which it can be resumed.

    Args:
        work_dir (str | PathLike): Where the run wrote.

    Returns:
        tuple[Path | None, list[str]]: The file, or None if the run left
        none; and a sentence for every newer file that is of no use, such as
        one whose writing was cut short.

    Raises:
        CheckpointError: If there are checkpoints and each is damaged, or
            if a file is refused because it could run code.
    """
    complaints = []
    for path in checkpoints_of(work_dir):
        try:
            checkpoint = load_checkpoint(path, 'cpu')
        except CheckpointError as error:
            if TRUST_VARIABLE in str(error):
                raise
            complaints.append(str(error))
            continue
        lacking = [key for key in ('meta', 'state_dict', 'optimizer')
                   if key not in checkpoint]
        if not lacking:
            return path, complaints
        complaints.append(f'The checkpoint {str(path)!r} has no '
                          f'{" and no ".join(lacking)}.')
    if complaints:
        raise CheckpointError(
            f'No checkpoint in {str(work_dir)!r} can be resumed: '
            f'{" ".join(complaints)} Start anew without --resume, or name '
            'another one with --resume PATH.')
    return None, complaints
