"""Files that are whole or not there, and a disk that is full."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

_PART = '.part'


class OutputError(RuntimeError):
    """The output folder cannot be written to; no photograph's fault."""


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside its place and move it there when it is whole.

    Args:
        path (Path): The file; its folder is made.

    Yields:
        BinaryIO: What to write to, seekable.

    Raises:
        OutputError: If the disk is full or the folder cannot be written to.
    """
    part = path.with_name(f'.{path.name}.{os.getpid()}{_PART}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, 'wb') as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        raise OutputError(
            f'{str(path)!r} cannot be written ({error.strerror or error}): '
            'make room or choose another folder, then start again; what is '
            'done is kept.') from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write JSON.

    Args:
        path (Path): The file.
        content: Plain values.

    Raises:
        OutputError: As :func:`atomic`.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False,
                      allow_nan=False)
    with atomic(path) as file:
        file.write(f'{text}\n'.encode())


def read_json(path: Path) -> Any:
    """Read JSON.

    Args:
        path (Path): The file.

    Returns:
        The content; None if the file is not there or damaged.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def prepare_folder(folder: Path) -> None:
    """Make a folder and make sure that it can be written to.

    What a killed run left half written is removed.

    Args:
        folder (Path): To write into.

    Raises:
        OutputError: If it cannot be made or written to.
    """
    with atomic(folder / 'writable'):
        pass
    with suppress(OSError):
        (folder / 'writable').unlink()
    for rest in folder.rglob(f'.*{_PART}'):
        with suppress(OSError):
            rest.unlink()
