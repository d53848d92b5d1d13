"""Label maps under the names of their images."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmcrack.engine.hooks import SavePredictionHook
from mmcrack.engine.hooks.save_prediction_hook import picture_name


@pytest.mark.parametrize(('path', 'root', 'name'), [
    ('/d/images/a/b.c.jpg', '/d/images', 'a/b.c'),
    ('/d/images/b.jpg', '/d/images/', 'b'),
    ('/elsewhere/a/b.jpg', '/d/images', 'b'),
    ('/d/images2/b.jpg', '/d/images', 'b'),
    ('a/b.jpg', None, 'b'),
])
def test_names(path, root, name):
    assert picture_name(path, root) == Path(name)


def sample(name, label, **meta):
    return SegDataSample(
        pred_sem_seg=PixelData(data=torch.from_numpy(label)[None]),
        metainfo=dict(img_path=f'/d/images/{name}', **meta))


def save(out, samples, prefix):
    dataset = SimpleNamespace(data_prefix=prefix)
    runner = SimpleNamespace(
        test_dataloader=SimpleNamespace(dataset=dataset))
    SavePredictionHook(out_dir=str(out)).after_test_iter(
        runner, 0, None, samples)


def test_labels_are_stored_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, 3, (5, 7)), rng.integers(0, 2, (4, 4))]
    save(tmp_path / 'new', [sample('a/x.jpg', labels[0]),
                            sample('b/x.jpg', labels[1])],
         dict(img_path='/d/images'))
    for name, label in zip(('a/x', 'b/x'), labels, strict=True):
        stored = cv2.imread(str(tmp_path / f'new/{name}.png'), -1)
        assert stored.dtype == np.uint8
        np.testing.assert_array_equal(stored, label)


def test_a_label_reduced_by_one_is_raised_again(tmp_path):
    label = np.array([[0, 1], [2, 0]])
    save(tmp_path, [sample('x.png', label, reduce_zero_label=True)], None)
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / 'x.png'), -1), label + 1)
