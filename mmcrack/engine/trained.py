"""A trained network and whole images of a split, for tools that look in."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DATASETS
from torch import nn

from mmcrack.engine.checkpoint import (
    CheckpointError,
    describe,
    load_checkpoint,
    load_weights,
    state_dict_of,
)
from mmcrack.engine.sentences import did_you_mean


def load_trained(model: nn.Module, path: str) -> dict[str, Any]:
    """Put a checkpoint's weights into a model and set it to testing.

    Args:
        model (nn.Module): The segmentor, as its config builds it.
        path (str): The checkpoint.

    Returns:
        dict[str, Any]: The checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is of another model.
    """
    checkpoint = load_checkpoint(path)
    difference = load_weights(model, state_dict_of(checkpoint))
    if difference.missing or difference.misshapen:
        raise CheckpointError(f'The checkpoint {str(path)!r} is not of this '
                              f'model: {describe(difference)}.')
    model.eval()
    return checkpoint


def whole_images(cfg: Config, split: str) -> Sequence[dict]:
    """Build the data set of a split as it is tested: whole images, no chance.

    Args:
        cfg (Config): Config of a training.
        split (str): 'train', 'val' or 'test'.

    Returns:
        Sequence[dict]: The split's data set with the pipeline of
        ``test_dataloader`` (without one of ``val_dataloader``).

    Raises:
        ValueError: If the config lacks the split or a pipeline to test with,
            or if the data set is empty.
    """
    loader = cfg.get(f'{split}_dataloader')
    if loader is None:
        there = [name for name in ('train', 'val', 'test')
                 if cfg.get(f'{name}_dataloader') is not None]
        raise ValueError(f'The config has no {split}_dataloader: choose '
                         f'--split {" or ".join(there) or "(none is there)"}.')
    tested = cfg.get('test_dataloader') or cfg.get('val_dataloader')
    if tested is None:
        raise ValueError('The config has no test_dataloader and no '
                         'val_dataloader, so no pipeline that reads whole '
                         'images.')
    pipelines = _pipelines(tested.dataset)
    described = copy.deepcopy(loader.dataset)
    for owner in _pipelines(described):
        owner['pipeline'] = copy.deepcopy(pipelines[0]['pipeline'])
        # Packing an empty list for other processes fails, unexplained.
        owner.setdefault('serialize_data', False)
    dataset = DATASETS.build(described)
    if not len(dataset):
        raise ValueError(
            f'The {split} set of the config holds no image: check data_root '
            'and data_prefix (in configs of mmcrack data_root comes from the '
            'environment variable MMCRACK_DATA).')
    return dataset


def _pipelines(part: Any) -> list[dict]:
    """Return the dicts with a pipeline, in data sets inside data sets too."""
    if isinstance(part, (list, tuple)):
        return [owner for item in part for owner in _pipelines(item)]
    if not isinstance(part, dict):
        return []
    found = [part] if 'pipeline' in part else []
    return found + [owner for key, value in part.items()
                    if key != 'pipeline' for owner in _pipelines(value)]


def choose_images(dataset: Sequence[dict], wanted: Sequence[str], *,
                  seed: int) -> list[int]:
    """Choose images by number or by name.

    Args:
        dataset (Sequence[dict]): With ``get_data_info``, as MMEngine's.
        wanted (Sequence[str]): One number: so many, drawn at random.
            Otherwise file names, with or without ending and folder.
        seed (int): Of the draw.

    Returns:
        list[int]: Positions; drawn ones ascending, named ones as given.

    Raises:
        ValueError: If the number is not positive or a name is unknown.
    """
    stems: dict[str, int] = {}
    for index in range(len(dataset)):
        stems.setdefault(
            Path(dataset.get_data_info(index)['img_path']).stem, index)
    names = [name if name in stems else Path(name).stem for name in wanted]
    if len(names) == 1 and names[0] not in stems and names[0].isdigit():
        if int(names[0]) < 1:
            raise ValueError(
                f'--images must be at least 1, got {names[0]}.')
        order = np.random.default_rng(seed).permutation(len(dataset))
        return sorted(int(i) for i in order[:int(names[0])])
    unknown = [name for name in names if name not in stems]
    if unknown:
        raise ValueError(
            f'The split has no image {unknown[0]!r} among its {len(stems)}.'
            f'{did_you_mean(unknown[0], stems)}')
    return [stems[name] for name in names]
