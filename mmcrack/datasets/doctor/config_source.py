"""The data sets of a config file, as something to examine."""

import copy
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.registry import DATASETS, init_default_scope

from mmcrack.datasets.doctor.sources import Item, Rule, Source

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def from_config(cfg: Mapping[str, Any], path: str) -> Source:
    """Lists what a config trains, validates and tests on.

    Args:
        cfg: Loaded config.
        path: Its file.

    Returns:
        The pairs; split is train, val or test, by the loader.

    Raises:
        ValueError: If no loader names a data set, or none holds an image.
        FileNotFoundError: If a folder or a list is missing.
        TypeError: If a data set has no such option.
    """
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    items: list[Item] = []
    seen: list = []
    for loader in _LOADERS:
        dataset = (cfg.get(loader) or {}).get('dataset')
        # A config without a test set often repeats val.
        if dataset is None or any(dataset == other for other in seen):
            continue
        seen.append(dataset)
        for part in _parts(dataset):
            items += _items(part, loader.removesuffix('_dataloader'))
    if not seen:
        raise ValueError(
            f'the config {path!r} names no data set: it needs '
            'train_dataloader, val_dataloader or test_dataloader with '
            'dataset=dict(...)')
    if not any(item.image for item in items):
        raise ValueError(
            f'the data sets of the config {path!r} hold no image; check '
            'data_root and data_prefix')
    images = sorted({str(i.image.parent) for i in items if i.image})
    masks = sorted({str(i.mask.parent) for i in items if i.mask})
    return Source(
        title=Path(path).name, items=sorted(items, key=lambda i: i.name),
        images=shlex.quote(images[0]),
        masks=shlex.quote(masks[0] if masks else images[0]),
        folders=[Path(f) for f in sorted({*images, *masks})],
        command=f'python tools/dataset_doctor.py {shlex.quote(path)}')


def _parts(dataset: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Data sets inside wrappers such as ConcatDataset."""
    if 'datasets' in dataset:
        for part in dataset['datasets']:
            yield from _parts(part)
    elif 'dataset' in dataset:
        yield from _parts(dataset['dataset'])
    else:
        yield dataset


def _items(dataset: Mapping[str, Any], split: str) -> list[Item]:
    stock = 'LoadAnnotations' in set(_types(dataset.get('pipeline', [])))
    settings = copy.deepcopy(dict(dataset))
    settings['pipeline'] = []
    built = DATASETS.build(settings)
    items = []
    for entry in built.load_data_list():
        mask = entry.get('seg_map_path')
        mask = Path(mask) if mask and Path(mask).is_file() else None
        rule = Rule(entry.get('ignore_value'), entry.get('lossy_masks'),
                    stock, known=True)
        image = Path(entry['img_path'])
        items.append(Item(split=split, stem=_stem(image, dataset),
                          image=image, mask=mask, rule=rule))
    for name in getattr(getattr(built, 'unpaired', None), 'masks', ()):
        items.append(Item(split=split, stem=Path(name).stem, image=None,
                          mask=Path(name), rule=Rule(known=True)))
    known = {item.stem for item in items}
    for name in getattr(getattr(built, 'unpaired', None), 'images', ()):
        if Path(name).stem not in known:
            items.append(Item(split=split, stem=Path(name).stem,
                              image=Path(name), mask=None,
                              rule=Rule(known=True)))
    return items


def _types(steps: Any) -> Iterator[str]:
    """Every ``type`` in a pipeline, however deep."""
    if isinstance(steps, Mapping):
        if isinstance(steps.get('type'), str):
            yield steps['type'].removeprefix('mmseg.')
        steps = steps.values()
    elif isinstance(steps, str) or not isinstance(steps, (list, tuple)):
        return
    for step in steps:
        yield from _types(step)


def _stem(image: Path, dataset: Mapping[str, Any]) -> str:
    """Name below the image folder without suffix, as the pairing has it."""
    folder = (dataset.get('data_prefix') or {}).get('img_path', '')
    root = Path(dataset.get('data_root') or '') / folder
    try:
        return image.relative_to(root).with_suffix('').as_posix()
    except ValueError:
        return image.stem
