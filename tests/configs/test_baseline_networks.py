"""Networks of MMSegmentation and ours: sizes, recipes and what they share."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from network_sizes import gigaflops, megaparams

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
#: Millions of parameters (auxiliary heads in it) and GFLOPs at 256 x 256.
SIZES = {
    'unet': (28.99, 101.2),
    'dru': (12.49, 79.9),
    'pspnet_r50': (48.96, 89.2),
    'deeplabv3plus_r50': (43.58, 88.0),
    # Three passes of the U-Net.
    'vgg_unet': (28.95, 3 * 96.4),
    'resunet': (71.80, 63.2),
    'fcn_r18': (12.82, 27.7),
}
pytestmark = pytest.mark.filterwarnings('ignore:VGGTopologyLoss has no')


def load(name):
    return Config.fromfile(CONFIGS / f'{name}.py')


def size_of(name, edge):
    """Parameters in millions; operations of one prediction in billions."""
    init_default_scope('mmseg')
    with torch.device('meta'):
        model = revert_sync_batchnorm(
            MODELS.build(load(f'_base_/models/{name}').model)).eval()
        image = torch.zeros(1, 3, edge, edge)
        return megaparams(model), gigaflops(
            lambda: model.decode_head(model.backbone(image)), model)


@pytest.mark.parametrize('name', SIZES)
def test_size_of_the_full_network(name):
    millions, billions = size_of(name, 256)
    assert millions == pytest.approx(SIZES[name][0], rel=.01)
    assert billions == pytest.approx(SIZES[name][1], rel=.03)


@pytest.mark.parametrize('name', SIZES)
def test_the_small_network_has_3_gflop_at_most(name):
    assert .5 < size_of(f'{name}_mini', 128)[1] <= 3


@pytest.mark.parametrize('name', [
    f'{n}{end}' for n in SIZES for end in ('', '_mini')])
def test_two_classes_nothing_to_download_and_one_preprocessor(name):
    model = load(f'_base_/models/{name}').model
    other = load('_base_/models/unet').model.data_preprocessor
    for key in ('mean', 'std', 'bgr_to_rgb', 'pad_val', 'seg_pad_val'):
        assert model.data_preprocessor[key] == other[key]
    assert model.get('pretrained') is None
    assert model.decode_head.num_classes == 2
    assert model.decode_head.out_channels == 2
    text = str(model.to_dict())
    assert 'checkpoint' not in text
    assert '://' not in text


@pytest.mark.parametrize('end', ['', '_mini'])
def test_weights_of_steps_and_scales(end):
    head = load(f'_base_/models/dru{end}').model.decode_head
    assert head.loss_side.side.weights == pytest.approx((.4**2, .4))
    head = load(f'_base_/models/vgg_unet{end}').model.decode_head
    ce, vgg = head.loss_decode
    assert (*head.loss_side.side.weights, ce.loss_weight) == pytest.approx(
        (1 / 6, 2 / 6, 3 / 6))
    assert vgg.loss_weight == pytest.approx(.1 * ce.loss_weight)
    head = load(f'_base_/models/resunet{end}').model.decode_head
    weights = [head.loss_decode[0].loss_weight, *head.loss_side.side.weights]
    assert [loss.loss_weight for loss in head.loss_decode] == weights[:1] * 2
    assert sum(weights) == pytest.approx(1)
    for above, below in zip(weights[:-1], weights[1:], strict=True):
        assert above == pytest.approx(2 * below)


@pytest.mark.parametrize('data', ['deepcrack', 'drive'])
def test_resunet_brings_its_optimiser_and_crops(data):
    ours = load(f'baselines/resunet_{data}_mini')
    unet = load(f'baselines/unet_{data}_mini')
    optimizer = ours.optim_wrapper.optimizer
    assert optimizer == dict(type='SGD', lr=.01, momentum=.99, nesterov=True,
                             weight_decay=3e-5)
    assert ours.optim_wrapper.clip_grad == dict(max_norm=12.)
    for key in ('train_cfg', 'param_scheduler', 'test_dataloader',
                'test_evaluator'):
        assert ours[key] == unet[key]
    kinds = [step.type for step in ours.train_dataloader.dataset.pipeline]
    assert ('mmcrack.IgnoreOutsideFieldOfView' in kinds) == (data == 'drive')
    assert {'mmcrack.RandomGaussianNoise', 'mmcrack.RandomGaussianBlur',
            'mmcrack.CrackCrop', 'RandomApply'} <= set(kinds)


@pytest.mark.parametrize('name', [
    'dru', 'vgg_unet', 'fcn_r18', 'pspnet_r50', 'deeplabv3plus_r50'])
@pytest.mark.parametrize('data', ['deepcrack', 'drive'])
def test_rows_beside_each_other_differ_in_the_network_alone(name, data):
    one = load(f'baselines/{name}_{data}_mini').to_dict()
    other = load(f'baselines/unet_{data}_mini').to_dict()
    mine = {'model', 'norm_cfg', 'data_preprocessor'}
    assert {k: v for k, v in one.items() if k not in mine} == {
        k: v for k, v in other.items() if k not in mine}
