"""DRIVE through MMSegmentation's data set, judged in its field of view."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import real_data
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import DATASETS, init_default_scope
from mmengine.structures import PixelData
from PIL import Image

from mmcrack.engine.hooks import CrackVisualizationHook


def config(repository):
    init_default_scope('mmseg')
    return Config.fromfile(repository / 'configs/_base_/datasets/drive.py')


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Two splits of one image of 60 x 50: a vessel, and a round view."""
    rows, columns = np.mgrid[:60, :50]
    fov = ((rows - 30) ** 2 + (columns - 25) ** 2 < 20 ** 2)
    vessel = np.zeros((60, 50), np.uint8)
    vessel[29:31] = 1
    image = np.random.default_rng(0).integers(
        0, 256, (60, 50, 3), dtype=np.uint8)
    for split in ('train', 'test'):
        for kind, array in (('images', image), ('masks', vessel),
                            ('fov', fov.astype(np.uint8))):
            path = tmp_path / 'drive' / kind / split / '21.png'
            path.parent.mkdir(parents=True)
            Image.fromarray(array).save(path)
    monkeypatch.setenv('MMCRACK_DATA', str(tmp_path))
    return fov, vessel


def predicted(item, pred):
    """A data sample of the test with a prediction."""
    sample = item['data_samples'].clone()
    sample.pred_sem_seg = PixelData(
        data=torch.from_numpy(pred.astype(np.int64))[None])
    return sample


def figures(cfg, dataset, samples):
    evaluator = Evaluator(copy.deepcopy(cfg.test_evaluator))
    evaluator.dataset_meta = dataset.metainfo
    evaluator.process([s.to_dict() for s in samples])
    return evaluator.evaluate(len(samples))


def test_pipelines_ignore_what_is_outside(small, repository):
    fov, vessel = small
    cfg = config(repository)
    test = DATASETS.build(cfg.test_dataloader.dataset)
    assert test.metainfo['classes'] == ('background', 'vessel')
    labels = test[0]['data_samples'].gt_sem_seg.data[0].numpy()
    assert np.array_equal(labels, np.where(fov, vessel, 255))
    train = DATASETS.build(cfg.train_dataloader.dataset)
    item = train[0]
    assert item['inputs'].shape == (3, 256, 256)
    crop = item['data_samples'].gt_sem_seg.data
    # Padding is ignored as well: what is left is the field of view.
    assert (crop != 255).sum() == fov.sum()
    assert (crop == 1).sum() == (fov & (vessel == 1)).sum()
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    views = DATASETS.build(cfg.test_dataloader.dataset)[0]
    for sample in views['data_samples']:
        assert np.array_equal(sample.gt_sem_seg.data[0].numpy(), labels)


def test_metrics_count_inside_only(small, repository):
    fov, vessel = small
    cfg = config(repository)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    pred = ~fov | (vessel == 1)
    pred[29] = False
    row = int(fov[30].sum())
    found = figures(cfg, dataset, [predicted(dataset[0], pred)])
    # Inside: the lower row of the vessel is found, the upper is missed;
    # everything outside is a false alarm that must not count.
    assert found['crack/Precision'] == 100
    assert found['crack/Recall'] == pytest.approx(
        100 * row / (row + fov[29].sum()))
    assert found['crack/image_F1'] == found['crack/F1']
    perfect = ~fov | (vessel == 1)
    found = figures(cfg, dataset, [predicted(dataset[0], perfect)])
    assert found['crack/IoU'] == found['crack/mBA'] == 100
    nothing = figures(cfg, dataset, [predicted(dataset[0], ~fov)])
    # The bands of radius 1 are four rows; half of them is vessel.
    assert nothing['crack/mBA'] == nothing['crack/mBA_floor']
    inner = fov[28:32].sum()
    assert nothing['crack/mBA'] == pytest.approx(
        100 * (fov[28].sum() + fov[31].sum()) / inner)


def test_pictures_leave_the_outside_out(small, repository, tmp_path):
    fov, vessel = small
    cfg = config(repository)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    item = dataset[0]
    pictures = {}
    for name, inside, outside in (
            ('good', vessel == 1, False), ('outside', vessel == 1, True),
            ('inside', True, False)):
        pred = np.where(fov, inside, outside)
        hook = CrackVisualizationHook(
            draw=True, out_dir=str(tmp_path / name))
        hook.after_test_iter(
            SimpleNamespace(test_dataloader=SimpleNamespace(dataset=dataset)),
            0, dict(inputs=[item['inputs']]), [predicted(item, pred)])
        pictures[name] = np.array(Image.open(tmp_path / name / '21.png'))
    # False alarms outside change no pixel of the picture; inside they do.
    assert np.array_equal(pictures['good'], pictures['outside'])
    assert not np.array_equal(pictures['good'], pictures['inside'])


def test_a_missing_field_of_view_stops_training(small, repository, tmp_path):
    (tmp_path / 'drive/fov/train/21.png').unlink()
    train = DATASETS.build(config(repository).train_dataloader.dataset)
    with pytest.raises(FileNotFoundError, match='has no field of view'):
        train[0]


def test_real_images(repository):
    """P, R and F1 as JTFN makes them: both masks times the field of view."""
    root = real_data('drive')
    cfg = config(repository)
    for part, count in (('train', 20), ('val', 5)):
        assert len(DATASETS.build(cfg[f'{part}_dataloader'].dataset)) == count
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    samples, wanted = [], []
    for index in range(2):
        item = dataset[index]
        green = item['inputs'][1].float()
        pred = (green < 0.7 * green.mean()).numpy()
        samples.append(predicted(item, pred))
        stem = f'{index + 1:02d}'
        truth, fov = (
            np.array(Image.open(root / kind / 'test' / f'{stem}.png')) > 0
            for kind in ('masks', 'fov'))
        assert (pred & ~fov).sum() > 50000
        pred, truth = pred & fov, truth & fov
        both = (pred & truth).sum()
        precision, recall = both / pred.sum(), both / truth.sum()
        wanted.append((precision, recall,
                       2 * precision * recall / (precision + recall)))
    found = figures(cfg, dataset, samples)
    for name, value in zip(('Precision', 'Recall', 'F1'),
                           np.mean(wanted, axis=0), strict=True):
        assert found[f'crack/image_{name}'] == pytest.approx(100 * value)
