"""Writing sets of synthetic pictures to disk, and reading their truth.

Not in the papers. Layout: ``images/<split>/<stem>.jpg`` (or ``.png``),
``masks/<split>/<stem>.png`` (uint8, {0, 1}), ``truth/<split>/<stem>.json``
and ``manifest.json``.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from mmcrack.datasets.synthetic_cracks import CrackTruth
from mmcrack.datasets.synthetic_scene import check_scene, generate_scene
from mmcrack.datasets.synthetic_style import SceneStyle

# Raised whenever a seed no longer gives the same picture.
GENERATOR_VERSION = 2
_KIND = 'mmcrack synthetic'
_FOLDERS = ('images', 'masks', 'truth')
_FORMATS = ('jpg', 'png')
_PLAIN_QUALITY = 95


def scene_seed(seed: int, split: str, index: int) -> int:
    """Seed of one picture of a set.

    Not in the papers. A hash of (seed, split, index), so that splits share
    no picture, and a larger split begins with the smaller one's pictures.

    Args:
        seed (int): Seed of the set.
        split (str): Name of the split.
        index (int): Number of the picture in its split.

    Returns:
        int: 0 to 2^63 - 1.
    """
    text = f'{seed}/{split}/{index}'.encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], 'big') >> 1


def write_dataset(out_dir: str | os.PathLike, *, splits: dict[str, int],
                  size: tuple[int, int], seed: int,
                  style: SceneStyle | None = None, workers: int = 1,
                  progress: bool = True, overwrite: bool = False,
                  image_format: str = 'jpg') -> dict:
    """Write a set of pictures, masks and truths.

    Not in the papers. An interrupted call goes on where it stopped when it
    is made again; a complete set of the same arguments is reused as it is.

    Args:
        out_dir (str | os.PathLike): Folder; made when missing.
        splits (dict[str, int]): Number of pictures of each split.
        size (tuple[int, int]): Height and width in pixels.
        seed (int): Seed of the set, >= 0.
        style (SceneStyle | None): Options; None is the default style.
        workers (int): Processes, >= 1. The files do not depend on it.
        progress (bool): Whether to tell the progress on stderr.
        overwrite (bool): Whether an older set of other arguments in the
            folder may be deleted. Foreign files are never deleted.
        image_format (str): ``'jpg'`` (with the quality of the scene, which
            the truth records) or ``'png'`` (the scene bit for bit).

    Returns:
        dict: The manifest: ``kind``, ``spec``, ``complete`` and ``files``
        (per picture: split, stem, image, mask, truth, seed, size, number of
        cracks, crack_share, jpeg_quality and the files' sha256).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of range.
        FileExistsError: If the folder holds something else.
        NotADirectoryError: If ``out_dir`` is a file.
    """
    seed, size, style = check_scene(seed, size, style)
    _check_options(splits, workers, image_format)
    out_dir = Path(out_dir)
    spec = json.loads(json.dumps({
        'version': GENERATOR_VERSION, 'splits': splits, 'size': size,
        'seed': seed, 'image_format': image_format,
        'style': dataclasses.asdict(style)}))
    if _prepare(out_dir, spec, overwrite):
        manifest = json.loads((out_dir / 'manifest.json').read_text())
        if _all_there(out_dir, manifest):
            _say(progress, f'{out_dir} already holds this set: reused')
            return manifest
    jobs = [(out_dir, split, index, scene_seed(seed, split, index), size,
             style, image_format)
            for split, count in splits.items() for index in range(count)]
    if len({job[3] for job in jobs}) != len(jobs):
        raise ValueError(
            f'seed {seed} gives two pictures of this set the same seed; '
            'choose another one.')
    _write_json(out_dir / 'manifest.json',
                {'kind': _KIND, 'spec': spec, 'complete': False, 'files': []})
    for job in jobs:
        for folder in _FOLDERS:
            (out_dir / folder / job[1]).mkdir(parents=True, exist_ok=True)
    manifest = {'kind': _KIND, 'spec': spec, 'complete': True,
                'files': _run(jobs, workers, progress)}
    _write_json(out_dir / 'manifest.json', manifest)
    return manifest


def _check_options(splits, workers, image_format):
    """Raise on what cannot be written."""
    if not isinstance(splits, dict) or not splits:
        raise ValueError(
            'splits must be a dict of at least one split and its number of '
            f'pictures, got {splits!r}.')
    for name, count in splits.items():
        if not isinstance(name, str) or not re.fullmatch(r'[\w-]+', name):
            raise ValueError(
                'splits must be named by letters, digits, _ and -, got '
                f'{name!r}.')
        if isinstance(count, bool) or not isinstance(count, int):
            raise TypeError(
                f'splits[{name!r}] must be a whole number, got {count!r}.')
        if count < 0:
            raise ValueError(
                f'splits[{name!r}] must be at least 0, got {count}.')
    if sum(splits.values()) == 0:
        raise ValueError('splits must ask for at least one picture.')
    if isinstance(workers, bool) or not isinstance(workers, int):
        raise TypeError(f'workers must be a whole number, got {workers!r}.')
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}.')
    if image_format not in _FORMATS:
        raise ValueError(
            f'image_format must be one of {_FORMATS}, got {image_format!r}.')


def _prepare(out_dir, spec, overwrite):
    """Make the folder usable; True if it holds this very set already."""
    if out_dir.exists() and not out_dir.is_dir():
        raise NotADirectoryError(
            f'{out_dir} is a file; name a folder to write into.')
    if not out_dir.exists() or not any(out_dir.iterdir()):
        out_dir.mkdir(parents=True, exist_ok=True)
        return False
    try:
        manifest = json.loads((out_dir / 'manifest.json').read_text())
        ours = manifest['kind'] == _KIND
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise FileExistsError(
            f'{out_dir} is not empty and was not written by this generator; '
            'choose another folder.')
    if manifest.get('spec') == spec:
        if overwrite:
            _clear(out_dir)
        return not overwrite
    if not overwrite:
        raise FileExistsError(
            f'{out_dir} holds a synthetic set made with other options; '
            'choose another folder or ask for overwriting (--overwrite).')
    _clear(out_dir)
    return False


def _clear(out_dir):
    """Delete what an earlier call wrote."""
    for folder in _FOLDERS:
        if (out_dir / folder).is_dir():
            shutil.rmtree(out_dir / folder)
    (out_dir / 'manifest.json').unlink()


def _all_there(out_dir, manifest):
    """Whether a manifest is complete and its files exist."""
    return manifest['complete'] and all(
        (out_dir / record[key]).is_file() for record in manifest['files']
        for key in ('image', 'mask', 'truth'))


def _run(jobs, workers, progress):
    """Do all jobs and return their records, in order."""
    records, told = [], [time.monotonic()]

    def note(record):
        records.append(record)
        now = time.monotonic()
        if len(records) == len(jobs) or now - told[0] > 2:
            told[0] = now
            _say(progress, f'{len(records)} of {len(jobs)} pictures')

    if workers == 1:
        for job in jobs:
            note(_write_scene(job))
        return records
    with concurrent.futures.ProcessPoolExecutor(
            workers, multiprocessing.get_context('spawn')) as pool:
        for record in pool.map(_write_scene, jobs):
            note(record)
    return records


def _write_scene(job):
    """Write one picture unless it is there, and return its record."""
    out_dir, split, index, seed, size, style, image_format = job
    stem = f'{split}_{index:05d}'
    paths = {'image': f'images/{split}/{stem}.{image_format}',
             'mask': f'masks/{split}/{stem}.png',
             'truth': f'truth/{split}/{stem}.json'}
    truth_file = out_dir / paths['truth']
    if all((out_dir / path).is_file() for path in paths.values()):
        # The truth is written last, and every file appears whole.
        return json.loads(truth_file.read_text())['record']
    scene = generate_scene(seed, size, style=style)
    record = {'split': split, 'stem': stem, **paths, 'seed': seed,
              'size': list(size), 'cracks': len(scene.cracks),
              'crack_share': float(scene.mask.mean()),
              'jpeg_quality': scene.jpeg_quality}
    # A picture is compressed once more with the quality it already has,
    # which changes next to nothing.
    quality = [cv2.IMWRITE_JPEG_QUALITY, scene.jpeg_quality or _PLAIN_QUALITY]
    record['image_sha256'] = _write_picture(
        out_dir / paths['image'], scene.image[..., ::-1],
        quality if image_format == 'jpg' else [])
    record['mask_sha256'] = _write_picture(
        out_dir / paths['mask'], scene.mask, [])
    _write_json(truth_file, {
        'record': record,
        'convention': 'points are (x, y) in pixels; the centre of the pixel '
                      'in row r, column c is (c, r); widths and length in '
                      'pixels; length is that of the part inside the frame '
                      '[-0.5, W - 0.5] x [-0.5, H - 0.5]',
        'cracks': [{'points': np.round(c.points, 6).tolist(),
                    'widths': np.round(c.widths, 6).tolist(),
                    'length': c.length, 'parent': c.parent}
                   for c in scene.cracks]})
    return record


def _write_picture(path, picture, options):
    """Write an image file whole or not at all; return its sha256."""
    done, data = cv2.imencode(path.suffix, picture, options)
    if not done:
        raise OSError(f'{path} could not be encoded.')
    data = data.tobytes()
    part = path.with_name(path.name + '.part')
    part.write_bytes(data)
    os.replace(part, path)
    return hashlib.sha256(data).hexdigest()


def _write_json(path, value):
    """Write a JSON file whole or not at all."""
    part = path.with_name(path.name + '.part')
    part.write_text(json.dumps(value))
    os.replace(part, path)


def _say(progress, text):
    """Tell the user on stderr."""
    if progress:
        print(f'synthetic: {text}', file=sys.stderr, flush=True)


def read_truth(path: str | os.PathLike) -> list[CrackTruth]:
    """Read the cracks of a truth file.

    Not in the papers.

    Args:
        path (str | os.PathLike): ``truth/<split>/<stem>.json``.

    Returns:
        list[CrackTruth]: The cracks; positions and widths are rounded to
        1e-6 px.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no truth file.
    """
    try:
        cracks = json.loads(Path(path).read_text())['cracks']
        return [CrackTruth(
            points=np.array(c['points'], np.float64).reshape(-1, 2),
            widths=np.array(c['widths'], np.float64),
            length=float(c['length']), parent=c['parent']) for c in cracks]
    except FileNotFoundError:
        raise FileNotFoundError(
            f'{path} does not exist; write_dataset puts truth files at '
            'truth/<split>/<stem>.json.') from None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} is no truth file of the synthetic generator '
            f'({error!r}).') from None
