"""Which photographs are meant, and what their results are called."""

import glob
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

#: Endings that are looked for in folders.
SUFFIXES = frozenset({
    '.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.tif', '.tiff', '.bmp',
    '.webp', '.jp2', '.ppm', '.pgm', '.gif'
})


class Item(NamedTuple):
    """One photograph of a run.

    Attributes:
        path (str): The file.
        name (str): Of its results, without an ending; may have folders.
    """

    path: str
    name: str


def list_photographs(inputs: Sequence[str], *,
                     leave_out: Path | None = None) -> list[Item]:
    """List the photographs of files, folders and patterns.

    Results are called as the photograph, without its ending, and lie below
    the folders in which it lies in a given folder. Where two would have one
    name both keep their endings.

    Args:
        inputs (Sequence[str]): Paths, or patterns with ``*``, ``?``,
            ``[...]`` and ``**``. In folders, and the folders in them, files
            with the endings of pictures count.
        leave_out (Path, optional): A folder whose files do not count, where
            results are written to.

    Returns:
        list[Item]: Each file once, in the order of the inputs, sorted
        inside a folder or pattern.

    Raises:
        FileNotFoundError: If an input is not there or names nothing.
        ValueError: If two photographs would get one name all the same.
    """
    found: dict[Path, str] = {}
    for text in inputs:
        before = len(found)
        pairs = _files_of(text)
        for path, relative in pairs:
            inside = leave_out is not None and (
                path.resolve().is_relative_to(leave_out.resolve()))
            if not inside:
                found.setdefault(path.resolve(), relative)
        if len(found) == before and not pairs:
            raise FileNotFoundError(
                f'There is no photograph in {text!r}: wanted files, folders '
                f'or patterns, with endings such as .jpg, .png or .tif.')
    return _named(found)


def _files_of(text: str) -> list[tuple[Path, str]]:
    """Return files with their path below the folder that was given."""
    path = Path(text).expanduser()
    if path.is_dir():
        files = sorted(p for p in path.rglob('*') if _is_picture(p))
        return [(p, p.relative_to(path).as_posix()) for p in files]
    if path.exists():
        return [(path, path.name)]
    if not glob.has_magic(text):
        raise FileNotFoundError(
            f'The photograph or folder {text!r} does not exist.')
    matches = sorted(
        Path(p) for p in glob.glob(str(path), recursive=True))
    return [pair for match in matches
            for pair in ([(match, match.name)] if match.is_file()
                         else _files_of(str(match)))]


def _is_picture(path: Path) -> bool:
    return (path.suffix.lower() in SUFFIXES and path.is_file()
            and not path.name.startswith('.'))


def _named(found: dict[Path, str]) -> list[Item]:
    """Give each file a name of its own."""

    def key(name: str) -> str:
        return name.casefold()  # for disks that know no capitals

    short = {p: str(Path(r).with_suffix('')) for p, r in found.items()}
    count = Counter(key(name) for name in short.values())
    names = {p: r if count[key(short[p])] > 1 else short[p]
             for p, r in found.items()}
    owners: dict[str, Path] = {}
    for path, name in names.items():
        other = owners.setdefault(key(name), path)
        if other != path:
            raise ValueError(
                f'{str(other)!r} and {str(path)!r} would write to one file '
                f'({name!r}): give the folder above both, or run twice with '
                'two output folders.')
    return [Item(str(p), name) for p, name in names.items()]
