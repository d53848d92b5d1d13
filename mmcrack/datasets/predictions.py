"""Folders of predictions beside a folder of truth, from any software.

Not in the papers. Pure: numpy and Pillow only. Masks follow the one rule of
:mod:`mmcrack.datasets.masks`; probability maps are 8 or 16 bit, or floats.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from mmcrack.datasets.images import open_upright
from mmcrack.datasets.masks import IGNORED, read_mask
from mmcrack.datasets.pairing import as_suffixes, names_by_stem

PICTURE_SUFFIXES = ('.png', '.bmp', '.tif', '.tiff', '.gif', '.jpg',
                    '.jpeg', '.webp')
TRUTH = 'ground truth'
SHOWN_NAMES = 3


class Case(NamedTuple):
    """One image with all that is known of it.

    Attributes:
        name (str): Path below its folder without ending, with ``/``.
        files (dict[str, Path]): File by role.
    """

    name: str
    files: dict


class Matching(NamedTuple):
    """Result of :func:`match_folders`.

    Attributes:
        cases (tuple[Case, ...]): Complete ones, sorted by name.
        missing (dict[str, tuple[str, ...]]): What is wrong, such as
            'ground truth without prediction', to the names.
    """

    cases: tuple
    missing: dict


def match_folders(folders: Mapping[str, str | os.PathLike], *,
                  suffixes: Mapping[str, Sequence[str]],
                  two_way: Sequence[str],
                  allow_missing: bool) -> Matching:
    """Match files of several folders by name, subfolders too.

    Args:
        folders (Mapping[str, str | os.PathLike]): Folder by role;
            'ground truth' is one.
        suffixes (Mapping[str, Sequence[str]]): Endings by role, where other
            than any picture's.
        two_way (Sequence[str]): Roles whose files must all have a truth;
            of the others the truth alone must be complete.
        allow_missing (bool): Leave out what is not complete.

    Returns:
        Matching: Cases with a file for each role.

    Raises:
        FileNotFoundError: If a folder is missing.
        ValueError: If a folder is given twice or holds no picture, two
            files have one name, nothing matches, or something is missing
            and that is not allowed.
    """
    _check_folders(folders)
    names = {
        role: _pictures(folder, role, suffixes.get(role, PICTURE_SUFFIXES))
        for role, folder in folders.items()}
    truth = names[TRUTH]
    missing = {}
    for role, found in names.items():
        if role == TRUTH:
            continue
        if not set(found) & set(truth):
            raise ValueError(
                f'No {role} in {str(folders[role])!r} has the name of a '
                f'{TRUTH} in {str(folders[TRUTH])!r} (such as '
                f'{next(iter(found))!r} and {next(iter(truth))!r}): check '
                'the folders, or give the endings behind the common name.')
        lacking = tuple(truth[s] for s in truth if s not in found)
        if lacking:
            missing[f'{TRUTH} without {role}'] = lacking
        extra = tuple(found[s] for s in found if s not in truth)
        if extra and role in two_way:
            missing[f'{role} without {TRUTH}'] = extra
    if missing and not allow_missing:
        parts = ', '.join(f'{len(x)} files of {what} ({_shown(x)})'
                          for what, x in missing.items())
        raise ValueError(f'Not every file has a partner of its name: {parts}; '
                         'mend the names, or leave them out with '
                         '--allow-missing.')
    cases = tuple(
        Case(stem, {role: Path(folders[role], found[stem])
                    for role, found in names.items()})
        for stem in truth if all(stem in found for found in names.values()))
    if not cases:
        raise ValueError('No name occurs in all folders: '
                         f'{", ".join(map(str, folders.values()))}.')
    return Matching(cases, missing)


def _check_folders(folders: Mapping[str, str | os.PathLike]) -> None:
    """Refuse folders that are not there, or twice."""
    seen: dict[str, str] = {}
    for role, folder in folders.items():
        if not Path(folder).is_dir():
            what = ('is no folder' if Path(folder).exists()
                    else 'does not exist')
            raise FileNotFoundError(
                f'The {role} folder {str(folder)!r} {what}: check the path.')
        real = os.path.realpath(folder)
        if real in seen:
            raise ValueError(
                f'One folder, {str(folder)!r}, is given for {seen[real]} '
                f'and for {role}: they would agree without saying anything.')
        seen[real] = role


def _pictures(folder: str | os.PathLike, role: str,
              suffixes: Sequence[str]) -> dict:
    """Stem to name of all pictures below a folder."""
    endings = as_suffixes(suffixes, name=f'{role} ending')
    root = Path(folder)
    found = names_by_stem(
        [p.relative_to(root).as_posix()
         for p in root.rglob('*') if p.is_file()],
        suffixes=endings, kind=f'{role} file', folder=str(folder))
    if not found:
        raise ValueError(f'The {role} folder {str(folder)!r} holds no file '
                         f'that ends with {", ".join(endings)}.')
    return found


def _shown(names: Sequence[str]) -> str:
    """The first names, and that there are more."""
    tail = ', ...' if len(names) > SHOWN_NAMES else ''
    return ', '.join(repr(name) for name in names[:SHOWN_NAMES]) + tail


class Reading(NamedTuple):
    """How the files of a case are read.

    Attributes:
        probabilities (bool): Whether predictions are probability maps.
        threshold (float): Of those.
        ignore_value (int, optional): Value of unlabelled pixels in masks
            that people drew.
        inverted (tuple[str, ...]): Roles in whose files 0 is crack.
        valid (str): Role of the masks of judged pixels.
        variance (str): Role of variance maps.
        masks (tuple[str, ...]): Roles of masks that people drew and that
            are scored, such as a second annotator's.
        predictions (tuple[str, ...]): Roles of predictions.
    """

    probabilities: bool
    threshold: float
    ignore_value: int | None
    inverted: tuple
    valid: str
    variance: str
    masks: tuple
    predictions: tuple


def read_case(case: Case, reading: Reading) -> dict:
    """Read one image's files.

    Args:
        case (Case): Of :func:`match_folders`.
        reading (Reading): How.

    Returns:
        dict[str, dict]: For each role that is scored ``name, pred, target,
        valid, prob, variance``; the last three may be None.

    Raises:
        FileNotFoundError: If a file has gone.
        ValueError: If a file cannot be read, breaks a rule, or sizes
            differ.
    """
    truth_file = case.files[TRUTH]
    target, valid = _drawn(truth_file, reading, role=TRUTH)
    size, of = target.shape, truth_file
    if reading.valid in case.files:
        field, known = _drawn(case.files[reading.valid], reading,
                              role=reading.valid, size=size, of=of)
        valid = _both(_both(valid, field == 1), known)
    variance = None
    if reading.variance in case.files:
        path = case.files[reading.variance]
        variance = read_map(path, size=size, of=of, kind='variance map')
    out: dict[str, dict[str, Any]] = {}
    for role in (*reading.predictions, *reading.masks):
        if role not in case.files:
            continue
        judged, prob = valid, None
        if role in reading.masks:
            pred, known = _drawn(case.files[role], reading, role=role,
                                 size=size, of=of)
            judged = _both(valid, known)
        elif reading.probabilities:
            prob = read_probability(case.files[role], size=size, of=of)
            if role in reading.inverted:
                prob = 1 - prob
            pred = prob >= np.float32(reading.threshold)
        else:
            pred = _predicted(case.files[role], size=size, of=of)
            if role in reading.inverted:
                pred = 1 - pred
        out[role] = dict(name=case.name, pred=pred, target=target,
                         valid=judged, prob=prob, variance=variance)
    return out


def _both(a, b):
    """Judged by both; None stands for everywhere."""
    if a is None or b is None:
        return b if a is None else a
    return a & b


def _drawn(path: Path, reading: Reading, *, role: str, size=None, of=None):
    """A mask that people drew: {0, 1}, and where it says something."""
    mask = read_mask(path, ignore_value=reading.ignore_value,
                     image_size=size, image_path=of)
    known = mask != IGNORED
    mask = np.where(known, mask, 0).astype(np.uint8)
    if role in reading.inverted:
        mask = np.where(known, 1 - mask, 0).astype(np.uint8)
    return mask, None if known.all() else known


def _predicted(path: Path, *, size: tuple, of: Path) -> np.ndarray:
    """A predicted mask; a grey picture is told what it may be."""
    try:
        return read_mask(path, image_size=size, image_path=of)
    except FileNotFoundError:
        raise
    except ValueError as error:
        if 'wanted {0, 1}' not in str(error) and 'of its pixels in' not in (
                str(error)):
            raise
        raise ValueError(f'{str(error).rstrip(".")}; if it is a probability '
                         'map, add --prob.') from None


def read_probability(path: str | os.PathLike, *, size: tuple,
                     of: str | os.PathLike) -> np.ndarray:
    """Read a probability map.

    Args:
        path (str | os.PathLike): 8 bit (0...255), 16 bit (0...65535), or
            floats in [0, 1] (TIFF); grey.
        size (tuple[int, int]): (height, width) that it must have.
        of (str | os.PathLike): File with that size, for messages.

    Returns:
        np.ndarray: Float32, (H, W), in [0, 1].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none, cannot be read, or sizes differ.
    """
    levels = read_map(path, size=size, of=of, kind='probability map')
    if levels.dtype == np.float32:
        if levels.size and not (levels.min() >= 0 and levels.max() <= 1):
            raise ValueError(
                f'The probability map {str(path)!r} holds floats from '
                f'{levels.min():g} to {levels.max():g}, wanted 0 to 1: put '
                'logits through the sigmoid or softmax first.')
        return levels
    top = 255 if levels.dtype == np.uint8 else 65535
    return levels.astype(np.float32) / np.float32(top)


def read_map(path: str | os.PathLike, *, size: tuple,
             of: str | os.PathLike, kind: str) -> np.ndarray:
    """Read a grey picture of numbers.

    Args:
        path (str | os.PathLike): 8 bit, 16 bit or floats; grey.
        size (tuple[int, int]): (height, width) that it must have.
        of (str | os.PathLike): File with that size, for messages.
        kind (str): What it is, for messages.

    Returns:
        np.ndarray: Uint8, uint16 or float32, (H, W).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is none, cannot be read, or sizes differ.
    """
    picture, _ = open_upright(path, data=None, kind=kind)
    if picture.size != (size[1], size[0]):
        raise ValueError(
            f'The {kind} {str(path)!r} is {picture.size[0]} x '
            f'{picture.size[1]} pixels (w x h) but {str(of)!r} is {size[1]} '
            f'x {size[0]}: bring it to the size of the original image.')
    return _levels(picture, path=path, kind=kind)


def _levels(picture: Image.Image, *, path, kind: str) -> np.ndarray:
    """The numbers of a grey picture."""
    wrong = ValueError(
        f'The {kind} {str(path)!r} is a picture of mode {picture.mode} with '
        'no one number for each pixel, wanted grey with 8 or 16 bit, or '
        'floats: save it anew.')
    if picture.mode in ('RGB', 'RGBA', 'LA', 'P'):
        colours = np.asarray(picture.convert('RGB'))
        if not (colours == colours[..., :1]).all():
            raise wrong
        return np.ascontiguousarray(colours[..., 0])
    if picture.mode == 'L':
        return np.asarray(picture)
    if picture.mode == 'F':
        values = np.asarray(picture)
        if not np.isfinite(values).all():
            raise ValueError(f'The {kind} {str(path)!r} holds values that '
                             'are no numbers (NaN or infinite).')
        return values.astype(np.float32)
    values = np.asarray(picture)
    if not picture.mode.startswith('I') or (
            values.size and (values.min() < 0 or values.max() > 65535)):
        raise wrong
    return values.astype(np.uint16)


def check_probabilities(cases: Sequence[Case], role: str) -> None:
    """Refuse a folder of {0, 1} masks that is taken for probability maps.

    Of 8 bits the values 0 and 1 are probabilities below 0.004, so that
    nothing would ever be crack. A folder with one larger value anywhere is
    none; usually the first file has it.

    Args:
        cases (Sequence[Case]): What is to be scored.
        role (str): Role of the maps.

    Raises:
        FileNotFoundError: If a file has gone.
        ValueError: If no map holds more than 0 and 1, or a file cannot be
            read.
    """
    for case in cases:
        path = case.files[role]
        picture, _ = open_upright(path, data=None, kind='probability map')
        if picture.mode == '1':
            break
        levels = _levels(picture, path=path, kind='probability map')
        if levels.dtype != np.uint8 or levels.max(initial=0) > 1:
            return
    raise ValueError(
        f'The {role} files hold only 0 and 1: they are masks, so leave '
        '--prob out, or save probabilities as 0...255.')
