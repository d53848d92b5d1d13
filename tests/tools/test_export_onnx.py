"""tools/export_onnx.py: a file, its check, int8; errors in one sentence."""

import re
import sys

import cv2
import numpy as np
import pytest
import torch
from export_networks import blobs, spread

from mmcrack.engine.checkpoint import load_checkpoint
from mmcrack.inference.backend import TorchBackend
from mmcrack.inference.export_int8 import quantise
from mmcrack.inference.onnx_runtime import OnnxSegmentor

pytest.importorskip('onnx')
pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')


class Evil:
    """Creates a file while it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.fixture(scope='module')
def written(trained, tiny_data, tool, tmp_path_factory):
    """What the command wrote and said, with every option."""
    out = tmp_path_factory.mktemp('onnx') / 'net.onnx'
    # Two epochs find no crack: spread the probabilities, so that masks have
    # both classes.
    backend = TorchBackend(trained[0], trained[1], device='cpu')
    spread(backend, torch.from_numpy(blobs((48, 64), batch=2)))
    weights = load_checkpoint(trained[1])
    weights['state_dict'] = backend.model.state_dict()
    torch.save(weights, out.parent / 'spread.pth')
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr('builtins.print', lambda text: lines.append(text))
        tool('export_onnx').main([
            str(trained[0]), str(out.parent / 'spread.pth'), '--out', str(out),
            '--opset', '20', '--size-divisor', '2', '--edge', '45',
            '--check', str(tiny_data / 'images' / 'test'),
            '--int8', str(tiny_data / 'images' / 'train'),
            '--masks', str(tiny_data / 'masks' / 'test')])
    return out, '\n'.join(lines)


def test_it_checks_on_real_images_and_says_so(written):
    out, said = written
    assert sorted(p.name for p in out.parent.iterdir()) == [
        'net.int8.onnx', 'net.onnx', 'spread.pth']
    sizes = re.findall(r'\((\d+ x \d+)\): largest difference (\S+),', said)
    assert [size for size, _ in sizes] == ['45 x 45'] * 3
    assert max(float(gap) for _, gap in sizes) < 1e-4
    assert f'3 images: largest difference {max(g for _, g in sizes)}' in said
    assert f'0 of {3 * 45 * 45} pixels of another class' in said
    metadata = OnnxSegmentor(out).metadata
    assert metadata['config'] == 'trained'
    assert metadata['classes'] == ['background', 'crack']
    assert metadata['size_divisor'] == 2
    assert metadata['multiple'] == 2
    import onnx
    assert onnx.load(out).opset_import[0].version == 20


def test_int8_tells_what_it_costs(written, tiny_data):
    """F1 and IoU of one pooled count fit each other: I = F / (2 - F)."""
    out, said = written
    found = re.findall(r'F1 (\S+) %, IoU (\S+) %', said)
    assert len(found) == 3
    for f1, iou in found:
        f1, iou = float(f1) / 100, float(iou) / 100
        assert iou == pytest.approx(f1 / (2 - f1), abs=2e-4)
    small = OnnxSegmentor(out.with_suffix('.int8.onnx'))
    assert small.metadata['precision'] == 'int8'
    assert small.metadata['calibration'] == dict(method='minmax', batches=8)
    assert small.description.endswith('int8')
    big = OnnxSegmentor(out)
    path = sorted((tiny_data / 'images' / 'test').iterdir())[0]
    batch = cv2.imread(str(path))[..., ::-1].transpose(2, 0, 1)[None].copy()
    gap = np.abs(big.probabilities(batch) - small.probabilities(batch))
    assert 0 < gap.max() < 0.2
    assert gap.mean() < 0.02


def test_int8_leaves_the_last_convolution_alone(written):
    import onnx
    graph = onnx.load(written[0].with_suffix('.int8.onnx')).graph
    makers = {o: n for n in graph.node for o in n.output}
    kinds = [makers[n.input[1]].op_type if n.input[1] in makers else 'float'
             for n in graph.node if n.op_type == 'Conv']
    assert kinds[-1] == 'float'
    assert set(kinds[:-1]) == {'DequantizeLinear'}
    assert len(kinds) > 3


def test_quantising_twice_or_with_nothing_is_refused(written, tmp_path):
    out, _ = written
    with pytest.raises(ValueError, match='not of float32'):
        quantise(out.with_suffix('.int8.onnx'), tmp_path / 'x.onnx', [])
    with pytest.raises(ValueError, match='got none'):
        quantise(out, tmp_path / 'x.onnx', [])
    with pytest.raises(ValueError, match='method'):
        quantise(out, tmp_path / 'x.onnx', [], method='best')
    assert not list(tmp_path.iterdir())


@pytest.fixture
def fails(run, trained, tmp_path):
    """Run a command that must fail; return its one sentence."""

    def call(*more, config=None, checkpoint=None, out=None):
        out = out or tmp_path / 'out' / 'net.onnx'
        code, said = run('export_onnx', config or trained[0],
                         checkpoint or trained[1], '--out', out, *more)
        assert code == 2
        assert 'Traceback' not in said
        assert not list(tmp_path.glob('out/*'))
        line = said.rstrip().splitlines()[-1]
        assert line.startswith('export_onnx.py: error: ')
        return line

    return call


def test_a_checkpoint_that_runs_code_is_refused(fails, tmp_path):
    path = tmp_path / 'evil.pth'
    torch.save(dict(state_dict=Evil(tmp_path / 'owned')), path)
    assert 'could run code' in fails(checkpoint=path)
    assert not (tmp_path / 'owned').exists()


def test_files_that_are_not_there(fails, tmp_path):
    gone = tmp_path / 'gone.pth'
    assert 'gone.pth' in fails(checkpoint=gone)
    assert 'does not exist' in fails(config=tmp_path / 'gone.py')
    assert 'gone.png' in fails('--check', tmp_path / 'gone.png')
    assert 'gone.png' in fails('--int8', tmp_path / 'gone.png')


def test_a_checkpoint_of_another_network(fails, vary):
    config = vary('wide', "\nmodel['backbone']['base_channels'] = 8\n"
                  "model['decode_head']['in_channels'] = 8\n")
    assert 'not of this model' in fails(config=config)


def test_options_out_of_range(fails, tmp_path):
    assert 'must end in .onnx' in fails(out=tmp_path / 'out' / 'net.pth')
    assert 'opset must be 18 to' in fails('--opset', 11)
    assert 'size divisor' in fails('--size-divisor', 0)
    assert '--edge' in fails('--edge', 0)
    assert 'predicts no variance' in fails('--variance')


def test_a_mask_is_missing(fails, tiny_data, tmp_path):
    images = tiny_data / 'images' / 'test'
    assert 'There is no mask' in fails(
        '--check', images, '--int8', images, '--masks', tmp_path)


def test_a_size_that_the_config_fixes(fails, vary):
    config = vary('fixed', "\nmodel['data_preprocessor']['test_cfg'] = "
                  'dict(size=(64, 64))\n')
    assert '--size-divisor' in fails(config=config)


def test_a_package_is_missing(fails, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    assert "extra 'export'" in fails()
