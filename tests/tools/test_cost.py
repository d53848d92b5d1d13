"""What a network costs, traced and counted while it runs."""

import importlib.util
import sys

import pytest
from mmengine.registry import init_default_scope


@pytest.fixture(scope='module')
def cost(repository):
    path = repository / 'tools' / 'benchmark' / 'cost.py'
    spec = importlib.util.spec_from_file_location('mmcrack_cost', path)
    module = importlib.util.module_from_spec(spec)
    sys.modules['mmcrack_cost'] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def config(repository):
    from mmcrack.engine.launch import load_config
    init_default_scope('mmseg')

    def load(name):
        return load_config(str(repository / 'configs' / f'{name}.py'), {})

    return load


@pytest.mark.parametrize('name', [
    'baselines/unet_deepcrack_mini', 'baselines/deeplabv3plus_r50_drive_mini',
    'baselines/jtfn_deepcrack_mini'
])
def test_both_ways_of_counting_agree(cost, config, name):
    cfg = config(name)
    parameters, traced = cost.cost_of(cfg, (128, 128))
    model = cost.get_flops.build(cfg, 0.05)
    image = cost.get_flops.image_for(model, (128, 128))
    ran = cost.counted_while_running(model, image) / 1e9
    assert ran == pytest.approx(traced, rel=1e-6)
    assert parameters == cost.test_parameters(model)


@pytest.mark.parametrize(('name', 'gflops'), [
    # configs/baselines/README.md
    ('baselines/deepcrack_zou_deepcrack_mini', 2.5),
    ('baselines/crackformer2_deepcrack_mini', .7),
])
def test_networks_with_unpooling_are_counted(cost, config, name, gflops):
    assert cost.cost_of(config(name), (128, 128))[1] == pytest.approx(
        gflops, abs=.1)
