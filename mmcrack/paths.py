"""Where the files that ship beside the package lie."""

import difflib
from pathlib import Path


def config_path(name: str) -> str:
    """Return the absolute path of one of mmcrack's config files.

    ``_base_ = 'mmcrack::...'`` cannot work (MMEngine knows a closed list of
    packages), so a config elsewhere inherits through this path: print it
    once and write it into ``_base_``, or load the config with
    ``Config.fromfile(mmcrack.config_path(...))``.

    Args:
        name (str): Path below ``configs/``, with or without ``.py``, for
            example ``'cbprn/cbprn_r50_hr'``.

    Returns:
        str: Absolute path of the file, in a source checkout or an installed
        wheel (where configs lie in ``mmcrack/.mim/configs``).

    Raises:
        TypeError: If ``name`` is no string.
        FileNotFoundError: If there is no such config; the message lists the
            nearest names.
    """
    if not isinstance(name, str):
        raise TypeError(
            "config_path wants the name of a config such as "
            f"'cbprn/cbprn_r50_hr', but got {name!r}.")
    root = _config_root()
    relative = name if name.endswith('.py') else f'{name}.py'
    known = sorted(
        p.relative_to(root).as_posix() for p in root.rglob('*.py'))
    if relative in known:
        return str(root / relative)
    near = difflib.get_close_matches(relative, known, n=3, cutoff=0.3)
    raise FileNotFoundError(
        f'mmcrack has no config {relative!r} in {root}; '
        f'the nearest names are {", ".join(near or known[:3])}.')


def _config_root() -> Path:
    """Folder of the configs: inside a wheel, or beside the package."""
    package = Path(__file__).resolve().parent
    roots = [package / '.mim' / 'configs', package.parent / 'configs']
    for root in roots:
        if (root / '_base_').is_dir():
            return root
    raise FileNotFoundError(
        f'mmcrack has no configs: neither {roots[0]} nor {roots[1]} exists; '
        'reinstall mmcrack, or work in a clone of its repository.')
