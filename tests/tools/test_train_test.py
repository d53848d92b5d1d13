"""Train, kill, resume, test: the commands on a tiny stock network."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
import torch


def scalars(work_dir):
    """All lines of the newest log, oldest first."""
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in logs[-1].read_text().splitlines()]


def test_train_learns_saves_the_best_and_logs_to_tensorboard(trained):
    _, checkpoint, work_dir = trained
    losses = [line['loss'] for line in scalars(work_dir) if 'loss' in line]
    assert len(losses) == 8
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert len(list(work_dir.glob('best_mIoU_epoch_*.pth'))) == 1
    assert not list(work_dir.glob('*.part'))
    pytest.importorskip('tensorboard')
    assert list(work_dir.glob('*/vis_data/events.out.tfevents*'))


def test_best_is_kept_for_keys_with_a_slash(write_config, run, tmp_path):
    config = write_config(
        'slash',
        tail="val_evaluator.update(prefix='crack')\n"
        "default_hooks['checkpoint'].update(save_best='crack/mIoU',"
        " rule='greater')\ntensorboard = False")
    work_dir = tmp_path / 'slash'
    assert run('train', config, '--work-dir', work_dir, '--cfg-options',
               'train_cfg.max_epochs=1')[0] == 0
    assert (work_dir / 'best_crack_mIoU_epoch_1.pth').is_file()
    assert not list(work_dir.glob('*/vis_data/events.out.tfevents*'))


def test_killed_run_resumes_in_the_right_epoch(write_config, repository, run,
                                               tmp_path):
    config = write_config('killed')
    work_dir = tmp_path / 'killed'
    options = ['--work-dir', work_dir, '--cfg-options',
               'train_cfg.max_epochs=1000', 'train_cfg.val_interval=1000']
    elsewhere = tmp_path / 'elsewhere'
    elsewhere.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(repository / 'tools' / 'train.py'), config,
         *map(str, options)], cwd=elsewhere, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        deadline = time.time() + 120
        while not (work_dir / 'epoch_2.pth').exists():
            assert process.poll() is None
            assert time.time() < deadline
            time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    last = max(int(p.stem.split('_')[1])
               for p in work_dir.glob('epoch_*.pth'))
    newest = work_dir / f'epoch_{last}.pth'
    newest.write_bytes(newest.read_bytes()[:5000])
    good = last - 1
    assert run('train', config, '--resume', *options[:3],
               f'train_cfg.max_epochs={good + 2}',
               'train_cfg.val_interval=1000')[0] == 0
    lines = [line for line in scalars(work_dir) if 'loss' in line]
    assert [line['epoch'] for line in lines] == [good + 1] * 4 + [good + 2
                                                                  ] * 4
    assert lines[0]['iter'] == 4 * good + 1
    text = sorted(work_dir.glob('*/*.log'))[-1].read_text()
    assert f'resumed epoch: {good}, iter: {4 * good}' in text
    meta = torch.load(work_dir / f'epoch_{good + 2}.pth',
                      weights_only=False)['meta']
    assert meta['epoch'] == good + 2


def test_resume_continues_as_if_never_stopped(trained, run, tmp_path):
    config, _, whole = trained
    halves = tmp_path / 'halves'
    for options in ([], ['--resume']):
        epochs = 2 if options else 1
        assert run('train', *options, config, '--work-dir', halves,
                   '--cfg-options', f'train_cfg.max_epochs={epochs}')[0] == 0
    states = [torch.load(folder / 'epoch_2.pth',
                         weights_only=False)['state_dict']
              for folder in (whole, halves)]
    for key, value in states[0].items():
        torch.testing.assert_close(states[1][key], value)


def test_resume_of_a_named_checkpoint_and_openmmlab_habit(trained, run,
                                                          tmp_path):
    config, checkpoint, _ = trained
    for name, options in (
            ('path', ['--resume', checkpoint, '--cfg-options']),
            ('habit', ['--resume', '--cfg-options',
                       f'load_from={checkpoint}'])):
        work_dir = tmp_path / name
        assert run('train', config, '--work-dir', work_dir, *options,
                   'train_cfg.max_epochs=3')[0] == 0
        epochs = {line['epoch'] for line in scalars(work_dir)
                  if 'loss' in line}
        assert epochs == {3}


def test_amp_trains_in_half_precision(write_config, run, tmp_path):
    config = write_config('amp')
    work_dir = tmp_path / 'amp'
    assert run('train', config, '--work-dir', work_dir, '--amp',
               '--cfg-options', 'train_cfg.max_epochs=1')[0] == 0
    losses = [line['loss'] for line in scalars(work_dir) if 'loss' in line]
    assert np.isfinite(losses).all()
    dumped = (work_dir / 'amp.py').read_text()
    kind = 'AmpOptimWrapper' if torch.cuda.is_available() \
        else 'mmcrack.CPUAmpOptimWrapper'
    assert f"type='{kind}'" in dumped


def test_test_writes_predictions_for_a_list_of_metrics(trained, vary, run,
                                                       tiny_data, tmp_path):
    _, checkpoint, _ = trained
    config = vary(
        'list', "test_evaluator = [dict(type='IoUMetric', prefix='a'),\n"
        "    dict(type='IoUMetric', prefix='b', iou_metrics=['mDice'])]\n")
    out, work_dir = tmp_path / 'out', tmp_path / 'list'
    assert run('test', config, checkpoint, '--out', out, '--work-dir',
               work_dir)[0] == 0
    names = {path.stem for path in out.glob('*.png')}
    assert names == {'test_0', 'test_1', 'test_2'}
    label = cv2.imread(str(out / 'test_0.png'), cv2.IMREAD_UNCHANGED)
    assert label.shape == (48, 64)
    assert set(np.unique(label)) <= {0, 1}
    figures = json.loads(next(work_dir.glob('*/*.json')).read_text())
    assert {'a/mIoU', 'b/mDice'} <= set(figures)


def test_out_works_with_metrics_that_write_nothing(trained, vary, run,
                                                   tmp_path):
    config, checkpoint, _ = trained
    source = tmp_path / 'plain_metric.py'
    source.write_text(
        'from mmengine.evaluator import BaseMetric\n'
        'from mmengine.registry import METRICS\n'
        '@METRICS.register_module(force=True)\n'
        'class CountMetric(BaseMetric):\n'
        '    def process(self, data_batch, data_samples):\n'
        '        self.results += [1] * len(data_samples)\n'
        '    def compute_metrics(self, results):\n'
        '        return dict(count=len(results))\n')
    config = vary(
        'count', "test_evaluator = [dict(type='CountMetric')]\n"
        "custom_imports = dict(imports=['plain_metric'])\n")
    sys.path.insert(0, str(tmp_path))
    try:
        assert run('test', config, checkpoint, '--out', tmp_path / 'maps',
                   '--work-dir', tmp_path / 'count')[0] == 0
    finally:
        sys.path.remove(str(tmp_path))
    assert len(list((tmp_path / 'maps').glob('*.png'))) == 3


def test_show_dir_draws_four_panels(trained, run, tiny_data, tmp_path):
    config, checkpoint, _ = trained
    shown = tmp_path / 'pictures'
    assert run('test', config, checkpoint, '--show-dir', shown, '--work-dir',
               tmp_path / 'shown')[0] == 0
    assert sorted(p.name for p in shown.iterdir()) == [
        'test_0.png', 'test_1.png', 'test_2.png']
    picture = cv2.imread(str(shown / 'test_0.png'))[..., ::-1]
    # Four panels of 64 x 48 enlarged fourfold, captions of 24, gaps of 6.
    assert picture.shape == (24 + 4 * 48, 4 * 4 * 64 + 3 * 6, 3)
    image = cv2.imread(str(tiny_data / 'images/test/test_0.png'))[..., ::-1]
    mask = cv2.imread(str(tiny_data / 'masks/test/test_0.png'), 0) > 0
    panels = [picture[24::4, k * 262:k * 262 + 256:4] for k in range(4)]
    np.testing.assert_array_equal(panels[0], image)
    assert (panels[1][mask] == (240, 228, 66)).all()
    np.testing.assert_array_equal(panels[1][~mask], image[~mask])
    hit, miss = (panels[2] == (0, 200, 140)).all(-1), \
        (panels[2] == (70, 150, 255)).all(-1)
    np.testing.assert_array_equal(hit | miss, mask)


def test_show_dir_with_mmsegmentations_own_hook(trained, run, tmp_path):
    config, checkpoint, _ = trained
    assert run('test', config, checkpoint, '--show-dir', tmp_path / 'stock',
               '--work-dir', tmp_path / 'stock_run', '--cfg-options',
               'default_hooks.visualization.type=SegVisualizationHook',
               'default_hooks.visualization.interval=1')[0] == 0
    assert len(list(tmp_path.rglob('vis_image/test_test_*.png'))) == 3


def test_tta_runs_where_the_config_has_it(trained, vary, run, tmp_path):
    config, checkpoint, _ = trained
    code, said = run('test', config, checkpoint, '--tta', '--work-dir',
                     tmp_path / 'no')
    assert code == 2
    assert '--tta: the config has no tta_model and no tta_pipeline' in said
    config = vary('tta', """
tta_model = dict(type='SegTTAModel')
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='RandomFlip', prob=0., direction='horizontal'),
         dict(type='RandomFlip', prob=1., direction='horizontal')],
        [dict(type='LoadAnnotations')], [dict(type='PackSegInputs')]])]
""")
    assert run('test', config, checkpoint, '--tta', '--work-dir',
               tmp_path / 'tta', '--show-dir', tmp_path / 'tta_shown')[0] == 0
    assert len(list((tmp_path / 'tta_shown').iterdir())) == 3


def test_fine_tuning_starts_from_the_first_stage(trained, vary, run, tmp_path,
                                                 monkeypatch):
    _, _, work_dir = trained
    second = vary(
        'second', "first_stage = dict(checkpoint='run/best_*.pth',\n"
        "    command='python tools/train.py first.py')\n"
        'train_cfg.update(max_epochs=1)\n')
    monkeypatch.chdir(work_dir.parent)
    assert run('train', second, '--work-dir', tmp_path / 'second')[0] == 0
    log = next((tmp_path / 'second').glob('*/*.log')).read_text()
    best = next(work_dir.glob('best_*.pth')).name
    assert re.search(rf'Load checkpoint from run/{best}', log)


def test_fine_tuning_runs_without_the_first_stage(vary, run, tmp_path,
                                                  monkeypatch):
    second = vary(
        'alone', "first_stage = dict(checkpoint='nowhere/best_*.pth',\n"
        "    command='python tools/train.py first.py')\n"
        'train_cfg.update(max_epochs=1)\n')
    monkeypatch.chdir(tmp_path)
    said = []
    monkeypatch.setattr(
        'mmcrack.engine.launch.print_log',
        lambda message, **kwargs: said.append((message, kwargs['level'])))
    assert run('train', second, '--work-dir', 'alone')[0] == 0
    assert [level for _, level in said] == [30]
    assert '`python tools/train.py first.py`' in said[0][0]
    assert (tmp_path / 'alone' / 'epoch_1.pth').is_file()
