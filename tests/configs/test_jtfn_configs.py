"""JTFN's configs: twins, the paper's values, what a row changes."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from network_sizes import gigaflops, megaparams

import mmcrack  # noqa: F401

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
SETS = ('crack500', 'cracktree200', 'drive', 'crackseg5k', 'deepcrack')
PAIRS = (*SETS, 'deepcrack_mini', 'drive_mini')
LOSSES = dict(
    focal='BinaryFocalLoss', nr_dice='NoiseRobustDiceLoss',
    cldice='SoftClDiceLoss', poly1='Poly1Loss', t_loss='RobustTLoss')


def load(name):
    return Config.fromfile(CONFIGS / f'{name}.py').to_dict()


@pytest.mark.parametrize('name', PAIRS)
def test_a_jtfn_twin_is_the_same_without_cirl(name):
    cirl, plain = load(f'cirl/cirl_jtfn_{name}'), load(
        f'baselines/jtfn_{name}')
    head = cirl['model'].pop('decode_head')
    assert head.pop('seg_head') == plain['model'].pop('decode_head')
    hooks = cirl.pop('custom_hooks')
    assert hooks.pop()['type'] == 'mmcrack.TwoPhaseHook'
    assert hooks == plain.pop('custom_hooks', [])
    assert cirl == plain
    # CIRL itself is the same as around U-Net, and so is the recipe.
    unet = load(f'cirl/cirl_unet_{name}')
    other = unet['model'].pop('decode_head')
    other.pop('seg_head')
    assert head == other
    for key in ('dataset', 'batch_size', 'sampler'):
        assert cirl['train_dataloader'][key] == unet['train_dataloader'][key]
    assert cirl['optim_wrapper'] == unet['optim_wrapper']
    assert cirl['train_cfg'] == unet['train_cfg']


@pytest.mark.parametrize(('name', 'hook', 'head'), [
    ('table4_phase1', True, set()),
    ('table5_nnclr', False, {'loss_ci'}),
    ('figure2_kl', False, {'loss_aseg'}),
])
def test_an_ablation_changes_what_its_unet_row_changes(name, hook, head):
    rows = {}
    for network in ('jtfn', 'unet'):
        base = load(f'cirl/cirl_{network}_crackseg5k')
        row = load(f'cirl/ablation/{name}_{network}_crackseg5k')
        one, two = (c['model']['decode_head'] for c in (base, row))
        assert {k for k in one if one[k] != two.get(k)} == head
        assert (base['custom_hooks'] != row['custom_hooks']) == hook
        rows[network] = [{k: two[k] for k in head}, row['custom_hooks']]
    assert rows['jtfn'] == rows['unet']


def test_the_sweep_has_the_grid_of_the_unet_sweep():
    sweep = load('cirl/ablation/sweep_jtfn_crackseg5k')['sweep']
    other = load('cirl/ablation/sweep_unet_deepcrack_mini')['sweep']
    assert sweep['parameters'] == other['parameters']
    assert sweep['base'] == '../cirl_jtfn_crackseg5k.py'


@pytest.mark.parametrize('name', LOSSES)
def test_a_loss_replaces_cross_entropy_on_all_masks_alone(name):
    row = load(f'baselines/losses/jtfn_{name}_crackseg5k')
    base = load('baselines/losses/jtfn_bce_crackseg5k')
    assert base == load('baselines/jtfn_crackseg5k')
    one, two = (c['model']['decode_head'] for c in (row, base))
    new = one.pop('loss_decode')
    assert new['type'] == f'mmcrack.{LOSSES[name]}'
    side = one['loss_side'].pop('side')
    assert side.pop('loss') == new
    assert {k: v for k, v in two['loss_side'].pop('side').items()
            if k not in ('loss', 'loss_name')} == {
                k: v for k, v in side.items() if k != 'loss_name'}
    two.pop('loss_decode')
    assert one == two
    assert ('paramwise_cfg' in row['optim_wrapper']) == (name == 't_loss')


@pytest.mark.parametrize(('name', 'size', 'mega', 'giga'), [
    ('jtfn_crackseg5k', 256, 41.93, 534.6),
    # An eighth of the widths, a quarter of the pixels.
    ('jtfn_deepcrack_mini', 128, 41.93 / 64, 534.6 / 64 / 4),
])
def test_sizes_of_the_configs(name, size, mega, giga):
    import torch
    init_default_scope('mmseg')
    cfg = load(f'baselines/{name}')['model']
    for part in ('backbone', 'decode_head'):
        cfg[part]['norm_cfg'] = dict(type='BN')
    with torch.device('meta'):
        backbone = MODELS.build(cfg['backbone']).eval()
        head = MODELS.build(cfg['decode_head']).eval()
        x = torch.empty(1, 3, size, size)
    assert megaparams(backbone, head) == pytest.approx(mega, rel=.02)
    count = gigaflops(lambda: head(backbone(x)), backbone, head)
    assert count == pytest.approx(giga, rel=.04)
    assert size == 256 or count <= 3
