"""Multiply-adds against a count by hand."""

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

CONFIG = """
custom_imports = dict(imports=['mmcrack'], allow_failed_imports=False)
default_scope = 'mmseg'
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[0, 0, 0], std=[1, 1, 1],
        test_cfg=dict(size_divisor=32)),
    backbone=dict(
        type='mmcrack.EdgeGuidedBackbone', channels=8, num_modules=1,
        num_heads=2, window_size=8, mlp_ratio=2.,
        backbone=dict(type='mmengine.TwoConvolutions')),
    decode_head=dict(
        type='mmcrack.CBPRNHead', in_channels=[8, 4, 6], channels=10,
        context_channels=12, detail_channels=3, heat_channels=5,
        point_channels=7, num_fcs=2, num_classes=2, norm_cfg=dict(type='BN')),
    auxiliary_head=dict(
        type='FCNHead', in_channels=6, in_index=2, channels=6, num_convs=0,
        concat_input=False, num_classes=2),
    train_cfg=dict(), test_cfg=dict(mode='whole'))
"""


@MODELS.register_module(force=True)
class TwoConvolutions(nn.Module):
    """Stages of 4 channels at stride 4 and of 6 at stride 8."""

    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3, 4, 1)
        self.two = nn.Conv2d(4, 6, 1, 2, bias=False)

    def forward(self, x):
        x = self.one(x)
        return x, self.two(x)


@pytest.fixture
def count(tool, tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text(CONFIG)

    def call(*options):
        parts, counts = tool('analysis/get_flops').main(
            [str(path), *map(str, options)])
        return {p.name: p for p in parts}, counts

    return call


def conv(pixels, inputs, outputs, kernel):
    return pixels * inputs * outputs * kernel**2


def test_each_part_equals_a_count_by_hand(count, capsys):
    parts, _ = count('--shape', 64, '--share', 25)
    tokens = 16 * 16
    # Per block: query, key and value; two products over windows of 64
    # tokens; projection; MLP of twice the width.
    block = tokens * (8 * 24 + 64 * (8 + 8) + 8 * 8 + 2 * 8 * 16)
    edge = (conv(32 * 32, 4, 4, 3) + conv(tokens, 4, 8, 3) + 2 * block
            + 2 * conv(tokens, 8, 8, 3))
    assert parts['edge branch'].macs == edge == 1302528
    backbone = conv(tokens, 3, 4, 3) + conv(64, 4, 6, 1)
    assert parts['backbone'].macs == backbone == 29184
    head = (conv(tokens, 4, 12, 1) + conv(64, 6, 12, 1)  # laterals
            + conv(tokens, 4, 3, 1)  # detail
            + conv(tokens, 8 + 12 + 3, 10, 3)  # fused with the edge feature
            + conv(tokens, 10, 5, 3) + conv(tokens, 5, 5, 3)  # heat map
            + conv(tokens, 5, 2, 1))
    assert parts['head'].macs == head == 725248
    points = 64 * 64 // 4
    mlp = points * ((10 + 2) * 7 + (7 + 2) * 7 + (7 + 2) * 2)
    assert parts['head: point MLP'].macs == mlp == 168960
    assert parts['auxiliary head (training only)'].macs == 0
    assert sum(p.macs for p in parts.values()) == 2225920
    text = capsys.readouterr().out
    assert '25 % of the pixels rendered' in text
    lines = {line[:32].strip(): line.split()[-3:]
             for line in text.splitlines()}
    # FLOPs are twice the multiply-adds.
    assert lines['total'][1:] == ['0.0022', '0.0045']
    assert lines['backbone'] == ['136', '0.0000', '0.0001']


def test_parameters_of_each_part(count):
    parts, _ = count('--shape', 64)
    assert parts['backbone'].params == (27 * 4 + 4) + 4 * 6 == 136
    assert parts['head: point MLP'].params == (
        (12 * 7 + 7) + (9 * 7 + 7) + (9 * 2 + 2)) == 181
    attention = 8 * 24 + 24 + 8 * 8 + 8 + 15 * 15 * 2
    block = attention + 2 * 16 + (8 * 16 + 16) + (16 * 8 + 8)
    assert parts['edge branch'].params == (
        (4 * 4 * 9 + 4) + (4 * 8 * 9 + 8) + 2 * block
        + 2 * (8 * 8 * 9 + 8) + 16)
    assert parts['auxiliary head (training only)'].params == 6 * 2 + 2


def test_points_alone_depend_on_the_share(count):
    none, few, all_ = (count('--shape', 64, '--share', share)[0]
                       for share in (0, 1, 100))
    assert none['head: point MLP'].macs == 0
    assert few['head: point MLP'].macs == 41 * 165  # round(40.96) points
    assert all_['head: point MLP'].macs == 4096 * 165
    for name in ('edge branch', 'backbone', 'head'):
        assert none[name].macs == few[name].macs == all_[name].macs


def test_images_are_padded_as_in_a_test(count, capsys):
    padded, _ = count('--shape', 40, 64)
    whole, _ = count('--shape', 64, 64)
    assert padded['backbone'].macs == whole['backbone'].macs
    assert 'Image 40 x 64 (height x width), padded to 64 x 64' in \
        capsys.readouterr().out


def test_the_last_line_is_the_figure_of_mmseg_s_tool(count, tool, capsys,
                                                     tmp_path):
    from mmengine.analysis import get_model_complexity_info
    _, counts = count('--shape', 64, '--share', 25)
    said = capsys.readouterr().out
    module = tool('analysis/get_flops')
    from mmcrack.engine.launch import load_config
    model = module.build(load_config(str(tmp_path / 'tiny.py')), 0.25)
    theirs = get_model_complexity_info(
        model, inputs=(torch.zeros(1, 3, 64, 64), ), show_table=False,
        show_arch=False)['flops']
    # Attention's own: 2 blocks, 256 tokens, windows of 64, 8 channels twice.
    attention = 2 * 256 * 64 * 16
    assert sum(counts.values()) - attention == theirs
    assert f'calls {theirs / 1e9:.4f} G' in said


def test_a_stock_network(tool, capsys, write_config):
    """The U-Net of the other tests: no edge branch, nothing rendered."""
    parts, _ = tool('analysis/get_flops').main(
        [write_config('stock'), '--shape', '48', '64'])
    names = {p.name: p for p in parts}
    assert set(names) == {'backbone', 'head'}
    pixels = 48 * 64
    assert names['head'].macs == conv(pixels, 4, 4, 3) + conv(pixels, 4, 2, 1)
    assert 'rendered' not in capsys.readouterr().out


@pytest.mark.parametrize(('options', 'words'), [
    (['--shape', 0], '--shape takes a height and a width'),
    (['--shape', 1, 2, 3], 'got [1, 2, 3]'),
    (['--share', 101], '--share takes a percentage from 0 to 100, got 101'),
])
def test_wrong_options(run, write_config, options, words):
    code, said = run('analysis/get_flops', write_config('stock'), *options)
    assert code == 2
    assert words in said
