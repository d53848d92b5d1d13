"""Where predictions, pictures and augmentations go in a config."""

from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmcrack.engine import outputs


def test_missing_parts_are_all_named():
    whole = dict(model=1, test_dataloader=1, test_cfg=1, test_evaluator=1)
    outputs.check_test_parts(Config(whole), 'a.py')
    with pytest.raises(ValueError, match="'a.py' cannot be tested: it has no "
                       'model, no test_cfg'):
        outputs.check_test_parts(
            Config(whole | dict(model=None, test_cfg=None)), 'a.py')


def pictures(hook, **more):
    return Config(dict(default_hooks=dict(visualization=hook), **more))


def test_our_hook_gets_the_folder():
    cfg = pictures(dict(type='mmcrack.CrackVisualizationHook'),
                   visualizer=dict(type='V'))
    outputs.enable_pictures(cfg, 'shown', False, 2.)
    assert cfg.default_hooks.visualization == dict(
        type='mmcrack.CrackVisualizationHook', draw=True, out_dir='shown')
    assert cfg.visualizer == dict(type='V')


def test_mmsegmentation_s_hook_gets_it_through_the_visualizer():
    cfg = pictures(dict(type='SegVisualizationHook'),
                   visualizer=dict(type='V'))
    outputs.enable_pictures(cfg, 'shown', True, 3.)
    assert cfg.default_hooks.visualization == dict(
        type='SegVisualizationHook', draw=True, show=True, wait_time=3.)
    assert cfg.visualizer.save_dir == 'shown'
    runner = SimpleNamespace(hooks=[])
    assert outputs.picture_folder(runner, cfg) == 'shown'


def test_pictures_need_a_hook():
    for cfg in (pictures(None), Config({})):
        with pytest.raises(ValueError, match='--show and --show-dir need'):
            outputs.enable_pictures(cfg, 'shown', False, 2.)


def test_our_pictures_are_said_to_be_where_they_were_written():
    cfg = pictures(dict(type='mmcrack.CrackVisualizationHook', draw=True))
    hooks = [SimpleNamespace(), SimpleNamespace(written_to='here')]
    assert outputs.picture_folder(SimpleNamespace(hooks=hooks), cfg) == 'here'
    # Nothing was tested, so nothing was written.
    hooks = [SimpleNamespace(written_to=None)]
    assert outputs.picture_folder(SimpleNamespace(hooks=hooks), cfg) is None


def test_augmentations_reach_every_data_set():
    inner = [dict(type='A', pipeline=['old']), dict(type='B', pipeline=[])]
    cfg = Config(dict(
        model=dict(type='M'), tta_model=dict(type='T'), tta_pipeline=['new'],
        test_dataloader=dict(dataset=dict(type='ConcatDataset', datasets=[
            inner[0], dict(type='RepeatDataset', dataset=inner[1])]))))
    outputs.enable_tta(cfg)
    first, second = cfg.test_dataloader.dataset.datasets
    assert first.pipeline == second.dataset.pipeline == ['new']
    assert cfg.model == dict(type='T', module=dict(type='M'))


@pytest.mark.parametrize('nested', [False, True])
def test_every_metric_that_writes_gets_the_folder(tmp_path, nested):
    metrics = [
        dict(type='IoUMetric'), dict(type='mmcrack.CrackMetric'),
        dict(type='mmcrack.BoundaryAccuracyMetric'),
        dict(type='CityscapesMetric', output_dir='x')]
    evaluator = dict(type='Evaluator', metrics=metrics) if nested else metrics
    cfg = Config(dict(default_scope='mmseg', test_evaluator=evaluator))
    out = str(tmp_path / 'a' / 'out')
    assert outputs.give_metrics_folder(cfg, out)
    found = cfg.test_evaluator.metrics if nested else cfg.test_evaluator
    assert [m.get('output_dir') for m in found] == [out, out, None, out]
    assert found[3].keep_results
    assert (tmp_path / 'a' / 'out').is_dir()


def test_one_metric_and_one_that_writes_nothing(tmp_path):
    cfg = Config(dict(default_scope='mmseg',
                      test_evaluator=dict(type='IoUMetric')))
    assert outputs.give_metrics_folder(cfg, str(tmp_path))
    assert cfg.test_evaluator.output_dir == str(tmp_path)
    cfg = Config(dict(default_scope='mmseg', test_evaluator=[
        dict(type='mmcrack.BoundaryAccuracyMetric')]))
    assert not outputs.give_metrics_folder(cfg, str(tmp_path))
    assert 'output_dir' not in cfg.test_evaluator[0]
