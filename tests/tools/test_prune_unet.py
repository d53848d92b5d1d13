"""tools/model_converters/prune_unet.py: what it writes trains further."""

import pytest
import torch
from mmengine.config import Config

from mmcrack.engine.checkpoint import load_checkpoint


@pytest.fixture
def prune(run, trained, tmp_path):
    """Run the command; returns (code, words, weights, config)."""

    def call(*more, config=None):
        out = tmp_path / 'small.pth', tmp_path / 'small.py'
        code, said = run('model_converters/prune_unet', config or trained[0],
                         trained[1], '--out', out[0], '--out-config', out[1],
                         *more)
        return code, said, *out

    return call


def test_the_narrow_network_loads_and_trains(prune, run, tmp_path, trained):
    code, said, weights, config = prune('--base-channels', 2)
    assert code == 0, said
    cfg = Config.fromfile(str(config))
    assert cfg.model.backbone.base_channels == 2
    assert cfg.load_from == str(weights)
    state = load_checkpoint(weights)['state_dict']
    before = load_checkpoint(trained[1])['state_dict']
    name = 'backbone.encoder.0.0.convs.0.conv.weight'
    assert state[name].shape == (2, 3, 3, 3)
    kept = [row for row in before[name] if any(
        torch.equal(row, own) for own in state[name])]
    assert len(kept) == 2
    norms = before[name].abs().sum((1, 2, 3))
    assert sorted(float(row.abs().sum()) for row in kept) == sorted(
        norms.topk(2).values.tolist())
    code, said = run('train', config, '--work-dir', tmp_path / 'run')
    assert code == 0, said
    trained_on = load_checkpoint(tmp_path / 'run' / 'epoch_2.pth')
    assert trained_on['state_dict'][name].shape == (2, 3, 3, 3)


def test_what_is_there_is_not_overwritten(prune, tmp_path):
    (tmp_path / 'small.py').write_text('mine')
    code, said, *_ = prune('--base-channels', 2)
    assert code == 2
    assert 'is there already' in said
    assert (tmp_path / 'small.py').read_text() == 'mine'


def test_a_width_out_of_range(prune):
    code, said, *_ = prune('--base-channels', 4)
    assert code == 2
    assert 'below the 4 of the config' in said
    assert 'Traceback' not in said
