"""Whole images of a split, chosen by number or name; trained networks."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS
from torch import nn

from mmcrack.engine.checkpoint import CheckpointError
from mmcrack.engine.trained import choose_images, load_trained, whole_images


class Named:
    """A data set of names."""

    def __init__(self, names=(), pipeline=(), datasets=(),
                 serialize_data=True):
        assert not serialize_data or datasets
        self.names = list(names) + [n for d in datasets
                                    for n in DATASETS.build(d).names]
        self.pipeline = pipeline

    def __len__(self):
        return len(self.names)

    def get_data_info(self, index):
        return dict(img_path=f'some/where/{self.names[index]}.png')


@pytest.fixture(autouse=True)
def _registered():
    DATASETS.register_module(name='Named', module=Named)
    yield
    DATASETS.module_dict.pop('Named')


def config(**loaders):
    return Config({f'{name}_dataloader': dict(dataset=dataset)
                   for name, dataset in loaders.items()})


NAMES = [f'a{i}' for i in range(20)] + ['7', '12-3']


def test_a_split_is_read_by_the_test_s_pipeline():
    cfg = config(train=dict(type='Named', names=['t'], pipeline=['crop']),
                 val=dict(type='Named', names=['v', 'w'], pipeline=['val']),
                 test=dict(type='Named', names=['x'], pipeline=['whole']))
    for split, names in (('train', ['t']), ('val', ['v', 'w'])):
        dataset = whole_images(cfg, split)
        assert (dataset.names, dataset.pipeline) == (names, ['whole'])
    assert cfg.train_dataloader.dataset.pipeline == ['crop']
    cfg.test_dataloader = None
    assert whole_images(cfg, 'train').pipeline == ['val']


def test_data_sets_inside_data_sets_get_it_too():
    inner = [dict(type='Named', names=[n], pipeline=['crop'])
             for n in ('a', 'b')]
    cfg = config(train=dict(type='Named', datasets=inner),
                 test=dict(type='Named', names=['x'], pipeline=['whole']))
    assert whole_images(cfg, 'train').names == ['a', 'b']


@pytest.mark.parametrize(('loaders', 'words'), [
    (dict(test=dict(type='Named', names=['x'], pipeline=[])),
     'no train_dataloader: choose --split test'),
    (dict(train=dict(type='Named', names=['x'], pipeline=[])),
     'no pipeline that reads whole images'),
    (dict(train=dict(type='Named', pipeline=[]),
          test=dict(type='Named', pipeline=[])),
     'The train set of the config holds no image'),
])
def test_splits_that_cannot_be_read(loaders, words):
    with pytest.raises(ValueError, match=words):
        whole_images(config(**loaders), 'train')


def test_a_number_is_drawn_by_the_seed_and_a_name_found():
    dataset = Named(NAMES, serialize_data=False)
    drawn = choose_images(dataset, ['5'], seed=3)
    assert drawn == sorted(
        np.random.default_rng(3).permutation(22)[:5].tolist())
    assert drawn != choose_images(dataset, ['5'], seed=4)
    assert choose_images(dataset, ['99'], seed=0) == list(range(22))
    assert choose_images(dataset, ['x/a3.jpg', '12-3', 'a0'], seed=0) == [
        3, 21, 0]
    # A number that is an image's name is that image.
    assert choose_images(dataset, ['7'], seed=0) == [20]
    assert choose_images(dataset, ['7', 'a1'], seed=0) == [20, 1]


@pytest.mark.parametrize(('wanted', 'words'), [
    (['0'], '--images must be at least 1, got 0'),
    (['a99'], "no image 'a99' among its 22. Did you mean 'a9'"),
    (['a1', '5'], "no image '5' among"),
])
def test_images_that_are_not_there(wanted, words):
    with pytest.raises(ValueError, match=words):
        choose_images(Named(NAMES, serialize_data=False), wanted, seed=0)


def test_weights_are_taken_over_or_refused(tmp_path):
    source, target = nn.Linear(2, 3), nn.Linear(2, 3).train()
    torch.save(dict(state_dict=source.state_dict(), meta=dict(epoch=4)),
               tmp_path / 'a.pth')
    content = load_trained(target, str(tmp_path / 'a.pth'))
    assert content['meta'] == dict(epoch=4)
    assert torch.equal(target.weight, source.weight)
    assert not target.training
    with pytest.raises(CheckpointError, match='is not of this model: 1 of '
                       r'another shape \(weight: wanted \(3, 5\), got '):
        load_trained(nn.Linear(5, 3), str(tmp_path / 'a.pth'))
    with pytest.raises(FileNotFoundError):
        load_trained(target, str(tmp_path / 'b.pth'))
