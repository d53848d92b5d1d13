"""Learning a few crops by heart: what is cut, scored, told and refused."""

import csv
import sys

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample


@pytest.fixture
def overfit(tool, monkeypatch):
    monkeypatch.setattr(sys, 'path', list(sys.path))
    return tool('benchmark/overfit')


def packed(label, path='photograph.png'):
    """A photograph whose red channel tells the column, green the row."""
    height, width = label.shape
    rows, columns = torch.meshgrid(
        torch.arange(height), torch.arange(width), indexing='ij')
    image = torch.stack([rows * 0, rows, columns]).to(torch.uint8)
    sample = SegDataSample(gt_sem_seg=PixelData(data=label[None]),
                           metainfo=dict(img_path=path))
    return dict(inputs=image, data_samples=sample)


def test_crops_lie_around_a_crack_pixel(overfit):
    label = torch.zeros(40, 60, dtype=torch.long)
    label[20, 33] = 1
    empty = packed(torch.zeros(40, 60, dtype=torch.long))
    crops = overfit.crack_crops([empty, packed(label), empty], 1, 16, seed=3)
    truth = crops[0]['data_samples'].gt_sem_seg.data
    assert truth.shape == (1, 16, 16)
    assert truth.nonzero().tolist() == [[0, 8, 8]]
    # The image is cut at the same place.
    assert crops[0]['inputs'][:, 8, 8].tolist() == [0, 20, 33]


def test_crops_at_the_rim_stay_inside_and_small_photographs_are_filled(
        overfit):
    label = torch.zeros(40, 60, dtype=torch.long)
    label[1, 58] = 1
    crop = overfit.crack_crops([packed(label)], 1, 16, seed=0)[0]
    assert crop['inputs'][1:, 0, 0].tolist() == [0, 44]
    assert crop['data_samples'].gt_sem_seg.data[0, 1, 14] == 1
    wide = overfit.crack_crops([packed(label)], 1, 48, seed=0)[0]
    truth = wide['data_samples'].gt_sem_seg.data[0]
    assert truth.shape == (48, 48)
    assert (truth[40:] == 255).all()
    assert (truth[:40] != 255).all()


def test_too_few_cracks_are_an_error(overfit):
    label = torch.zeros(40, 60, dtype=torch.long)
    with pytest.raises(ValueError, match=r'has 0 photographs with a crack, '
                       r'--images wants 2'):
        overfit.crack_crops([packed(label)] * 3, 2, 16, seed=0)


def test_iou_is_pooled_and_leaves_ignored_pixels_out(overfit):
    truth = torch.tensor([[1, 1, 0, 255]])
    found = torch.tensor([[1, 0, 1, 1]])

    class Model(torch.nn.Module):
        def test_step(self, batch):
            assert not self.training
            for sample in batch['data_samples']:
                sample.pred_sem_seg = PixelData(data=found[None])
            return batch['data_samples']

    crop = dict(inputs=torch.zeros(3, 1, 4), data_samples=SegDataSample(
        gt_sem_seg=PixelData(data=truth[None])))
    model = Model()
    assert overfit.crack_iou(model, [crop, crop]) == pytest.approx(1 / 3)
    assert model.training


def test_a_tiny_network_learns_and_a_deaf_one_does_not(
        overfit, write_config, tmp_path, capsys):
    able = write_config('able')
    deaf = write_config('deaf', tail='optim_wrapper.update('
                        "optimizer=dict(type='SGD', lr=0.))")
    table = tmp_path / 'new/table.csv'
    code = overfit.main([
        able, deaf, '--images', '2', '--size', '32', '--iterations', '60',
        '--iou', '.5', '--dtype', 'fp32', '--csv', str(table)])
    assert code == 1
    with table.open(newline='') as file:
        rows = {row['network']: row for row in csv.DictReader(file)}
    assert rows['able']['passed'] == 'yes'
    assert float(rows['able']['IoU']) > .5
    assert int(rows['able']['iterations']) in (20, 40, 60)
    assert rows['deaf']['passed'] == 'no'
    assert rows['deaf']['iterations'] == '60'
    # Convolutions of 3 x 3, at 32 x 32 and behind the pooling at 16 x 16.
    macs = 32 * 32 * (9 * 3 * 4 + 9 * 8 * 4 + 9 * 4 * 4 + 4 * 2) \
        + 16 * 16 * 9 * 4 * 8 + 32 * 32 * 8 * 4
    assert float(rows['able']['GFLOPs']) == pytest.approx(
        2 * macs / 1e9, rel=1e-3)
    assert '| able | yes |' in capsys.readouterr().out


def test_a_broken_config_stops_no_other(overfit, write_config, tmp_path,
                                        capsys):
    broken = write_config('broken', tail="model.update(type='NoSuchModel')")
    code = overfit.main([
        broken, write_config('able'), '--images', '1', '--size', '32',
        '--iterations', '1', '--iou', '.01', '--dtype', 'fp32'])
    assert code == 1
    captured = capsys.readouterr()
    assert "asks for type='NoSuchModel'" in captured.err
    assert '| broken | failed |' in captured.out
    assert '| able | ' in captured.out


@pytest.mark.parametrize(('options', 'words'), [
    (['--images', '0'], '--images, --size and --threads'),
    (['--minutes', '0'], '--minutes above 0'),
    (['--iou', '1'], '--iou must lie between 0 and 1, got 1')])
def test_wrong_options(overfit, capsys, options, words):
    with pytest.raises(SystemExit):
        overfit.main(['a.py', *options])
    assert words in capsys.readouterr().err
