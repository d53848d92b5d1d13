"""A stripped CIRL checkpoint is one of the wrapped head."""

import importlib.util
import sys

import pytest
import torch
from mmengine.registry import MODELS, init_default_scope

HEAD = dict(type='FCNHead', in_channels=8, in_index=1, channels=6,
            num_convs=1, concat_input=False, num_classes=2,
            norm_cfg=dict(type='BN'))


@pytest.fixture(scope='module')
def tool(request):
    path = request.config.rootpath / 'tools/model_converters'
    spec = importlib.util.spec_from_file_location(
        'strip_training', path / 'strip_training.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def segmentor(head, kind='EncoderDecoder', **options):
    init_default_scope('mmseg')
    return MODELS.build(dict(
        type=kind,
        backbone=dict(
            type='ResNet', depth=18, base_channels=4, stem_channels=4,
            num_stages=2, out_indices=(0, 1), strides=(1, 2),
            dilations=(1, 1), norm_cfg=dict(type='BN')),
        decode_head=head, test_cfg=dict(mode='whole'), **options))


def cirl(**options):
    return dict(type='mmcrack.CIRLHead', seg_head=HEAD, **options)


@pytest.mark.parametrize('options', [
    {}, dict(loss_ci=dict(type='mmcrack.PixelNNCLRLoss', queue_size=8))])
def test_the_plain_config_loads_it_and_predicts_the_same(
        options, tool, tmp_path, capsys):
    model = segmentor(cirl(**options))
    torch.save(
        dict(meta=dict(epoch=3, cfg='x = 1'), optimizer=dict(),
             mmcrack_frozen=model.state_dict(),
             state_dict=model.state_dict()), tmp_path / 'cirl.pth')
    tool.main([str(tmp_path / 'cirl.pth'), str(tmp_path / 'plain.pth')])
    saved = torch.load(tmp_path / 'plain.pth', weights_only=True)
    assert set(saved) == {'meta', 'state_dict'}
    assert saved['meta'] == dict(epoch=3)
    plain = segmentor(HEAD)
    plain.load_state_dict(saved['state_dict'], strict=True)
    x = torch.randn(1, 3, 32, 32)
    for one in (model, plain):
        one.eval()
    with torch.no_grad():
        metas = [dict(img_shape=(32, 32))]
        assert torch.equal(plain.encode_decode(x, metas),
                           model.encode_decode(x, metas))
    assert 'tensors' in capsys.readouterr().out


def test_the_last_head_of_a_cascade(tool):
    first = dict(HEAD, in_index=0, in_channels=4)
    second = dict(type='DepthwiseSeparableFCNHead', in_channels=8,
                  channels=6, in_index=1, num_convs=1, concat_input=False,
                  num_classes=2, norm_cfg=dict(type='BN'))
    wrapped = torch.nn.Module()
    plain = torch.nn.Module()
    wrapped.decode_head = torch.nn.ModuleList([
        MODELS.build(first),
        MODELS.build(dict(type='mmcrack.CIRLHead', seg_head=second))])
    plain.decode_head = torch.nn.ModuleList(
        [MODELS.build(first), MODELS.build(second)])
    plain.load_state_dict(tool.strip(wrapped.state_dict()), strict=True)
    pairs = zip(plain.decode_head[1].state_dict().values(),
                wrapped.decode_head[1].seg_head.state_dict().values(),
                strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_another_checkpoint_is_refused(tool, tmp_path, monkeypatch, capsys):
    torch.save(dict(state_dict=segmentor(HEAD).state_dict()),
               tmp_path / 'plain.pth')
    monkeypatch.setattr(sys, 'argv', [
        'strip_training.py', str(tmp_path / 'plain.pth'),
        str(tmp_path / 'out.pth')])
    assert tool.command() == 2
    error = capsys.readouterr().err
    assert 'holds no std head' in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / 'out.pth').exists()


def test_an_existing_file_is_kept(tool, tmp_path):
    model = segmentor(cirl())
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'cirl.pth')
    (tmp_path / 'out.pth').write_text('mine')
    arguments = [str(tmp_path / 'cirl.pth'), str(tmp_path / 'out.pth')]
    with pytest.raises(FileExistsError, match='--overwrite'):
        tool.main(arguments)
    assert (tmp_path / 'out.pth').read_text() == 'mine'
    tool.main([*arguments, '--overwrite'])
    assert 'state_dict' in torch.load(tmp_path / 'out.pth')
