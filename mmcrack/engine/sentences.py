"""Errors of the user's making end in one sentence, bugs in a traceback.

MMEngine builds everything from a config, so a typing error in a config
surfaces as a ``TypeError`` deep inside a registry, and an unreadable image
as a page from a worker process. :func:`explain` looks at where an exception
was raised and, if a person can mend it, says how.
"""

import difflib
import inspect
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

DEBUG_VARIABLE = 'MMCRACK_DEBUG'
EXIT_CODE = 2
_SPEAKERS = ('mmcrack', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain')
_WORKER = re.compile(
    r'^Caught (?P<type>\w+) in DataLoader worker process \d+\.\n'
    r'Original Traceback .*?\n(?P<trace>.*)', re.DOTALL)


def run_tool(main: Callable[[], Any], name: str) -> int:
    """Run a command and turn errors of its user into one sentence.

    Args:
        main (Callable): The command.
        name (str): Its name, which the sentence begins with.

    Returns:
        int: Exit code: 0, or 2 after an error that :func:`explain` knows.
        Any other exception goes through, with its traceback; with the
        environment variable ``MMCRACK_DEBUG=1`` every exception does.
    """
    try:
        main()
    except Exception as error:
        sentence = explain(error)
        if sentence is None:
            raise
        if os.environ.get(DEBUG_VARIABLE, '') not in ('', '0'):
            raise
        sys.stdout.flush()
        print(f'{name}: error: {sentence}', file=sys.stderr)
        return EXIT_CODE
    return 0


def explain(error: BaseException) -> str | None:
    """Say in one sentence what a user can mend.

    Args:
        error (BaseException): As caught, with its traceback.

    Returns:
        str | None: One line, or None for what looks like a bug: then the
        traceback is worth more than a sentence.
    """
    error = _root(error)
    frames = _frames(error.__traceback__)
    for rule in (_worker_error, _memory, _build_error, _unexpected_key,
                 _missing_file, _deliberate):
        sentence = rule(error, frames)
        if sentence:
            return ' '.join(sentence.split())
    return None


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """Return ``' Did you mean ...?'`` with near names, or nothing.

    Args:
        wanted (str): What was written.
        known (Iterable[str]): What there is.

    Returns:
        str: Begins with a space if it is not empty.
    """
    near = difflib.get_close_matches(
        wanted, sorted(set(known)), n=3, cutoff=0.6)
    if not near:
        return ''
    return f' Did you mean {" or ".join(repr(name) for name in near)}?'


def _root(error: BaseException) -> BaseException:
    """Undo re-raising that only puts words before the same message.

    Some releases of MMEngine do so in each registry on the way out.
    """
    while True:
        inner = error.__cause__ or error.__context__
        if (inner is None or type(inner) is not type(error)
                or not str(error).rstrip('\'"').endswith(
                    str(inner).strip('\'"'))):
            return error
        error = inner


def _frames(trace: TracebackType | None) -> list[tuple[FrameType, int]]:
    return list(traceback.walk_tb(trace))


def _package(filename: str) -> str:
    """Return the first of our speakers in whose package a file lies."""
    parts = Path(filename).parts
    if 'tools' in parts[-3:-1]:
        return 'mmcrack'
    return next((p for p in reversed(parts) if p in _SPEAKERS), '')


def _is_deliberate(filename: str, line: str) -> bool:
    """Whether a line raises on purpose and speaks to the user."""
    return bool(_package(filename)) and line.strip().startswith(
        ('raise', 'assert'))


def _worker_error(error: BaseException, frames: list) -> str | None:
    """Errors in the processes that read images."""
    text = str(error.args[0]) if error.args else ''
    if text.startswith('DataLoader worker (pid'):
        return (f'{text.splitlines()[0].rstrip(".")}; a worker that reads '
                'images died, usually for lack of (shared) memory: lower '
                'num_workers or batch_size of the dataloader.')
    match = _WORKER.match(text)
    if not match:
        return None
    trace = match.group('trace')
    places = list(re.finditer(
        r'^  File "(.+)", line (\d+), in .+\n((?:    .*\n)*)', trace,
        re.MULTILINE))
    if not places:
        return None
    last = places[-1]
    message = trace[last.end():].strip()
    message = re.sub(r'^[\w.]+: ', '', message, count=1)
    kind = match.group('type')
    if kind in ('FileNotFoundError', 'PermissionError'):
        return _path_sentence(message)
    source = linecache.getline(last.group(1), int(last.group(2)))
    if _is_deliberate(last.group(1), source) and message:
        return message
    return None


def _memory(error: BaseException, frames: list) -> str | None:
    """A GPU that is full."""
    if type(error).__name__ != 'OutOfMemoryError':
        return None
    first = str(error).split('. ')[0]
    return (f'{first}: use a smaller batch (train_dataloader.batch_size), a '
            'smaller crop, or --amp.')


def _build_error(error: BaseException, frames: list) -> str | None:
    """A registry that cannot build what a config asks for."""
    builders = [
        index for index, (frame, _) in enumerate(frames)
        if frame.f_code.co_name in ('build_from_cfg', 'build_runner_from_cfg')
    ]
    if not builders:
        return None
    frame = frames[builders[-1]][0]
    names = frame.f_locals
    wanted, found = names.get('obj_type'), names.get('obj_cls', names.get(
        'runner_cls'))
    innermost = builders[-1] == len(frames) - 1
    if isinstance(error, KeyError) and innermost:
        if isinstance(wanted, str) and found is None:
            registry = names['registry']
            return (f'The config asks for type={wanted!r}, which is not a '
                    f'registered {registry.name}.'
                    f'{did_you_mean(wanted, _registered(registry))}')
        return (f"A part of the config lacks the key 'type': "
                f'{str(names.get("cfg"))[:120]}.')
    if not isinstance(error, TypeError) or found is None:
        return None
    deeper = [f.f_code.co_name for f, _ in frames[builders[-1] + 1:]]
    arguments = names.get('args') or {}
    unexpected = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    title = getattr(found, '__name__', str(found))
    if unexpected and set(deeper) <= {'__init__', 'get_instance', '__call__'}:
        key = unexpected.group(1)
        if key in arguments:
            return (f'{title} has no argument {key!r} (config key {key!r} '
                    f'beside type={wanted!r}).'
                    f'{did_you_mean(key, _parameters(found))}')
    missing = re.search(r'missing \d+ required .*arguments?: (.+)$',
                        str(error))
    if missing and set(deeper) <= {'__init__', 'get_instance'}:
        return (f'{title} needs the argument(s) {missing.group(1)}: give '
                f'them in the config beside type={wanted!r}.')
    return None


def _registered(registry: Any) -> set[str]:
    """Names that a registry, its ancestors and its relatives know."""
    known = set()
    root = registry
    while root is not None:
        known |= set(root.module_dict)
        top, root = root, root.parent
    for scope, child in getattr(top, 'children', {}).items():
        known |= set(child.module_dict)
        known |= {f'{scope}.{name}' for name in child.module_dict}
    return known


def _parameters(function: Any) -> set[str]:
    """Names of what a class or function takes, through ``**kwargs``."""
    owners = [function]
    if inspect.isclass(function):
        owners = [c.__init__ for c in function.__mro__
                  if '__init__' in vars(c)]
    known: set[str] = set()
    for owner in owners:
        try:
            parameters = inspect.signature(owner).parameters.values()
        except (TypeError, ValueError):
            break
        known |= {p.name for p in parameters
                  if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        if all(p.kind != p.VAR_KEYWORD for p in parameters):
            break
    return known - {'self'}


def _unexpected_key(error: BaseException, frames: list) -> str | None:
    """A config dict that MMEngine hands on as arguments, without registry.

    Such as ``train_dataloader``, which becomes a ``DataLoader``.
    """
    if not isinstance(error, TypeError) or not frames:
        return None
    match = re.search(
        r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument "
        r"'(\w+)'", str(error))
    frame = frames[-1][0]
    if not match or _package(frame.f_code.co_filename) != 'mmengine':
        return None
    name, key = match.groups()
    owner = frame.f_globals.get(name)
    hint = did_you_mean(key, _parameters(owner)) if owner else ''
    return f'{name} has no argument {key!r} (a key of the config).{hint}'


def _missing_file(error: BaseException, frames: list) -> str | None:
    """Paths that are not there or not allowed."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    kinds = (FileNotFoundError, PermissionError, NotADirectoryError,
             IsADirectoryError)
    return _path_sentence(str(error)) if isinstance(error, kinds) else None


def _path_sentence(message: str) -> str:
    """Complete an error about a path with where paths come from."""
    message = re.sub(r'^\[Errno \d+\] ', '', message).rstrip('.')
    if ' ' in message and not re.match(r'^[A-Z][a-z ]+: ', message):
        return f'{message}.'
    return (f'{message}; check the paths given and data_root and '
            'data_prefix of the config (in configs of mmcrack data_root '
            'comes from the environment variable MMCRACK_DATA).')


def _deliberate(error: BaseException, frames: list) -> str | None:
    """What mmcrack and OpenMMLab raise on purpose, with a message."""
    if isinstance(error, NotImplementedError) or not frames:
        return None
    frame, line = frames[-1]
    filename = frame.f_code.co_filename
    if not _is_deliberate(filename, linecache.getline(filename, line)):
        return None
    message = error.args[0] if isinstance(error, KeyError) and error.args \
        else error
    if isinstance(error, AssertionError):
        building = any(f.f_code.co_name == 'build_from_cfg'
                       for f, _ in frames)
        if not building:
            return None
    return str(message).strip() or None
