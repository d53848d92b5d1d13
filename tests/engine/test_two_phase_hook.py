"""TwoPhaseHook on a real Runner: switch, resume, EMA, iterations, copies."""

import copy
import itertools

import pytest
import torch
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.utils.data import Dataset

from mmcrack.engine.checkpoint import install_safe_loading
from mmcrack.engine.runner import CrackRunner
from mmcrack.models import CIRLHead


@DATASETS.register_module(name='FourCracks', force=True)
class FourCracks(Dataset):
    """Four seeded images with a line each."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        draw = torch.Generator().manual_seed(index)
        image = torch.randint(0, 256, (3, 32, 32), generator=draw)
        label = torch.zeros(1, 32, 32, dtype=torch.long)
        label[:, 10 + index:13 + index, 4:28] = 1
        image[:, label[0] == 1] //= 4
        sample = SegDataSample(metainfo=dict(
            img_shape=(32, 32), ori_shape=(32, 32)))
        sample.gt_sem_seg = PixelData(data=label)
        return dict(inputs=image.byte(), data_samples=sample)


NAMES = itertools.count()
HEAD = dict(
    type='FCNHead', in_channels=8, in_index=1, channels=6, num_convs=1,
    concat_input=False, num_classes=2, norm_cfg=dict(type='BN'),
    dropout_ratio=0., loss_decode=dict(type='CrossEntropyLoss'))


def config(work_dir, hook, *, epochs=4, iterations=None, **head):
    head = dict(
        dict(type='mmcrack.CIRLHead', seg_head=HEAD, std_bias=0.,
             loss_ci=dict(type='mmcrack.CILoss', num_neighbors=4)), **head)
    train = dict(type='EpochBasedTrainLoop', max_epochs=epochs)
    if iterations:
        train = dict(type='IterBasedTrainLoop', max_iters=iterations)
    return dict(
        work_dir=str(work_dir),
        default_scope='mmseg',
        model=dict(
            type='EncoderDecoder',
            data_preprocessor=dict(
                type='SegDataPreProcessor', mean=[128.] * 3, std=[64.] * 3,
                size=(32, 32), pad_val=0, seg_pad_val=255),
            backbone=dict(
                type='ResNet', depth=18, base_channels=4, stem_channels=4,
                num_stages=2, out_indices=(0, 1), strides=(1, 2),
                dilations=(1, 1), norm_cfg=dict(type='BN')),
            decode_head=head),
        train_dataloader=dict(
            dataset=dict(type='FourCracks'), batch_size=2, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True)),
        train_cfg=train,
        optim_wrapper=dict(optimizer=dict(
            type='Adam', lr=1e-2, weight_decay=.1)),
        default_hooks=dict(
            checkpoint=dict(type='CheckpointHook', interval=1,
                            by_epoch=not iterations),
            logger=dict(type='LoggerHook', interval=1)),
        custom_hooks=[dict(type='mmcrack.TwoPhaseHook', **hook)],
        randomness=dict(seed=0),
        log_level='INFO')


class Watch:
    """Remembers what each iteration saw."""

    def __init__(self, runner):
        self.seen = []
        self.head = next(m for m in runner.model.modules()
                         if isinstance(m, CIRLHead))
        original = runner.optim_wrapper.update_params
        logs = {}

        def update_params(loss, *args, **kwargs):
            original(loss, *args, **kwargs)
            logs.update(
                phase=self.head.phase, loss=loss.item(),
                std=self.head.std_head.conv.weight.detach().clone(),
                seg=self.head.seg_head.conv_seg.weight.detach().clone())
            self.seen.append(dict(logs))

        runner.optim_wrapper.update_params = update_params


def train(cfg, resume=None):
    init_default_scope('mmseg')
    # As the commands do: MMEngine alone cannot resume on every torch.
    install_safe_loading()
    cfg = copy.deepcopy(cfg)
    # Loggers of one name are shared.
    cfg['experiment_name'] = f'two_phases_{next(NAMES)}'
    if resume:
        cfg.update(load_from=str(resume), resume=True)
    runner = CrackRunner.from_cfg(cfg)
    runner.build_train_loop(cfg['train_cfg'])
    runner.optim_wrapper = runner.build_optim_wrapper(cfg['optim_wrapper'])
    watch = Watch(runner)
    runner.train()
    return runner, watch.seen


def phases(seen):
    return [one['phase'] for one in seen]


@pytest.mark.parametrize(('switch', 'wanted'), [
    (2, [1, 1, 1, 1, 2, 2, 2, 2]),
    (.25, [1, 1, 2, 2, 2, 2, 2, 2]),
    (0, [2] * 8),
    (4, [1] * 8),
])
def test_phase_of_every_iteration(switch, wanted, tmp_path):
    _, seen = train(config(tmp_path, dict(switch_at=switch)))
    assert phases(seen) == wanted


@pytest.mark.parametrize('stop', [1, 2, 3])
def test_a_resumed_run_repeats_the_run(stop, tmp_path, caplog):
    cfg = config(tmp_path, dict(switch_at=2))
    _, whole = train(cfg)
    _, rest = train(cfg, tmp_path / f'epoch_{stop}.pth')
    assert phases(rest) == phases(whole)[2 * stop:]
    for one, two in zip(rest, whole[2 * stop:], strict=True):
        assert one['loss'] == pytest.approx(two['loss'], rel=1e-5)
        torch.testing.assert_close(one['seg'], two['seg'])


def test_second_phase_leaves_the_std_head_alone(tmp_path):
    _, seen = train(config(tmp_path, dict(switch_at=2)))
    assert not torch.equal(seen[0]['std'], seen[3]['std'])
    for one in seen[4:]:
        # Weight decay alone would change it.
        assert torch.equal(one['std'], seen[3]['std'])
    assert not torch.equal(seen[4]['seg'], seen[7]['seg'])


def test_tracked_variance_goes_on_learning_alone(tmp_path):
    """The std head learns in phase II and nothing else learns from it."""
    runs = []
    for source in ('live', 'tracked'):
        cfg = config(tmp_path / source, dict(switch_at=0), std_source=source,
                     loss_ci=None, exclude_ambiguous=False)
        runs.append(train(cfg)[1])
    for one, two in zip(*runs, strict=True):
        torch.testing.assert_close(one['seg'], two['seg'])
    assert torch.equal(runs[0][0]['std'], runs[0][-1]['std'])
    assert not torch.equal(runs[1][0]['std'], runs[1][-1]['std'])


def test_progress_through_the_second_phase(tmp_path):
    init_default_scope('mmseg')
    cfg = config(tmp_path, dict(switch_at=2))
    cfg['experiment_name'] = f'two_phases_{next(NAMES)}'
    runner = CrackRunner.from_cfg(cfg)
    head = runner.model.decode_head
    original, seen = head.loss, []

    def loss(*args):
        seen.append(head.progress)
        return original(*args)

    head.loss = loss
    runner.train()
    assert seen == [0, 0, 0, 0, 0, .25, .5, .75]


def test_the_switch_is_logged_once(tmp_path):
    runner, _ = train(config(tmp_path, dict(switch_at=2)))
    logs = [p.read_text() for p in tmp_path.rglob('*.log')]
    text = '\n'.join(logs)
    assert text.count('CIRL: phase I; phase II begins with epoch 3.') == 1
    assert text.count('CIRL: phase II begins with epoch 3.') == 1
    assert 'ambiguous_share' in text
    # Each line of the log has the losses of its own phase.
    lines = [line for line in text.splitlines() if 'Epoch(train)' in line]
    assert ['loss_aseg' in line for line in lines] == [True] * 4 + [False] * 4
    assert ['loss_ci' in line for line in lines] == [False] * 4 + [True] * 4
    train(config(tmp_path / 'b', dict(switch_at=2)),
          tmp_path / 'epoch_3.pth')
    text = '\n'.join(p.read_text() for p in (tmp_path / 'b').rglob('*.log'))
    assert text.count('CIRL: phase II goes on with epoch 4.') == 1
    assert 'just skip resuming' not in text


@pytest.mark.parametrize(('hook', 'wanted'), [
    (dict(switch_at=3, by_epoch=False), [1, 1, 1, 2, 2, 2]),
    (dict(switch_at=.5, by_epoch=False), [1, 1, 1, 2, 2, 2]),
])
def test_iterations(hook, wanted, tmp_path):
    cfg = config(tmp_path, hook, iterations=6)
    _, seen = train(cfg)
    assert phases(seen) == wanted
    _, rest = train(cfg, tmp_path / 'iter_4.pth')
    assert phases(rest) == [2, 2]


def test_under_an_average_of_the_weights(tmp_path):
    cfg = config(tmp_path, dict(switch_at=2))
    cfg['custom_hooks'].append(dict(type='EMAHook'))
    _, seen = train(cfg)
    assert phases(seen) == [1, 1, 1, 1, 2, 2, 2, 2]
    _, rest = train(cfg, tmp_path / 'epoch_3.pth')
    assert phases(rest) == [2, 2]


def test_frozen_copy_is_that_of_the_switch_and_survives(tmp_path):
    cfg = config(tmp_path, dict(switch_at=2), std_source='frozen')
    runner, whole = train(cfg)
    hook = next(h for h in runner.hooks
                if type(h).__name__ == 'TwoPhaseHook')
    at_switch = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)
    assert 'mmcrack_frozen' not in at_switch
    for key, value in hook._frozen.state_dict().items():
        assert torch.equal(value, at_switch['state_dict'][key]), key
    assert not any(p.requires_grad for p in hook._frozen.parameters())
    assert not hook._frozen.training
    names = {n for n, _ in runner.model.named_parameters()}
    assert len(names) == len(at_switch['state_dict']) - sum(
        'running' in k or 'num_batches' in k for k in at_switch['state_dict'])
    runner, rest = train(cfg, tmp_path / 'epoch_3.pth')
    assert phases(rest) == [2, 2]
    hook = next(h for h in runner.hooks
                if type(h).__name__ == 'TwoPhaseHook')
    for key, value in hook._frozen.state_dict().items():
        assert torch.equal(value, at_switch['state_dict'][key]), key
    for one, two in zip(rest, whole[6:], strict=True):
        assert one['loss'] == pytest.approx(two['loss'], rel=1e-5)


def test_frozen_and_live_differ(tmp_path):
    losses = {}
    for source in ('live', 'frozen'):
        _, seen = train(config(tmp_path / source, dict(switch_at=2),
                               std_source=source,
                               variance_threshold='q0.5'))
        losses[source] = [one['loss'] for one in seen]
    assert losses['live'][:4] == losses['frozen'][:4]
    assert losses['live'][4:] != losses['frozen'][4:]


def test_a_live_checkpoint_of_phase_2_cannot_go_on_frozen(tmp_path):
    train(config(tmp_path, dict(switch_at=2)))
    cfg = config(tmp_path / 'b', dict(switch_at=2), std_source='frozen')
    with pytest.raises(ValueError, match='holds no frozen copy'):
        train(cfg, tmp_path / 'epoch_3.pth')


@pytest.mark.parametrize(('hook', 'options', 'message'), [
    (dict(switch_at=5), {}, 'lies beyond the schedule of 4 epochs'),
    (dict(switch_at=7, by_epoch=False), dict(iterations=6),
     'lies beyond the schedule of 6 iterations'),
    (dict(switch_at=2), dict(iterations=6), 'give by_epoch=False'),
])
def test_a_switch_that_never_comes_is_refused(hook, options, message,
                                              tmp_path):
    with pytest.raises(ValueError, match=message):
        train(config(tmp_path, hook, **options))


def test_a_model_without_cirl_is_refused(tmp_path):
    cfg = config(tmp_path, dict(switch_at=2))
    cfg['model']['decode_head'] = HEAD
    init_default_scope('mmseg')
    with pytest.raises(ValueError, match='finds no mmcrack.CIRLHead'):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('switch', [-1, 1.5])
def test_bad_switches_are_named(switch, tmp_path):
    with pytest.raises(ValueError, match='switch_at must be'):
        train(config(tmp_path, dict(switch_at=switch)))
