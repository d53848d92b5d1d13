"""CoarseToFineSegmentor in a real Runner, and its two checkpoints."""

import itertools
import os

import pytest
import torch
from mmengine import runner as engine
from mmengine.config import ConfigDict
from mmengine.registry import DATASETS, init_default_scope
from tiny_coarse_to_fine import (
    build,
    coarse_config,
    collated,
    decide,
    photograph,
    whole_config,
)
from torch.utils.data import Dataset

from mmcrack.engine.checkpoint import (
    CheckpointError,
    install_safe_loading,
    load_checkpoint,
)
from mmcrack.engine.runner import CrackRunner
from mmcrack.registry import MODELS

NAMES = itertools.count()


@DATASETS.register_module(name='TwoPhotographs', force=True)
class TwoPhotographs(Dataset):
    """Two crops of photographs that are twice as large as allowed."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return photograph(32, 32, index, ori_shape=(1800, 600))


def save_coarse(folder):
    """Save weights of a coarse network, as a run does; (path, network)."""
    network = MODELS.build(ConfigDict(coarse_config()))
    decide(network)
    path = folder / 'coarse' / 'iter_7.pth'
    path.parent.mkdir()
    torch.save(dict(meta=dict(iter=7), state_dict=network.state_dict()), path)
    return path, network


@pytest.fixture
def coarse_file(tmp_path):
    """Path and network of a coarse network's checkpoint."""
    return save_coarse(tmp_path)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Runner after two iterations, its checkpoint, its coarse network.

    The coarse network's file is gone afterwards.
    """
    folder = tmp_path_factory.mktemp('trained')
    init_default_scope('mmseg')
    path, network = save_coarse(folder)
    install_safe_loading()
    runner = CrackRunner.from_cfg(dict(
        work_dir=str(folder / 'run'), default_scope='mmseg',
        experiment_name=f'coarse_to_fine_{next(NAMES)}',
        model=ConfigDict(whole_config(
            random_coarse=False, coarse_checkpoint=str(path))),
        train_dataloader=dict(
            dataset=dict(type='TwoPhotographs'), batch_size=2, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True)),
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=2),
        optim_wrapper=dict(optimizer=dict(
            type='Adam', lr=1e-2, weight_decay=.1)),
        default_hooks=dict(checkpoint=dict(
            type='CheckpointHook', interval=2)),
        randomness=dict(seed=0), log_level='WARNING'))
    runner.train()
    path.unlink()
    return runner, folder / 'run' / 'epoch_2.pth', network


def assert_same_weights(network, other):
    state = other.state_dict()
    for key, value in network.state_dict().items():
        assert torch.equal(state[key], value), key


# --- a real training --------------------------------------------------------


def test_the_coarse_network_stays_as_it_was(trained):
    runner, _, network = trained
    assert runner.iter == 2
    model = runner.model.train()
    assert any('running_mean' in key for key in network.state_dict())
    assert_same_weights(network, model.coarse)
    assert model.training
    assert not any(m.training for m in model.coarse.modules())
    # Adam keeps moments of whatever had a gradient: neither they nor decay
    # touch the coarse network.
    moved = set(runner.optim_wrapper.optimizer.state)
    assert moved == set(model.parameters()) - set(model.coarse.parameters())


def test_one_file_is_all_that_a_test_needs(trained):
    runner, path, _ = trained
    fresh = MODELS.build(whole_config(
        random_coarse=False, coarse_checkpoint='gone/*.pth'))
    state = load_checkpoint(path)['state_dict']
    fresh.load_state_dict(state)
    fresh.eval()
    runner.model.eval()
    with torch.no_grad():
        one, two = (
            model.test_step(collated(photograph(64, 96)))[0]
            for model in (runner.model, fresh))
    for name in ('seg_logits', 'coarse_seg_logits', 'coarse_sem_seg'):
        assert torch.equal(one.get(name).data, two.get(name).data)
    # Without the coarse part the file is of no use.
    part = {k: v for k, v in state.items() if not k.startswith('coarse.')}
    fresh = MODELS.build(whole_config(random_coarse=False))
    fresh.load_state_dict(part, strict=False)
    fresh.eval()
    with pytest.raises(ValueError, match='coarse network has no weights'):
        fresh.test_step(collated(photograph(64, 96)))


def test_a_resumed_run_needs_no_coarse_file(trained):
    """What a Runner does: initialise, then load by MMEngine's function."""
    _, path, network = trained
    model = MODELS.build(whole_config(
        random_coarse=False, coarse_checkpoint='gone/*.pth'))
    model.init_weights()
    engine.load_checkpoint(model, str(path))
    assert_same_weights(network, model.coarse)
    data = model.data_preprocessor(
        collated(photograph(32, 32), photograph(32, 32, 1)), True)
    assert model(**data, mode='loss')['decode.point_loss_ce'].isfinite()


# --- the coarse checkpoint --------------------------------------------------


def test_the_newest_match_is_taken(coarse_file):
    path, network = coarse_file
    older = path.with_name('iter_9.pth')
    older.write_bytes(b'older, and not even a checkpoint')
    os.utime(older, (1, 1))
    model = MODELS.build(whole_config(
        random_coarse=False, coarse_checkpoint=str(path.parent / '*.pth')))
    model.init_weights()
    assert_same_weights(network, model.coarse)


@pytest.mark.parametrize('change', ['other widths', 'other network', 'none'])
def test_a_checkpoint_of_another_network(coarse_file, change):
    path, network = coarse_file
    cfg = coarse_config()
    if change == 'other widths':
        cfg['backbone']['base_channels'] = 8
        cfg['decode_head'].update(in_channels=8)
        message = (r'is not of the coarse network: \d+ weights do not fit '
                   r'\(size mismatch for backbone')
    elif change == 'other network':
        cfg['backbone'] = dict(
            type='ResNet', depth=18, base_channels=4, stem_channels=4,
            norm_cfg=dict(type='BN'))
        cfg['decode_head'].update(in_index=0)
        message = r'weights do not fit \(backbone.conv1.weight; '
    else:
        torch.save([1, 2], path)
        message = r'do not fit \(it holds no weights but list\)'
    model = MODELS.build(whole_config(
        coarse=cfg, random_coarse=False, coarse_checkpoint=str(path)))
    with pytest.raises(ValueError, match=message):
        model.init_weights()


class Command:
    """What a stranger might put into a file."""

    def __reduce__(self):
        return print, ('the file ran code', )


def test_a_file_that_would_run_code_is_refused(coarse_file, capsys):
    path, _ = coarse_file
    torch.save(dict(state_dict=dict(a=Command())), path)
    install_safe_loading()
    model = MODELS.build(whole_config(
        random_coarse=False, coarse_checkpoint=str(path)))
    with pytest.raises(CheckpointError, match='could run code'):
        model.init_weights()
    assert 'the file ran code' not in capsys.readouterr().out


@pytest.mark.parametrize('channels', [1, 2])
def test_a_coarse_network_that_cirl_trained(tmp_path, channels):
    cfg = coarse_config(channels)
    cfg['decode_head'] = dict(
        type='mmcrack.CIRLHead', seg_head=cfg['decode_head'])
    network = MODELS.build(ConfigDict(cfg))
    decide(network)
    network.eval()
    path = tmp_path / 'cirl.pth'
    state = network.state_dict()
    assert any('std_head' in key for key in state)
    torch.save(dict(state_dict=state), path)
    model = MODELS.build(whole_config(
        coarse=cfg, random_coarse=False, coarse_checkpoint=str(path)))
    model.init_weights()
    model.eval()
    with torch.no_grad():
        expected = network.test_step(collated(photograph(45, 70)))[0]
        found = model.test_step(collated(photograph(45, 70)))[0]
    assert torch.equal(
        found.coarse_seg_logits.data, expected.seg_logits.data)


def test_auxiliary_heads_are_left_out(coarse_file):
    path, network = coarse_file
    cfg = coarse_config()
    cfg['auxiliary_head'] = dict(
        cfg['decode_head'], in_channels=8, in_index=0)
    whole = MODELS.build(ConfigDict(cfg))
    torch.save(whole.state_dict(), path)
    model = MODELS.build(whole_config(
        coarse=cfg, random_coarse=False, coarse_checkpoint=str(path)))
    model.init_weights()
    assert model.coarse_loaded
    assert model.coarse.state_dict().keys() == network.state_dict().keys()


# --- training the refinement ------------------------------------------------


@pytest.mark.parametrize('out_channels', [1, 2])
@pytest.mark.parametrize('wrapped', [False, True])
def test_every_part_of_the_refinement_learns(out_channels, wrapped):
    cfg = whole_config(out_channels)
    if wrapped:
        cfg['decode_head'] = dict(
            type='mmcrack.CIRLHead', seg_head=cfg['decode_head'],
            loss_ci=dict(type='mmcrack.CILoss', num_neighbors=4))
    model = MODELS.build(cfg).train()
    phases = (1, 2) if wrapped else (None, )
    for phase in phases:
        model.decode_head.phase = phase
        model.zero_grad()
        data = model.data_preprocessor(
            collated(photograph(32, 32), photograph(32, 32, 1)), True)
        loss, log = model.parse_losses(model(**data, mode='loss'))
        assert any('point_loss_ce' in key for key in log)
        loss.backward()
        without = {name for name, p in model.named_parameters()
                   if p.grad is None and not name.startswith('coarse.')}
        assert without == set()
    if wrapped:
        model.eval()
        with torch.no_grad():
            found = model.test_step(collated(photograph(45, 70)))[0]
        assert found.seg_logits.data.isfinite().all()


def test_refinement_learns_what_the_coarse_network_missed():
    """A coarse network without an idea: the points learn the crack."""
    model = build(head=dict(
        train_sampler=dict(
            type='mmcrack.ImportancePointSampler', num_points=200),
        subdivision_num_points=10**6))
    batch = collated(photograph(32, 32), photograph(32, 32, 1))
    truth = torch.cat([s.gt_sem_seg.data for s in batch['data_samples']])
    data = model.data_preprocessor(batch, True)
    model.train()
    optimizer = torch.optim.Adam(
        [p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(60):
        loss, _ = model.parse_losses(model(**data, mode='loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        found = model(data['inputs'], mode='predict')
    crack = torch.cat([s.pred_sem_seg.data for s in found])
    before = torch.cat([s.coarse_sem_seg.data for s in found])

    def iou(mask):
        return float(((mask == 1) & (truth == 1)).sum()
                     / ((mask == 1) | (truth == 1)).sum())

    assert iou(before) < .4
    assert iou(crack) > .8
