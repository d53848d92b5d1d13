"""Where the files that ship beside the package lie."""

from pathlib import Path


def config_path(name: str) -> str:
    """Return the absolute path of one of mmcrack's config files.

    ``_base_ = 'mmcrack::...'`` cannot work (MMEngine knows a closed list of
    packages), so a config elsewhere inherits through this path.

    Args:
        name (str): Path below ``configs/``, with or without ``.py``, for
            example ``'cbprn/cbprn_r50_hr'``.

    Returns:
        str: Absolute path of the file, in a source checkout or an installed
        wheel (where configs lie in ``mmcrack/.mim/configs``).

    Raises:
        FileNotFoundError: If there is no such config; the message lists the
            nearest names.
    """
    package = Path(__file__).resolve().parent
    roots = [package / '.mim' / 'configs', package.parent / 'configs']
    root = next((r for r in roots if (r / '_base_').is_dir()), None)
    if root is None:
        raise FileNotFoundError(
            f'mmcrack has no configs beside it: none of {roots} exists. '
            'Reinstall mmcrack, or work in a clone of its repository.')
    relative = name if name.endswith('.py') else f'{name}.py'
    path = root / relative
    if path.is_file():
        return str(path)
    known = sorted(
        p.relative_to(root).as_posix() for p in root.rglob('*.py'))
    import difflib
    near = difflib.get_close_matches(relative, known, n=3, cutoff=0.3)
    raise FileNotFoundError(
        f'mmcrack has no config {relative!r}. '
        f'Nearest: {", ".join(near or known[:3])}.')
