"""The compared systems: complete, alike but for the network, and small."""

import re
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope

import mmcrack.registry as ours

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from network_sizes import gigaflops  # noqa: E402

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
BASELINES = CONFIGS / 'baselines'
NETWORKS = ('unet', 'vgg_unet', 'toponet', 'dru', 'crackformer2', 'jtfn',
            'deepcrack_zou', 'deepcrack_liu', 'refinenet', 'fcn_r18',
            'pspnet_r50', 'deeplabv3plus_r50', 'resunet')
DATASETS = ('cracktree200', 'crack500', 'drive', 'crackseg5k', 'deepcrack')
COARSE = ('fcn_r18', 'unet', 'deeplabv3plus_r50', 'pspnet_r50', 'refinenet')
# CIRL, Table 2: P, R, F1 on CrackTree200, Crack500, DRIVE and CrackSeg5k.
TABLE_2 = {
    'unet': (79.16, 78.95, 78.42, 62.22, 68.85, 61.83,
             82.74, 80.59, 81.41, 61.49, 57.19, 56.28),
    'vgg_unet': (83.49, 80.43, 81.84, 58.18, 60.26, 51.79,
                 81.17, 82.05, 81.25, 63.21, 56.83, 55.92),
    'toponet': (81.85, 77.80, 79.03, 66.81, 62.68, 60.06,
                82.94, 80.29, 81.36, 61.39, 56.25, 57.72),
    'dru': (84.80, 77.46, 80.49, 61.94, 71.43, 62.82,
            84.36, 80.82, 82.30, 63.27, 58.28, 58.15),
    'crackformer2': (84.13, 81.93, 83.42, 69.13, 66.24, 64.75,
                     83.05, 81.19, 83.25, 66.29, 59.19, 58.83),
    'jtfn': (85.87, 82.58, 84.19, 68.81, 69.06, 65.76,
             82.71, 83.40, 82.81, 65.14, 58.33, 58.42),
}
# What a row of a table may differ in from the row of the U-Net.
OWN_RECIPE = {'resunet': {'optim_wrapper', 'param_scheduler'}}


def load(name):
    return Config.fromfile(BASELINES / f'{name}.py')


@pytest.fixture(autouse=True)
def _mmseg_scope():
    init_default_scope('mmseg')
    torch.manual_seed(0)


def test_every_network_is_there_for_every_data_set():
    wanted = {f'{n}_{d}' for n in NETWORKS for d in DATASETS}
    wanted |= {f'{n}_{d}_mini' for n in NETWORKS
               for d in ('deepcrack', 'drive')}
    wanted |= {f'pointrend_{n}_hr' for n in COARSE}
    assert wanted - {p.stem for p in BASELINES.glob('*.py')} == set()


@pytest.mark.parametrize('network', NETWORKS)
def test_a_network_is_the_same_on_every_data_set(network):
    first, *others = (load(f'{network}_{d}').model.to_dict()
                      for d in DATASETS)
    assert all(model == first for model in others)
    assert load(f'{network}_drive_mini').model == load(
        f'{network}_deepcrack_mini').model


@pytest.mark.parametrize('data', [*DATASETS, 'deepcrack_mini', 'drive_mini'])
@pytest.mark.parametrize('network', NETWORKS)
def test_rows_differ_in_the_network_alone(network, data):
    row, unet = load(f'{network}_{data}'), load(f'unet_{data}')
    own = OWN_RECIPE.get(network, set())
    for key in ('val_dataloader', 'test_dataloader', 'test_evaluator',
                'optim_wrapper', 'param_scheduler', 'train_cfg'):
        if key not in own:
            assert row[key] == unet[key], key
    loader, expected = row.train_dataloader, unet.train_dataloader
    if network == 'resunet':
        loader.dataset.pop('pipeline')
        expected.dataset.pop('pipeline')
    if data == 'deepcrack':
        # A batch of one image cannot be normalised: some drop it.
        loader.drop_last = expected.drop_last = True
    assert loader == expected


@pytest.mark.parametrize('network', TABLE_2)
def test_figures_of_the_paper_stand_in_the_rows(network):
    for i, data in enumerate(DATASETS[:4]):
        text = (BASELINES / f'{network}_{data}.py').read_text()
        text = re.sub(r'\s*\n#\s*', ' ', text)
        precision, recall, f1 = TABLE_2[network][3 * i:3 * i + 3]
        assert (f'P {precision:.2f}, R {recall:.2f}, F1 {f1:.2f}'
                in text), data


@pytest.mark.parametrize('network', NETWORKS)
def test_a_mini_is_small_and_of_the_network_s_parts(network):
    mini, full = (load(f'{network}_deepcrack{end}').model
                  for end in ('_mini', ''))
    assert mini.backbone.type == full.backbone.type
    assert mini.decode_head.type == full.decode_head.type
    assert mini.get('auxiliary_head') is None or full.auxiliary_head
    model = revert_sync_batchnorm(ours.MODELS.build(mini)).eval()
    image = torch.zeros(1, 3, 128, 128)
    cost = gigaflops(lambda: model(image, mode='tensor'), model)
    assert 0.1 < cost <= 3


def test_the_readme_names_every_config():
    text = (BASELINES / 'README.md').read_text()
    named = set()
    for pattern in re.findall(r'`([\w/{},.<>]+\.py)`', text):
        named |= expand(pattern)
    there = {str(p.relative_to(BASELINES))
             for p in BASELINES.rglob('*.py')}
    assert named == there


def expand(pattern):
    """All names that a pattern such as ``a_{b,c}.py`` stands for."""
    pattern = pattern.replace('<network>', '{' + ','.join(NETWORKS) + '}')
    pattern = pattern.replace('<dataset>', '{' + ','.join(DATASETS) + '}')
    pattern = pattern.replace('<coarse>', '{' + ','.join(COARSE) + '}')
    found = re.search(r'\{([^{}]*)\}', pattern)
    if not found:
        return {pattern}
    return set().union(*(
        expand(pattern[:found.start()] + part + pattern[found.end():])
        for part in found[1].split(',')))
