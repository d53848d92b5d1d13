"""``tools/infer.py`` and ``mmcrack infer`` as a user starts them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image


def masks(folder):
    folder = folder / 'masks'
    return {p.relative_to(folder).as_posix(): np.asarray(Image.open(p))
            for p in folder.rglob('*.png')}


@pytest.fixture
def photographs(tiny_data, tmp_path):
    """Three photographs and a text that calls itself one."""
    folder = tmp_path / 'photographs'
    shutil.copytree(tiny_data / 'images' / 'test', folder)
    (folder / 'text.jpg').write_text('no photograph')
    return folder


def start(how, *arguments, **environment):
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, *map(str, (*how, *arguments))], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='',
                 **environment))


@pytest.fixture
def infer(capsys):
    """Run the command in this process: (exit status, stdout, stderr)."""
    from mmcrack.inference.command import command

    def call(*arguments):
        code = command([str(a) for a in arguments], 'infer.py')
        return code, *capsys.readouterr()

    return call


def undecided(trained, photographs, tmp_path):
    """Shift a checkpoint so that half of the pixels are crack."""
    import torch

    from mmcrack.inference import CrackInferencer
    found = CrackInferencer(trained[0], str(trained[1]), device='cpu')(
        photographs / 'test_0.png')
    odds = torch.from_numpy(found.probability.astype(np.float32)).logit()
    content = torch.load(trained[1], weights_only=False)
    content['state_dict']['decode_head.conv_seg.bias'][1] -= odds.median()
    torch.save(content, tmp_path / 'undecided.pth')
    return tmp_path / 'undecided.pth'


def test_masks_are_those_of_a_test(trained, run, infer, photographs,
                                   tmp_path):
    """The status tells of the bad file; a test writes the same masks."""
    config, checkpoint = trained[0], undecided(trained, photographs, tmp_path)
    # Its norms look at the whole image, so it must not be padded here.
    fixed = ('--cfg-options', 'model.data_preprocessor.size=None',
             'model.data_preprocessor.size_divisor=16')
    arguments = (config, checkpoint, photographs, '--out', tmp_path / 'out',
                 '--device', 'cpu', '--tile-size', 0, *fixed)
    code, said, errors = infer(*arguments)
    assert code == 1
    assert '3 photographs done, 1 failed' in said
    assert 'text.jpg' in errors
    assert run('test', config, checkpoint, '--out', tmp_path / 'test',
               '--work-dir', tmp_path / 'work', *fixed)[0] == 0
    found = masks(tmp_path / 'out')
    assert len(found) == 3
    for name, mask in found.items():
        label = np.asarray(Image.open(tmp_path / 'test' / name))
        assert 0 < label.mean() < 1
        assert (label * 255 != mask).mean() < 1e-3
    (photographs / 'text.jpg').unlink()
    code, said, _ = infer(*arguments)
    assert code == 0
    assert '0 photographs done, 3 were done before' in said


@pytest.mark.parametrize(('arguments', 'words'), [
    (['{config}', '{checkpoint}', 'nowhere'], "'nowhere' does not exist"),
    (['nowhere.py', '{checkpoint}', '{photographs}'], "'nowhere.py' does"),
    (['{config}', 'no.pth', '{photographs}'], "'no.pth' does not exist"),
    (['{config}', '{checkpoint}', '{photographs}', '--tile-size', '100',
      '--overlap', '64'], 'tile_size must be'),
    (['{config}', '{checkpoint}', '{photographs}', '--variance'],
     'predicts no variance'),
    (['{config}', '{checkpoint}', '{photographs}', '--threshold', '2'],
     'threshold must be in'),
    (['{config}', '{checkpoint}', '{photographs}', '--out', '/proc/out'],
     'cannot be written'),
    (['{config}', '{checkpoint}', '{photographs}', '--launcher', 'slurm'],
     'needs srun'),
])
def test_wrong_use_ends_in_one_sentence(trained, infer, photographs, tmp_path,
                                        monkeypatch, arguments, words):
    monkeypatch.delenv('SLURM_PROCID', raising=False)
    known = dict(config=trained[0], checkpoint=str(trained[1]),
                 photographs=str(photographs))
    code, _, errors = infer(
        '--device', 'cpu', '--out', tmp_path / 'out',
        *(a.format(**known) for a in arguments))
    lines = [line for line in errors.splitlines() if 'error: ' in line]
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith('infer.py: error: ')
    assert words in lines[0]
    assert 'Traceback' not in errors


# --- processes --------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_process_goes_on(trained, infer, tmp_path):
    """``kill -9`` in the middle; the next run does the rest."""
    config, checkpoint, _ = trained
    folder, out = tmp_path / 'photographs', tmp_path / 'out'
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(8):
        Image.fromarray(rng.integers(0, 255, (700, 700, 3), dtype=np.uint8)
                        ).save(folder / f'{n}.png', compress_level=1)
    arguments = (config, checkpoint, folder, '--out', out, '--tile-size',
                 '128', '--overlap', '32', '--device', 'cpu')
    process = start(['-m', 'mmcrack', 'infer'], *arguments)
    end = time.monotonic() + 120
    while not (out / 'records').is_dir() and time.monotonic() < end:
        time.sleep(.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = {p.name: p.stat().st_mtime_ns
              for p in (out / 'records').glob('*.json')}
    assert 1 <= len(before) < 8
    code, said, errors = infer(*arguments)
    assert code == 0, errors
    assert f'{len(before)} were done before' in said
    assert len(masks(out)) == 8
    for name, when in before.items():
        assert (out / 'records' / name).stat().st_mtime_ns == when
    assert not list(out.rglob('.*'))


@pytest.mark.slow
def test_two_processes_do_what_one_does(trained, repository, photographs,
                                        infer, tmp_path):
    config, checkpoint, _ = trained
    one, two = tmp_path / 'one', tmp_path / 'two'
    common = ('--tile-size', '32', '--overlap', '0', '--polygons',
              '--device', 'cpu', '--cfg-options',
              'model.data_preprocessor.size=None',
              'model.data_preprocessor.size_divisor=8')
    assert infer(config, checkpoint, photographs, '--out', one,
                 *common)[0] == 1
    # One worker's share of an earlier run is missing.
    shutil.copytree(one, two)
    for name in ('test_1', 'test_2'):
        (two / 'records' / f'{name}.json').unlink()
        (two / 'masks' / f'{name}.png').unlink()
    (two / 'summary.csv').unlink()
    torchrun = ['-m', 'torch.distributed.run', '--nproc_per_node', '2',
                '--standalone', repository / 'tools' / 'infer.py']
    with start(torchrun, config, checkpoint, photographs, '--out', two,
               *common, '--launcher', 'pytorch') as workers:
        said, errors = workers.communicate(timeout=240)
    assert workers.returncode == 1, errors
    assert '2 photographs done, 1 were done before, 1 failed' in said
    assert errors.count('failed: The image') == 1
    assert (two / 'summary.csv').read_bytes() == (
        one / 'summary.csv').read_bytes()
    assert (two / 'coco.json').read_bytes() == (
        one / 'coco.json').read_bytes()
    assert masks(one).keys() == masks(two).keys()
    for name, mask in masks(one).items():
        assert (masks(two)[name] == mask).all()
    records = [json.loads((two / 'records' / f'test_{n}.json').read_text())
               for n in range(3)]
    assert all(r['figures']['width'] == 64 for r in records)


def test_usage_of_the_console_command(monkeypatch, capsys):
    from mmcrack.__main__ import command
    monkeypatch.setattr(sys, 'argv', ['mmcrack', 'infre'])
    assert command() == 2
    assert "no command 'infre'" in capsys.readouterr().err
    monkeypatch.setattr(sys, 'argv', ['mmcrack', 'infer', '--help'])
    with pytest.raises(SystemExit) as end:
        command()
    assert end.value.code == 0
    assert 'Started again it goes on' in ' '.join(
        capsys.readouterr().out.split())
