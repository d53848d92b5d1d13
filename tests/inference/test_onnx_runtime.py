"""Files that are not mmcrack's, and missing packages, end in a sentence."""

import json
import sys

import numpy as np
import pytest

from mmcrack.inference.onnx_runtime import FORMAT, KEY, OnnxSegmentor

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')
SAYS = dict(
    format=FORMAT,
    mmcrack='9.9',
    input=dict(name='image', layout='NCHW', channels='RGB', dtype='uint8',
               range=[0, 255]),
    outputs=['probability'],
    classes=['background', 'crack'],
    crack_class=1,
    threshold=0.25,
    multiple=16,
    description='weights abc')


@pytest.fixture
def write(tmp_path):
    """Write a file that says red / 255 is the probability."""
    from onnx import TensorProto, helper

    def call(says=SAYS, kind=TensorProto.UINT8, raw=None):
        sizes = ['n', 3, 'h', 'w']
        nodes = [
            helper.make_node('Cast', ['image'], ['x'], to=TensorProto.FLOAT),
            helper.make_node('Slice', ['x', 'a', 'b', 'c'], ['r']),
            helper.make_node('Squeeze', ['r', 'c'], ['s']),
            helper.make_node('Mul', ['s', 'scale'], ['probability'])]
        values = [helper.make_tensor(n, TensorProto.INT64, [1], [v])
                  for n, v in (('a', 0), ('b', 1), ('c', 1))]
        values.append(helper.make_tensor(
            'scale', TensorProto.FLOAT, [], [1 / 255]))
        graph = helper.make_graph(
            nodes, 'red',
            [helper.make_tensor_value_info('image', kind, sizes)],
            [helper.make_tensor_value_info(
                'probability', TensorProto.FLOAT, ['n', 'h', 'w'])], values)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', 18)],
            ir_version=10)
        if raw is not None or says is not None:
            helper.set_model_props(
                model, {KEY: raw if raw is not None else json.dumps(says)})
        path = tmp_path / 'net.onnx'
        onnx.save(model, path)
        return path

    return call


def test_it_reads_what_the_file_says_and_runs_it(write):
    segmentor = OnnxSegmentor(write(), threads=1)
    assert segmentor.threshold == 0.25
    assert segmentor.multiple == 16
    assert segmentor.size_divisor == 1
    assert segmentor.classes[1] == 'crack'
    assert not segmentor.has_variance
    batch = np.zeros((2, 3, 4, 5), np.uint8)
    batch[1, 0, 2, 3] = 51
    # Also a view whose memory is not in order.
    for view in (batch, batch[:, :, ::-1][:, :, ::-1],
                 np.asfortranarray(batch)):
        prob = segmentor.probabilities(view)
        assert prob.dtype == np.float32
        assert prob[1, 2, 3] == pytest.approx(0.2)
        assert prob.sum() == pytest.approx(0.2)


def test_a_file_of_somebody_else(write):
    with pytest.raises(ValueError, match="has no metadata 'mmcrack'"):
        OnnxSegmentor(write(says=None))


@pytest.mark.parametrize(('change', 'word'), [
    (dict(format=2), 'is of format 2, .* use mmcrack 9.9'),
    (dict(outputs=['probability', 'variance']), 'gives .*probability'),
    (dict(input=dict(SAYS['input'], channels='BGR')), 'BGR'),
    (dict(input=dict(SAYS['input'], name='x')), "'x'"),
])
def test_a_file_that_is_not_what_it_says(write, change, word):
    with pytest.raises(ValueError, match=word):
        OnnxSegmentor(write(dict(SAYS, **change)))


def test_a_file_with_another_input(write):
    with pytest.raises(ValueError, match=r'tensor\(float\)'):
        OnnxSegmentor(write(kind=onnx.TensorProto.FLOAT))


def test_metadata_that_lacks_something(write):
    says = {k: v for k, v in SAYS.items() if k != 'threshold'}
    with pytest.raises(ValueError, match="lacks 'threshold'"):
        OnnxSegmentor(write(says))
    for raw in ('{', '3'):
        with pytest.raises(ValueError, match='cannot be read'):
            OnnxSegmentor(write(raw=raw))


def test_what_is_no_onnx_file(tmp_path, write):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        OnnxSegmentor(tmp_path / 'none.onnx')
    (tmp_path / 'text.onnx').write_text('no network')
    with pytest.raises(ValueError, match='cannot be loaded'):
        OnnxSegmentor(tmp_path / 'text.onnx')
    whole = write().read_bytes()
    (tmp_path / 'cut.onnx').write_bytes(whole[:len(whole) // 2])
    with pytest.raises(ValueError, match='cannot be loaded|no metadata'):
        OnnxSegmentor(tmp_path / 'cut.onnx')


def test_arguments_out_of_range(write):
    path = write()
    with pytest.raises(ValueError, match='threads'):
        OnnxSegmentor(path, threads=0)
    with pytest.raises(ValueError, match='has no NoSuchProvider here: .*CPU'):
        OnnxSegmentor(path, providers=['NoSuchProvider'])


def test_onnx_runtime_is_missing(write, monkeypatch):
    path = write()
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ImportError, match="pip install onnxruntime .*'exp"):
        OnnxSegmentor(path)


def test_the_command_runs_a_file(write, photograph, tmp_path):
    from PIL import Image

    from mmcrack.inference.command import main
    image = photograph((90, 130))
    Image.fromarray(image).save(tmp_path / 'wall.png')
    path, out = write(), tmp_path / 'out'
    arguments = ['-', path, tmp_path / 'wall.png', '--out', out,
                 '--backend', 'onnxruntime', '--tile-size', 64,
                 '--overlap', 32, '--margin', 8]
    assert main([str(x) for x in arguments]) == 0
    mask = np.asarray(Image.open(out / 'masks' / 'wall.png'))
    # Crack where red / 255 is above the 0.25 that the file names.
    np.testing.assert_array_equal(mask, 255 * (image[..., 0] > 63))
    assert 0 < (mask > 0).mean() < 1


@pytest.mark.parametrize(('config', 'options', 'sentence'), [
    ('-', ['--precision', 'bf16'], '--precision is for --backend torch'),
    ('-', ['--cfg-options', 'a=1'], '--cfg-options is for --backend torch'),
    ('none.py', [], "There is no config 'none.py'"),
])
def test_options_of_torch_are_refused(write, tmp_path, config, options,
                                      sentence):
    from mmcrack.inference.command import main
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        main([config, str(write()), str(tmp_path), '--out',
              str(tmp_path / 'out'), '--backend', 'onnxruntime', *options])
