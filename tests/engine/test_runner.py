"""A checkpoint is whole or not there, whenever the run is killed."""

import pytest
import torch
from mmengine.fileio.backends import LocalBackend

from mmcrack.engine.checkpoint import install_safe_loading, load_checkpoint


@pytest.fixture
def killed(monkeypatch):
    """From now on writing stops in the middle of a file."""

    def begin():

        def put(self, obj, filepath):
            data = bytes(obj)
            with open(filepath, 'wb') as file:
                file.write(data[:len(data) // 2])
            raise KeyboardInterrupt

        monkeypatch.setattr(LocalBackend, 'put', put)
        return monkeypatch

    return begin


def names(folder):
    return sorted(p.name for p in folder.glob('*.pth*'))


def test_a_kill_while_saving_leaves_the_old_checkpoint(toy, killed, tmp_path):
    folder = tmp_path / 'toy'
    runner = toy(default_hooks=dict(checkpoint=None))
    runner.train()
    runner.save_checkpoint(str(folder), 'last.pth')
    whole = (folder / 'last.pth').read_bytes()
    assert names(folder) == ['last.pth']
    runner.model.fc.weight.data.fill_(7)
    patch = killed()
    with pytest.raises(KeyboardInterrupt):
        runner.save_checkpoint(str(folder), 'last.pth')
    assert names(folder) == ['last.pth', 'last.pth.part']
    assert (folder / 'last.pth').read_bytes() == whole
    assert 0 < (folder / 'last.pth.part').stat().st_size < len(whole)
    patch.undo()
    runner.save_checkpoint(str(folder), 'other.pth')
    assert names(folder) == ['last.pth', 'other.pth']
    state = load_checkpoint(folder / 'other.pth')['state_dict']
    assert state['fc.weight'].item() == 7


def test_hook_deletes_and_names_the_moved_files(toy, tmp_path):
    """MMEngine's own hook sees final names alone."""
    folder = tmp_path / 'toy'
    toy(epochs=4, default_hooks=dict(checkpoint=dict(
        type='CheckpointHook', interval=1, max_keep_ckpts=2))).train()
    assert names(folder) == ['epoch_3.pth', 'epoch_4.pth']
    named = (folder / 'last_checkpoint').read_text().strip()
    assert named == str(folder / 'epoch_4.pth')


def test_a_new_folder_is_made(toy, tmp_path):
    runner = toy(default_hooks=dict(checkpoint=None))
    runner.train()
    runner.save_checkpoint(str(tmp_path / 'new' / 'folder'), 'a.pth')
    assert names(tmp_path / 'new' / 'folder') == ['a.pth']


def test_resumed_run_ends_where_the_whole_one_does(toy, tmp_path):
    # As the commands do: MMEngine alone cannot resume on every torch.
    install_safe_loading()
    whole = toy(work_dir=tmp_path / 'whole', epochs=3)
    whole.train()
    toy(work_dir=tmp_path / 'parts', epochs=1).train()
    rest = toy(work_dir=tmp_path / 'parts', epochs=3, resume=True)
    rest.model.fc.weight.data.zero_()
    rest.train()
    assert rest.epoch == whole.epoch == 3
    assert rest.iter == whole.iter == 6
    for one, other in zip(rest.model.parameters(), whole.model.parameters(),
                          strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
