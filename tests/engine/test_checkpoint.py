"""What a checkpoint file may do, and what it may not."""

import os
import pickle
import sys

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import CheckpointLoader
from torch import nn

from mmcrack.engine import checkpoint as module
from mmcrack.engine.checkpoint import (
    CheckpointError,
    checkpoints_of,
    describe,
    install_safe_loading,
    load_checkpoint,
    load_weights,
    newest_good_checkpoint,
    state_dict_of,
)


class Call:
    """Calls a function while it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def victim(tmp_path):
    return tmp_path / 'made_by_a_pickle'


@pytest.fixture
def evil(tmp_path, victim):
    """A file that makes another file when it is unpickled."""
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict={'a': torch.ones(1)},
                    meta=Call(open, str(victim), 'w')), path)
    return path


@pytest.fixture(autouse=True)
def _as_before(monkeypatch):
    """No test leaves MMEngine's loaders or the environment changed."""
    monkeypatch.delenv('MMCRACK_TRUST_CHECKPOINT', raising=False)
    monkeypatch.setattr(CheckpointLoader, '_schemes',
                        dict(CheckpointLoader._schemes))


def save(path, **more):
    torch.save(dict(meta={}, state_dict={'a': torch.ones(1)}, optimizer={},
                    **more), path)


@pytest.mark.parametrize('gadget', [
    Call(os.system, 'touch {victim}'),
    Call(eval, "open({victim!r}, 'w')"),
    Call(exec, "open({victim!r}, 'w')"),
    Call(__import__, 'os'),
    Call(getattr, Call(__import__, 'os'), 'system'),
    # Where a general getattr would lead to every other function.
    Call(getattr, HistoryBuffer, '__init__'),
    Call(getattr, HistoryBuffer, '__subclasses__'),
    Call(getattr, np.ndarray, 'tofile'),
    Call(pickle.loads, pickle.dumps(1)),
], ids=['system', 'eval', 'exec', 'import', 'module', 'init', 'subclasses',
        'tofile', 'loads'])
@pytest.mark.parametrize('legacy', [False, True], ids=['zip', 'pickle'])
def test_no_call_gets_through(tmp_path, victim, gadget, legacy):
    function, arguments = gadget.call
    arguments = [a.format(victim=str(victim)) if isinstance(a, str) else a
                 for a in arguments]
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict={'a': torch.ones(1)},
                    meta=Call(function, *arguments)), path,
               _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError, match='could run code') as error:
        load_checkpoint(path)
    assert not victim.exists()
    assert str(error.value).count('\n') == 0
    assert 'evil.pth' in str(error.value)
    assert 'MMCRACK_TRUST_CHECKPOINT=1' in str(error.value)


def test_what_mmengine_stores_comes_back_with_its_values(tmp_path):
    hub = MessageHub('of this test')
    for value in (3., 5.):
        hub.update_scalar('train/loss', value)
    hub.update_info('best', np.float64(0.25))
    kinds = [np.float32(1.5), np.int64(7), np.bool_(True), np.uint8(200)]
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    path = tmp_path / 'own.pth'
    torch.save(dict(message_hub=hub.state_dict(), kinds=kinds, array=array,
                    state_dict={'a': torch.arange(3.)}), path)
    loaded = load_checkpoint(path)
    history, counts = loaded['message_hub']['log_scalars'][
        'train/loss'].data
    assert history.tolist() == [3., 5.]
    assert counts.tolist() == [1, 1]
    assert loaded['message_hub']['runtime_info']['best'] == 0.25
    assert loaded['kinds'] == [1.5, 7, True, 200]
    assert [type(k) for k in loaded['kinds']] == [type(k) for k in kinds]
    np.testing.assert_array_equal(loaded['array'], array)
    fresh = MessageHub('another')
    fresh.load_state_dict(loaded['message_hub'])
    assert fresh.get_scalar('train/loss').mean() == 4.


@pytest.mark.parametrize('how', ['argument', 'variable'])
def test_trust_is_possible_and_runs_the_code(evil, victim, monkeypatch, how):
    if how == 'variable':
        monkeypatch.setenv('MMCRACK_TRUST_CHECKPOINT', '1')
    load_checkpoint(evil, trust=how == 'argument')
    assert victim.exists()


def test_trust_of_zero_is_none(evil, victim, monkeypatch):
    monkeypatch.setenv('MMCRACK_TRUST_CHECKPOINT', '0')
    with pytest.raises(CheckpointError, match='could run code'):
        load_checkpoint(evil)
    assert not victim.exists()


@pytest.mark.parametrize('before', [None, '0'])
def test_torch_s_own_settings_are_as_before(evil, tmp_path, monkeypatch,
                                            before):
    name = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
    monkeypatch.delenv(name, raising=False)
    if before is not None:
        monkeypatch.setenv(name, before)
    allowed = torch.serialization.get_safe_globals()
    with pytest.raises(CheckpointError):
        load_checkpoint(evil)
    save(tmp_path / 'good.pth')
    load_checkpoint(tmp_path / 'good.pth')
    assert os.environ.get(name) == before
    assert torch.serialization.get_safe_globals() == allowed


def test_mmengine_loads_safely_after_installation(evil, victim, tmp_path):
    """``load_from``, ``resume`` and ``init_cfg`` all come this way."""
    install_safe_loading()
    install_safe_loading()
    with pytest.raises(CheckpointError, match='could run code'):
        CheckpointLoader.load_checkpoint(str(evil), 'cpu')
    assert not victim.exists()
    save(tmp_path / 'good.pth')
    loaded = CheckpointLoader.load_checkpoint(
        str(tmp_path / 'good.pth'), 'cpu')
    assert loaded['state_dict']['a'].item() == 1.


def test_pretrained_weights_of_a_config_are_loaded_safely(evil, victim):
    from mmengine.model import BaseModule
    install_safe_loading()
    part = BaseModule(init_cfg=dict(type='Pretrained', checkpoint=str(evil)))
    with pytest.raises(CheckpointError, match='could run code'):
        part.init_weights()
    assert not victim.exists()


def test_addresses_are_loaded_safely_too(evil, victim, monkeypatch):
    """Their loaders ask torch for the unsafe way and do not get it."""
    from mmengine.runner import checkpoint as engine

    def from_http(filename, map_location=None):
        return torch.load(evil, weights_only=False)

    monkeypatch.setattr(engine, 'load_from_http', from_http)
    install_safe_loading()
    with pytest.raises(CheckpointError, match='could run code'):
        CheckpointLoader.load_checkpoint('https://a.b/c.pth', 'cpu')
    assert not victim.exists()
    monkeypatch.setenv('MMCRACK_TRUST_CHECKPOINT', '1')
    CheckpointLoader.load_checkpoint('https://a.b/c.pth', 'cpu')
    assert victim.exists()


def test_weights_of_a_wrapped_model_lose_its_prefix():
    weights = {'module.a': torch.ones(1), 'b.module.c': torch.zeros(1)}
    assert set(state_dict_of(dict(state_dict=weights))) == {
        'a', 'b.module.c'}
    assert set(state_dict_of({'a': torch.ones(1)})) == {'a'}


@pytest.mark.parametrize('content', [[1], {}, dict(state_dict={}),
                                     dict(meta={}), torch.ones(1)])
def test_a_file_without_weights(content):
    with pytest.raises(CheckpointError, match='holds no weights'):
        state_dict_of(content)


def test_differences_are_counted_and_named():
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    state = {k: torch.full_like(v, 7) for k, v in model.state_dict().items()}
    del state['1.num_batches_tracked'], state['2.bias']
    state['0.weight'] = torch.ones(2, 4)
    state['head.weight'] = torch.ones(1)
    before = model[0].weight.detach().clone()
    found = load_weights(model, state)
    # 9 tensors; a counter that old files lack is not missed.
    assert found.matched == 6
    assert found.missing == ['2.bias']
    assert found.misshapen == ['0.weight: wanted (2, 3), got (2, 4)']
    assert found.extra == ['head.weight']
    assert (model[1].running_mean == 7).all()
    torch.testing.assert_close(model[0].weight.detach(), before)
    assert describe(found) == (
        '1 missing (2.bias); 1 of another shape (0.weight: wanted (2, 3), '
        'got (2, 4)); 1 not in the model (head.weight)')
    many = found._replace(missing=list('abcde'), misshapen=[], extra=[])
    assert describe(many) == '5 missing (a, b, c, ... 2 more)'
    assert describe(many._replace(missing=[])) == ''


def test_checkpoints_of_a_run_newest_first(tmp_path):
    for age, name in enumerate(['epoch_9', 'iter_50', 'epoch_10', 'best_9',
                                'epoch_1']):
        save(tmp_path / f'{name}.pth')
        os.utime(tmp_path / f'{name}.pth', (1000 + age, 1000 + age))
    names = [p.stem for p in checkpoints_of(tmp_path)]
    assert names == ['epoch_1', 'epoch_10', 'iter_50', 'epoch_9']
    # Written in the same second, the higher number is newer.
    for name in ('epoch_9', 'epoch_10'):
        os.utime(tmp_path / f'{name}.pth', (5000, 5000))
    assert [p.stem for p in checkpoints_of(tmp_path)][:2] == [
        'epoch_10', 'epoch_9']
    (tmp_path / 'last_checkpoint').write_text(
        f'/moved/from/elsewhere/epoch_9.pth{os.linesep}')
    assert checkpoints_of(tmp_path)[0].name == 'epoch_9.pth'
    (tmp_path / 'last_checkpoint').write_bytes(b'\xff\xfe\x00')
    assert checkpoints_of(tmp_path)[0].name == 'epoch_10.pth'
    assert checkpoints_of(tmp_path / 'nothing here') == []


def test_the_newest_whole_checkpoint(tmp_path):
    assert newest_good_checkpoint(tmp_path) == (None, [])
    for epoch in (1, 2, 3, 4):
        path = tmp_path / f'epoch_{epoch}.pth'
        save(path)
        os.utime(path, (epoch, epoch))
    cut = tmp_path / 'epoch_4.pth'
    cut.write_bytes(cut.read_bytes()[:400])
    os.utime(cut, (4, 4))
    torch.save(dict(meta={}, state_dict={}), tmp_path / 'epoch_3.pth')
    os.utime(tmp_path / 'epoch_3.pth', (3, 3))
    path, complaints = newest_good_checkpoint(tmp_path)
    assert path.name == 'epoch_2.pth'
    assert len(complaints) == 2
    assert 'epoch_4.pth' in complaints[0]
    assert 'is damaged' in complaints[0]
    assert "epoch_3.pth' has no optimizer." in complaints[1]


def test_nothing_whole_to_resume_from(tmp_path):
    (tmp_path / 'epoch_1.pth').write_bytes(b'')
    with pytest.raises(CheckpointError, match='can be resumed') as error:
        newest_good_checkpoint(tmp_path)
    assert 'Start anew without --resume' in str(error.value)


def test_a_run_s_evil_checkpoint_is_not_passed_over(evil, victim, tmp_path):
    save(tmp_path / 'epoch_1.pth')
    os.utime(tmp_path / 'epoch_1.pth', (1, 1))
    evil.rename(tmp_path / 'epoch_2.pth')
    with pytest.raises(CheckpointError, match='could run code'):
        newest_good_checkpoint(tmp_path)
    assert not victim.exists()


def test_files_that_are_no_checkpoint(tmp_path):
    folder = tmp_path / 'folder.pth'
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match='does not exist'):
        load_checkpoint(folder)
    text = tmp_path / 'pointer.pth'
    text.write_text('version https://git-lfs.github.com/spec/v1\n')
    with pytest.raises(CheckpointError, match='damaged, cut short or no'):
        load_checkpoint(text)


@pytest.mark.skipif(sys.platform == 'win32' or os.geteuid() == 0,
                    reason='the superuser may read everything')
def test_a_file_that_may_not_be_read(tmp_path):
    save(tmp_path / 'secret.pth')
    (tmp_path / 'secret.pth').chmod(0)
    with pytest.raises(PermissionError):
        load_checkpoint(tmp_path / 'secret.pth')


def test_the_stand_in_for_getattr_finds_the_statistics_only():
    assert module._statistic(HistoryBuffer, 'mean') is HistoryBuffer.mean
    for owner, name in ((HistoryBuffer, 'update'), (os, 'system')):
        with pytest.raises(pickle.UnpicklingError):
            module._statistic(owner, name)
