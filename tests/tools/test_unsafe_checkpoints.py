"""A checkpoint that would run code is refused at every door."""

import pytest
import torch
from tiny_heads import CBPRN, CIRL

#: Command, its arguments, and what is added to the config. ``{evil}`` is
#: the checkpoint.
DOORS = {
    'infer': ('infer', '{config} {evil} {photo} --out {out} --device cpu'),
    'export_onnx': ('export_onnx', '{config} {evil} --out {out}/net.onnx'),
    'test': ('test', '{config} {evil} --work-dir {out}'),
    'train --resume': (
        'train', '{config} --resume {evil} --work-dir {out}'),
    'train load_from': (
        'train', '{config} --work-dir {out} --cfg-options load_from={evil}'),
    'train pretrained': (
        'train', '{config} --work-dir {out} --cfg-options '
        'model.backbone.init_cfg.type=Pretrained '
        'model.backbone.init_cfg.checkpoint={evil}'),
    'compare_pictures': (
        'analysis/compare_pictures',
        '--system Net {config} {evil} --out {out} --images 1'),
    'feature_tsne': (
        'analysis/feature_tsne',
        '{config} {evil} --out {out}/tsne.png --images 1', CIRL),
    'show_ambiguity': (
        'analysis/show_ambiguity',
        '{config} {evil} --out {out} --images 1', CIRL),
    'show_points': (
        'analysis/show_points',
        '{config} --checkpoint {evil} --out {out} --num 1', CBPRN),
    'benchmark of inference': (
        'benchmark/inference',
        '--config {config} --checkpoint {evil} --image {photo}', CBPRN),
    'benchmark of tiles': (
        'benchmark/inference',
        '--tiled --config {config} --checkpoint {evil} --image {photo}'),
    'benchmark of export': (
        'benchmark/export',
        '{config}={evil} --ways torch --image {photo} --folder {out}'),
    'prune_unet': (
        'model_converters/prune_unet',
        '{config} {evil} --base-channels 2 --out {out}/small.pth '
        '--out-config {out}/small.py'),
    'strip_training': (
        'model_converters/strip_training', '{evil} {out}/stripped.pth'),
}


class Evil:
    """Creates a file while it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.mark.parametrize('door', DOORS)
def test_a_checkpoint_that_runs_code_is_refused(
        trained, vary, run, tiny_data, tmp_path, monkeypatch, door):
    monkeypatch.delenv('MMCRACK_TRUST_CHECKPOINT', raising=False)
    content = torch.load(trained[1], weights_only=False)
    victim, evil = tmp_path / 'made_by_a_pickle', tmp_path / 'evil.pth'
    content['meta']['more'] = Evil(victim)
    torch.save(content, evil)
    name, arguments, *more = DOORS[door]
    config = vary('net', more[0]) if more else trained[0]
    places = dict(config=config, evil=evil, out=tmp_path / 'out',
                  photo=tiny_data / 'images' / 'test' / 'test_0.png')
    code, said = run(name, *(a.format(**places) for a in arguments.split()))
    assert code == 2, said
    assert 'evil.pth' in said
    assert 'holds more than weights' in said
    assert 'could run code' in said
    assert 'Traceback' not in said
    assert not victim.exists()


def test_the_files_are_dangerous(tmp_path):
    """Loaded the old way the checkpoint does run its code."""
    torch.save(dict(meta=Evil(tmp_path / 'victim')), tmp_path / 'evil.pth')
    torch.load(tmp_path / 'evil.pth', weights_only=False)['meta'].close()
    assert (tmp_path / 'victim').exists()
