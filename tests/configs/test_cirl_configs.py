"""CIRL's configs: values of the paper, what a row changes, what is named."""

import copy
import re
from itertools import product
from pathlib import Path

import pytest
from mmengine.config import Config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
FULL = ('crack500', 'cracktree200', 'drive', 'crackseg5k', 'deepcrack', 'cfd')
MINI = ('deepcrack', 'cfd', 'drive', 'crack500_360')
PAIRS = FULL + tuple(f'{name}_mini' for name in MINI)


def load(name):
    return Config.fromfile(CONFIGS / 'cirl' / f'{name}.py').to_dict()


def differences(one, two, at=''):
    """Dotted keys at which two dicts differ."""
    if isinstance(one, dict) and isinstance(two, dict):
        found = set()
        for key in {*one, *two}:
            found |= differences(
                one.get(key), two.get(key), f'{at}.{key}' if at else key)
        return found
    return set() if one == two else {at}


def differing(name, base):
    """What a leaf changes in its base, below the decode head."""
    return {key.removeprefix('model.decode_head.')
            for key in differences(load(name), load(base))}


def test_recipe_of_the_paper():
    for name in FULL:
        cfg = load(f'cirl_unet_{name}')
        head = cfg['model']['decode_head']
        optimizer = cfg['optim_wrapper']['optimizer']
        assert (optimizer['type'], optimizer['lr'],
                optimizer['weight_decay']) == ('Adam', 1e-3, 5e-4)
        assert cfg['train_cfg']['max_epochs'] == 2000
        assert cfg['custom_hooks'] == [
            dict(type='mmcrack.TwoPhaseHook', switch_at=1000)]
        loader = cfg['train_dataloader']
        assert loader['batch_size'] == 2
        steps = {step['type']: step
                 for step in loader['dataset']['pipeline']}
        assert steps['mmcrack.CrackCrop']['crop_size'] == (256, 256)
        assert steps['mmcrack.CrackCrop']['crack_prob'] == 0
        assert {'RandomFlip', 'mmcrack.RandomRotate90'} <= set(steps)
        assert 'PhotoMetricDistortion' not in steps
        assert head['loss_aseg']['variance_offset'] == .3
        assert head['variance_threshold'] == .4
        assert head['loss_ci']['num_neighbors'] == 20
        assert head['loss_ci']['loss_weight'] == .2
        assert head['marginal_kernel'] == 5


@pytest.mark.parametrize('name', PAIRS)
def test_a_twin_is_the_same_without_cirl(name):
    cirl, plain = load(f'cirl_unet_{name}'), load(f'unet_{name}')
    assert cirl['model']['decode_head']['seg_head'] == \
        plain['model']['decode_head']
    hooks = [hook for hook in cirl['custom_hooks']
             if hook['type'] != 'mmcrack.TwoPhaseHook']
    assert hooks == plain.get('custom_hooks', [])
    for cfg in (cirl, plain):
        cfg['model'].pop('decode_head')
        cfg.pop('custom_hooks', None)
    assert cirl == plain


@pytest.mark.parametrize('name', PAIRS)
def test_our_setting_is_one_setting(name):
    assert differing(f'cirl_unet_{name}_calibrated', f'cirl_unet_{name}') == {
        'variance_region', 'std_source', 'ci_warmup',
        'loss_aseg.variance_offset', 'loss_ci.loss_weight',
        'loss_ci.average_neighbors', 'loss_ci.detach_neighbors'}
    head = load(f'cirl_unet_{name}_calibrated')['model']['decode_head']
    first = load('cirl_unet_cfd_calibrated')['model']['decode_head']
    for one in (head, first):
        one.pop('seg_head')
    assert head == first


PARTS = dict(
    aseg={'custom_hooks'},
    aseg_bce={'exclude_ambiguous', 'loss_ci'},
    exclusion={'loss_ci'},
    frozen={'std_source'},
    nnclr={'loss_ci.type', 'loss_ci.num_neighbors', 'loss_ci.loss_weight'},
)


@pytest.mark.parametrize(('part', 'name'), list(product(PARTS, MINI)))
def test_a_part_changes_one_thing(part, name):
    assert differing(f'ablation/{part}_unet_{name}_mini',
                     f'cirl_unet_{name}_mini') == PARTS[part]


@pytest.mark.parametrize('name', MINI)
def test_parts_of_our_setting(name):
    ours = f'cirl_unet_{name}_mini_calibrated'
    ci = {'loss_ci', 'ci_warmup'}
    assert differing(
        f'ablation/calibrated_exclusion_unet_{name}_mini', ours) == ci
    assert differing(
        f'ablation/calibrated_aseg_bce_unet_{name}_mini',
        ours) == ci | {'exclude_ambiguous'}


def test_phase_one_alone_never_switches():
    cfg = load('ablation/table4_phase1_unet_crackseg5k')
    assert cfg['custom_hooks'][-1]['switch_at'] == \
        cfg['train_cfg']['max_epochs']
    for name in MINI:
        cfg = load(f'ablation/aseg_unet_{name}_mini')
        assert cfg['custom_hooks'][-1]['switch_at'] == \
            cfg['train_cfg']['max_iters']


@pytest.mark.parametrize('number', [1, 2, 3, 4])
def test_quarters_with_and_without_the_margin(number):
    name = f'margin_{number}_unet_crackseg5k'
    plain = load('unet_crackseg5k')
    kept = load(f'ablation/table1_with_{name}')
    dropped = load(f'ablation/table1_without_{name}')
    for cfg in (kept, dropped):
        assert cfg['train_dataloader']['dataset'].pop('part') == (number, 4)
    assert kept == plain
    head = dropped['model']['decode_head']
    assert head['seg_head'] == plain['model']['decode_head']
    assert (head['variance_threshold'], head['loss_ci']) == (0, None)
    assert dropped['custom_hooks'][0]['switch_at'] == 0


@pytest.mark.parametrize('number', [1, 2, 3, 4])
def test_quarters_on_crackformer(number):
    """All predictions of the row without the margin lack it."""
    name = f'margin_{number}_crackformer2_crackseg5k'
    kept = load(f'ablation/table1_with_{name}')
    dropped = load(f'ablation/table1_without_{name}')
    assert kept['train_dataloader']['dataset']['part'] == (number, 4)
    head = dropped['model'].pop('decode_head')
    assert head['seg_head'] == kept['model'].pop('decode_head')
    assert head['seg_head']['mask_sides']
    assert set(head['seg_head']['loss_side']) == {'side'}
    assert (head['variance_threshold'], head['loss_ci']) == (0, None)
    assert dropped.pop('custom_hooks')[0]['switch_at'] == 0
    kept.pop('custom_hooks', None)
    assert dropped == kept


def expanded(pattern):
    """All names that a pattern with braces stands for."""
    match = re.search(r'\{([^{}]*)\}', pattern)
    if not match:
        return {pattern}
    inside = match.group(1)
    numbers = re.fullmatch(r'(\d)\.\.(\d)', inside)
    if numbers:
        low, high = map(int, numbers.groups())
        choices = [str(n) for n in range(low, high + 1)]
    else:
        choices = MINI if inside == '...' else inside.split(',')
    start, end = pattern[:match.start()], pattern[match.end():]
    return set().union(*(expanded(start + c + end) for c in choices))


def test_the_readme_names_every_config_and_no_other():
    text = (CONFIGS / 'cirl' / 'README.md').read_text()
    table = text.split('| config | what |')[1].split('\n\n')[0]
    named = set().union(*(expanded(p) for p in re.findall(
        r'`([\w/{},.]+\.py)`', table)))
    there = {str(p.relative_to(CONFIGS / 'cirl'))
             for p in (CONFIGS / 'cirl').rglob('*.py')}
    assert named == there


def test_rows_of_the_results_are_configs():
    """A renamed config must not leave a row behind."""
    text = (CONFIGS / 'cirl' / 'results_mini.csv').read_text()
    rows = {line.split(',')[0] for line in text.splitlines()[1:]}
    there = {p.stem for p in (CONFIGS / 'cirl').rglob('*.py')}
    assert rows <= there


def test_differences_are_found():
    one = dict(a=dict(b=1, c=2), d=[1])
    two = copy.deepcopy(one)
    two['a']['c'], two['e'] = 3, 4
    assert differences(one, two) == {'a.c', 'e'}
