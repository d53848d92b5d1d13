"""Every config file: its form, its paper values, one loss, one prediction."""

import ast
import copy
import json
import math
import re
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmseg.datasets import DRIVEDataset
from torch import nn

import mmcrack.registry as ours
from mmcrack.datasets.crack_dataset import CrackDataset

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
ALL = sorted(CONFIGS.rglob('*.py'))
# A grid around a config, for tools/analysis/sweep.py, has no model: its own
# test is tests/tools/test_sweep.py.
SWEEPS = [p for p in ALL if re.search(r'^sweep = ', p.read_text(), re.M)]
LEAVES = [p for p in ALL if '_base_' not in p.parts and p not in SWEEPS]
NAMES = [str(p.relative_to(CONFIGS))[:-3] for p in LEAVES]
# Longer than 25 lines, and why.
LONG = {
    'cbprn/mini/cbprn_mini_cfd': 'as many iterations as on DeepCrack',
    'cbprn/mini/cbprn_mini_deepcrack': 'a schedule of its own',
    'cbprn/mini/pointrend_mini_cfd': 'another network, spelt out',
    'cbprn/mini/pointrend_mini_deepcrack': 'another network, spelt out',
    'demo/cirl_demo': 'a head wrapped, all in one place',
    'cirl/unet_crack500_360_mini': 'another folder for every split',
}
# CBPRN, Table 1: dilation, then IoU, mBA and Dice.
TABLE_1 = {
    1: (None, 85.54, 88.67, 87.31),
    2: (0, 85.98, 89.60, 87.76),
    3: (1, 86.12, 89.94, 88.03),
    4: (2, 86.49, 90.52, 88.54),
    5: (3, 85.76, 89.09, 87.50),
}
# CBPRN, Table 2: interval, then IoU, mBA and Dice (its header swaps two).
TABLE_2 = {
    1: (.2, .6, 86.53, 90.69, 88.58),
    2: (.2, .7, 86.98, 92.47, 89.12),
    3: (.2, .8, 86.49, 90.52, 88.54),
    4: (.3, .6, 86.78, 91.12, 88.80),
    5: (.3, .7, 87.23, 93.56, 89.59),
    6: (.3, .8, 86.61, 90.98, 88.91),
    7: (.4, .6, 86.51, 90.58, 88.49),
    8: (.4, .7, 86.89, 92.12, 88.99),
    9: (.4, .8, 85.89, 89.76, 87.87),
}
RENDERING = ('mmcrack.CBPRNHead', 'mmcrack.PointRendHead')
SETS = ('cfd', 'crack500', 'crack500_360', 'crackseg5k', 'cracktree200',
        'deepcrack', 'drive', 'mixed1200', 'nha12d', 'hr_concrete',
        'synthetic')


def load(name):
    return Config.fromfile(CONFIGS / f'{name}.py')


def walk(value, key=None):
    """All (key, value) pairs inside dicts and lists."""
    yield key, value
    if isinstance(value, dict):
        for k, v in value.items():
            yield from walk(v, k)
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from walk(v)


@pytest.fixture(autouse=True)
def _mmseg_scope():
    init_default_scope('mmseg')
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 (mmcv's transforms draw from it)


# --- form -------------------------------------------------------------------


def bases(path):
    """The files that a config inherits from."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            value = ast.literal_eval(node.value)
            value = [value] if isinstance(value, str) else value
            return [(path.parent / b).resolve() for b in value]
    return []


def depth(path):
    return 1 + max((depth(base) for base in bases(path)), default=0)


def test_there_is_one_leaf_for_each_row_of_the_paper():
    rows = {f'cbprn/ablation/table1_set{i}' for i in TABLE_1}
    rows |= {f'cbprn/ablation/table2_set{i}{end}'
             for i in TABLE_2 for end in ('', '_hr')}
    assert rows <= set(NAMES)
    tables = {n for n in NAMES if re.search(r'table\d_set', n)}
    assert tables == rows


@pytest.mark.parametrize('path', LEAVES, ids=NAMES)
def test_a_leaf_is_short_and_shallow(path):
    name = str(path.relative_to(CONFIGS))[:-3]
    assert path.stem.isidentifier()
    lines = len(path.read_text().splitlines())
    assert (lines > 25) == (name in LONG)
    assert lines <= 35
    assert depth(path) <= 4
    assert path.read_text().startswith('#'), 'say what it is for'


@pytest.mark.parametrize(
    'path', ALL, ids=[str(p.relative_to(CONFIGS)) for p in ALL])
def test_a_config_holds_data_and_no_path_of_a_machine(path):
    text = path.read_text()
    tree = ast.parse(text)
    for node in ast.walk(tree):
        assert not isinstance(
            node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Lambda))
        if isinstance(node, ast.Call):
            assert node.func.id == 'dict'
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.match(r'[/~\\]|[A-Za-z]:[/\\]', node.value)
    assert set(re.findall(r'\{\{\$(.*?)\}\}', text)) <= {'MMCRACK_DATA:data'}


def test_the_data_root_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv('MMCRACK_DATA', raising=False)
    assert load('cbprn/cbprn_r50_lr').data_root == 'data/mixed1200'
    monkeypatch.setenv('MMCRACK_DATA', 'elsewhere')
    dataset = load('cbprn/cbprn_r50_lr').train_dataloader.dataset
    assert dataset.data_root == 'elsewhere/mixed1200'


REGISTRIES = ('MODELS', 'TASK_UTILS', 'DATASETS', 'TRANSFORMS', 'METRICS',
              'HOOKS', 'VISUALIZERS', 'VISBACKENDS', 'LOOPS', 'OPTIMIZERS',
              'OPTIM_WRAPPERS', 'PARAM_SCHEDULERS', 'DATA_SAMPLERS',
              'WEIGHT_INITIALIZERS')


@lru_cache
def is_registered(kind):
    import mmseg.registry
    found = [
        getattr(module, name).get(kind) for name in REGISTRIES
        for module in (mmseg.registry, ours) if hasattr(module, name)
    ]
    # mmcv's and torch's layers are known to mmengine's root alone.
    return any(found) or mmseg.registry.MODELS.get(kind) is not None


@pytest.mark.parametrize('name', NAMES)
def test_every_type_exists_and_everything_of_ours_is_named_so(name):
    kinds = {v for k, v in walk(load(name).to_dict())
             if k == 'type' and isinstance(v, str)}
    assert {kind for kind in kinds if not is_registered(kind)} == set()
    own = {key for registry in (ours.MODELS, ours.TASK_UTILS, ours.DATASETS,
                                ours.TRANSFORMS, ours.METRICS, ours.HOOKS)
           for key in registry.module_dict}
    assert kinds & own == set(), 'write mmcrack.X'


def test_metafiles_name_what_exists():
    root = CONFIGS.parent
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    assert 'configs/cbprn/metafile.yml' in index['Import']
    for path in index['Import']:
        metafile = yaml.safe_load((root / path).read_text())
        collections = {c['Name'] for c in metafile['Collections']}
        for collection in metafile['Collections']:
            assert (root / collection['README']).is_file()
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            assert (root / model['Config']).stem == model['Name']
            assert (root / model['Config']).is_file()


def test_the_readme_names_every_config():
    text = (CONFIGS / 'cbprn' / 'README.md').read_text()
    named = set(re.findall(r'`([\w/]+\.py)`', text))
    for row in re.findall(r'`([\w/]+)\{1\.\.(\d)\}\.py`', text):
        named |= {f'{row[0]}{i}.py' for i in range(1, int(row[1]) + 1)}
    if '`..._hr.py`' in text:
        named |= {f'ablation/table2_set{i}_hr.py' for i in TABLE_2}
    if '`mini/*.py`' in text:
        named |= {f'{n[6:]}.py' for n in NAMES if n.startswith('cbprn/mini/')}
    there = {f'{n[6:]}.py' for n in NAMES if n.startswith('cbprn/')}
    assert there <= named
    # The text below the table calls a row by its bare name.
    assert {f'ablation/{n}' for n in named - there} <= there


# --- values of the paper ----------------------------------------------------


def test_recipe_of_the_paper():
    cfg = load('cbprn/cbprn_r50_lr')
    optimiser = cfg.optim_wrapper.optimizer
    assert optimiser.type == 'Adam'
    assert (optimiser.lr, optimiser.weight_decay) == (.01, 1e-4)
    assert optimiser.betas[0] == .9
    assert 'clip_grad' not in cfg.optim_wrapper
    assert cfg.train_cfg.max_epochs == 1000
    assert cfg.train_dataloader.batch_size == 16
    assert cfg.model.data_preprocessor.size == (256, 256)
    assert cfg.model.backbone.backbone.depth == 50
    assert cfg.model.backbone.num_modules == 3
    train = cfg.model.decode_head.train_sampler
    assert (train.ratios, train.dilation, train.area_divisor) == (
        (.3, .4, .3), 2, 20)
    test = cfg.model.decode_head.test_sampler
    assert (test.prob_range, test.max_points) == ((.3, .7), None)


def test_learning_rate_of_every_epoch():
    cfg = load('cbprn/cbprn_r50_lr')
    layer = nn.Linear(1, 1)
    wrapper = build_optim_wrapper(layer, cfg.optim_wrapper)
    schedulers = []
    for scheduler in copy.deepcopy(cfg.param_scheduler):
        scheduler.pop('convert_to_iter_based')
        scheduler.update(optimizer=wrapper)
        schedulers.append(PARAM_SCHEDULERS.build(scheduler))
    rates = []
    for _ in range(cfg.train_cfg.max_epochs):
        rates.append(wrapper.param_groups[0]['lr'])
        wrapper.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(1e-5)
    assert np.argmax(rates) in (99, 100)
    assert max(rates) == pytest.approx(.01, rel=1e-3)
    for epoch in (101, 300, 550, 900, 999):
        expected = .01 * (1 - (epoch - 100) / 899)**.9
        assert rates[epoch] == pytest.approx(expected, rel=1e-6), epoch
    warm = np.diff(rates[:99])
    assert warm.min() == pytest.approx(warm.max(), rel=1e-6)


@pytest.mark.parametrize('number', TABLE_1)
def test_rows_of_table_1(number):
    dilation, *scores = TABLE_1[number]
    name = f'cbprn/ablation/table1_set{number}'
    cfg, reference = load(name), load('cbprn/cbprn_r50_lr')
    head = cfg.model.decode_head
    if dilation is None:
        assert head.train_sampler is None
        head.train_sampler = reference.model.decode_head.train_sampler
    else:
        assert head.train_sampler.dilation == dilation
        assert head.test_sampler.prob_range == (.2, .8)
        head.train_sampler.dilation = 2
        head.test_sampler.prob_range = (.3, .7)
    assert cfg.to_dict() == reference.to_dict(), 'a row changes one thing'
    assert '{:.2f}, mBA {:.2f}, Dice {:.2f}'.format(
        *scores) in (CONFIGS / f'{name}.py').read_text()


def test_the_row_that_table_1_lacks():
    cfg = load('cbprn/ablation/table1_uniform')
    head = cfg.model.decode_head
    assert head.train_sampler == dict(
        type='mmcrack.ImportancePointSampler', importance_ratio=0.,
        area_divisor=20)
    assert head.test_sampler.prob_range == (.2, .8)


@pytest.mark.parametrize('number', TABLE_2)
@pytest.mark.parametrize('end', ['', '_hr'])
def test_rows_of_table_2(number, end):
    low, high, *scores = TABLE_2[number]
    name = f'cbprn/ablation/table2_set{number}{end}'
    cfg = load(name)
    reference = load(f'cbprn/cbprn_r50{end or "_lr"}')
    sampler = cfg.model.decode_head.test_sampler
    assert sampler.prob_range == (low, high)
    sampler.prob_range = (.3, .7)
    assert cfg.to_dict() == reference.to_dict(), 'a row changes one thing'
    assert '{:.2f}, mBA {:.2f}, Dice {:.2f}'.format(
        *scores) in (CONFIGS / f'{name}.py').read_text()


def test_the_second_stage_goes_on_with_the_first_stage_s_network():
    first, second = load('cbprn/cbprn_r50_lr'), load('cbprn/cbprn_r50_hr')
    for part in ('backbone', 'decode_head'):
        assert first.model[part] == second.model[part]
    stage = second.first_stage
    assert stage.checkpoint == 'work_dirs/cbprn_r50_lr/*.pth'
    assert (CONFIGS.parent / stage.command.split()[-1]).is_file()
    alone = load('cbprn/ablation/hr_without_finetuning')
    assert alone.model == second.model
    assert alone.first_stage is None
    assert alone.train_cfg is None
    crops = second.train_dataloader.dataset.pipeline[2].crop_size
    assert crops == (512, 512) == second.model.data_preprocessor.size


def test_rows_to_compare_share_data_points_and_schedule():
    for data in ('cfd', 'deepcrack'):
        ours, dense, pointrend = (
            load(f'cbprn/mini/{n}_mini_{data}')
            for n in ('cbprn', 'dense', 'pointrend'))
        for key in ('train_dataloader', 'test_dataloader', 'optim_wrapper',
                    'param_scheduler', 'train_cfg'):
            assert ours[key] == dense[key] == pointrend[key]
        assert pointrend.model.backbone == ours.model.backbone.backbone
        samplers = [c.model.decode_head.train_sampler.area_divisor
                    for c in (ours, pointrend)]
        assert samplers == [20, 20]
        shared = ('channels', 'context_channels', 'detail_channels',
                  'heat_channels', 'point_channels', 'num_fcs')
        for key in shared:
            assert (ours.model.decode_head[key] ==
                    pointrend.model.decode_head[key])


# --- one loss, one prediction -----------------------------------------------


@pytest.fixture(scope='session')
def tiny_sets(tmp_path_factory):
    """Every data set of the configs, with pictures of 80 x 72 pixels."""
    root = tmp_path_factory.mktemp('sets')
    rng = np.random.default_rng(0)
    splits = CONFIGS / '_base_' / 'datasets' / 'splits'
    listed = ' '.join(p.read_text() for p in splits.glob('deepcrack_*.txt'))
    for name in SETS:
        # mixed1200 is not cropped: its pictures are of the input's size.
        size = (64, 64) if name == 'mixed1200' else (72, 80)
        image = rng.integers(150, 200, (*size, 3), dtype=np.uint8)
        mask = np.zeros(size, np.uint8)
        cv2.line(mask, (0, 20), (79, 50), 1, 7)
        image[mask > 0] //= 4
        for split in ('train', 'val', 'test'):
            stems = list('abcdefgh' if name == 'crackseg5k' else 'ab')
            if name == 'deepcrack' and split == 'train':
                stems = [s for s in listed.split() if s[0] != '#']
            pictures = dict(images=image, masks=mask)
            if name == 'drive':
                pictures['fov'] = np.ones_like(mask)
            for folder, picture in pictures.items():
                place = root / name / folder / split
                place.mkdir(parents=True)
                data = cv2.imencode('.png', picture)[1].tobytes()
                for stem in stems:
                    (place / f'{stem}.png').write_bytes(data)
    (root / 'data').mkdir()
    (root / 'data' / 'demo').symlink_to(root / 'synthetic')
    return root


@lru_cache(maxsize=2)
def backbone_of(cfg):
    """Build a backbone once for all configs that share it."""
    init_default_scope('mmseg')
    return ours.MODELS.build(json.loads(cfg))


def build_model(cfg):
    """The model of a config, on crops of 64 x 64."""
    model = copy.deepcopy(cfg.model)
    model.data_preprocessor.size = (64, 64)
    if 'coarse' in model:
        model.random_coarse = True  # there is no checkpoint of it here
    backbone = backbone_of(json.dumps(model.backbone, sort_keys=True))
    # Built in its place, to be replaced: a ResNet-50 takes a second.
    model.backbone = dict(
        type='ResNet', depth=18, base_channels=2, stem_channels=2)
    model = ours.MODELS.build(model)
    model.backbone = backbone
    return model


def build_dataset(loader):
    """The data set of a loader; every crop 64 x 64."""
    dataset = copy.deepcopy(loader.dataset)
    for _, part in walk(dataset):
        if isinstance(part, dict) and 'crop_size' in part:
            part['crop_size'] = (64, 64)
    # Packing the list for other processes costs a garbage collection.
    dataset.serialize_data = False
    return ours.DATASETS.build(dataset)


@pytest.mark.parametrize('name', NAMES)
def test_one_loss_and_one_prediction(name, tiny_sets, monkeypatch):
    monkeypatch.setenv('MMCRACK_DATA', str(tiny_sets))
    monkeypatch.chdir(tiny_sets)
    cfg = load(name)
    model = build_model(cfg)
    loader = cfg.train_dataloader or cfg.test_dataloader
    train = build_dataset(loader)
    assert isinstance(train, (CrackDataset, DRIVEDataset))
    batch = model.data_preprocessor(
        pseudo_collate([train[0], train[1]]), True)
    model.train()
    with torch.no_grad():
        loss, log = model.parse_losses(model(**batch, mode='loss'))
    assert all(value.isfinite() for value in log.values())
    if cfg.model.decode_head.type in RENDERING:
        kinds = {key.split('_')[0] for key in log if 'loss_' in key}
        dense = cfg.model.decode_head.train_sampler is None
        assert kinds == ({'decode.heat'} if dense else
                         {'decode.heat', 'decode.point'})
        # Nothing is learnt yet: losses of about log(2) each.
        assert float(loss) < 4 * len(kinds) * math.log(2)
    if cfg.optim_wrapper:
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        learnt = [id(p) for g in wrapper.param_groups for p in g['params']]
        assert len(learnt) == len(set(learnt))
        assert {id(p) for p in model.parameters()} <= set(learnt)
    test = build_dataset(cfg.test_dataloader)
    with torch.no_grad():
        results = model.eval().test_step(pseudo_collate([test[0]]))
    size = cv2.imread(test.get_data_info(0)['img_path']).shape[:2]
    assert results[0].seg_logits.data.isfinite().all()
    assert results[0].seg_logits.shape == size
    evaluator = Evaluator(copy.deepcopy(cfg.test_evaluator))
    evaluator.dataset_meta = test.metainfo
    evaluator.process(results)
    metrics = evaluator.evaluate(1)
    assert 0 <= metrics['crack/IoU'] <= 100
    assert 0 <= metrics['crack/mBA'] <= 100
    assert cfg.default_hooks.checkpoint.save_best in metrics


@pytest.mark.parametrize('name', [
    'cbprn/cbprn_r50_lr', 'cbprn/cbprn_r50_hr', 'demo/cbprn_demo',
    'cbprn/mini/cbprn_mini_cfd', 'cbprn/mini/cbprn_mini_deepcrack'])
def test_augmented_testing_sees_three_views(name, tiny_sets, monkeypatch):
    monkeypatch.setenv('MMCRACK_DATA', str(tiny_sets))
    monkeypatch.chdir(tiny_sets)
    cfg = load(name)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    views = build_dataset(cfg.test_dataloader)[0]['inputs']
    assert len(views) == 3
    assert torch.equal(views[1], views[0].flip(-1))
    assert torch.equal(views[2], views[0].flip(-2))
