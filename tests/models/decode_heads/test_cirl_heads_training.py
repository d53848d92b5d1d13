"""Each head that CIRL is promised for, in a real network and a real run."""

import copy
import itertools

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DATASETS, MODELS
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch.utils.data import Dataset

from mmcrack.engine.checkpoint import install_safe_loading
from mmcrack.engine.optim_wrapper import CPUAmpOptimWrapper
from mmcrack.engine.runner import CrackRunner
from mmcrack.functional.regions import marginal_region

BN = dict(type='BN')
CE = dict(type='CrossEntropyLoss')
COMMON = dict(num_classes=2, norm_cfg=BN, loss_decode=CE, dropout_ratio=.1)
PYRAMID = [4, 8, 16, 32]
# Stride 8 at most: on 2 x 2 features most variances would be equal. Blocks
# that start at zero would keep some weights still in the first step.
RESNET = dict(
    type='ResNet', depth=18, base_channels=4, stem_channels=4,
    strides=(1, 2, 1, 1), dilations=(1, 1, 1, 1), norm_cfg=BN,
    norm_eval=False, zero_init_residual=False)
UNET = dict(
    type='UNet', base_channels=4, num_stages=2, strides=(1, 1),
    enc_num_convs=(1, 1), dec_num_convs=(1, ), downsamples=(True, ),
    enc_dilations=(1, 1), dec_dilations=(1, ), norm_cfg=BN)
EDGE = dict(
    type='mmcrack.EdgeGuidedBackbone', backbone=RESNET, channels=4,
    num_modules=1, num_heads=2, guide_radius=2, image_mean=[128.] * 3,
    image_std=[64.] * 3)
#: Backbone, head, and the losses of phase II beside CIRL's own.
NETWORKS = {
    'FCNHead': (RESNET, dict(
        type='FCNHead', in_channels=32, in_index=3, channels=8, num_convs=1,
        **COMMON)),
    'UPerHead': (RESNET, dict(
        type='UPerHead', in_channels=PYRAMID, in_index=[0, 1, 2, 3],
        channels=8, pool_scales=(1, 2), **COMMON)),
    'SegformerHead': (RESNET, dict(
        type='SegformerHead', in_channels=PYRAMID, in_index=[0, 1, 2, 3],
        channels=8, **COMMON)),
    'PSPHead': (RESNET, dict(
        type='PSPHead', in_channels=32, in_index=3, channels=8,
        pool_scales=(1, 2), **COMMON)),
    'DepthwiseSeparableASPPHead': (RESNET, dict(
        type='DepthwiseSeparableASPPHead', in_channels=32, in_index=3,
        channels=8, dilations=(1, 2), c1_in_channels=4, c1_channels=4,
        **COMMON)),
    'UNet + FCNHead': (UNET, dict(
        type='FCNHead', in_channels=4, in_index=1, channels=4, num_convs=1,
        concat_input=False, **COMMON)),
    'CBPRNHead': (EDGE, dict(
        type='mmcrack.CBPRNHead', in_channels=[4, *PYRAMID], channels=8,
        context_channels=8, detail_channels=4, heat_channels=4,
        point_channels=8, norm_cfg=BN)),
}
LOSSES = {'loss_ce', 'loss_ci', 'loss_std'}
BFLOAT16 = f'mmcrack.{CPUAmpOptimWrapper.__name__}'
RUNS = itertools.count()


@DATASETS.register_module(name='FourLines', force=True)
class FourLines(Dataset):
    """Four seeded pictures of 64 x 64 with a dark line and an ignored edge."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        draw = torch.Generator().manual_seed(index)
        image = torch.randint(100, 256, (3, 64, 64), generator=draw)
        label = torch.zeros(1, 64, 64, dtype=torch.long)
        label[:, 20 + 5 * index:24 + 5 * index, 4:60] = 1
        image[:, label[0] == 1] //= 4
        label[:, :4] = 255
        sample = SegDataSample(metainfo=dict(
            img_shape=(64, 64), ori_shape=(64, 64)))
        sample.gt_sem_seg = PixelData(data=label)
        return dict(inputs=image.byte(), data_samples=sample)


def network(name, **options):
    """Config of a segmentor whose head is wrapped; A is not empty."""
    backbone, head = copy.deepcopy(NETWORKS[name])
    wrapped = dict(
        type='mmcrack.CIRLHead', seg_head=head, std_weight=.1, std_bias=0.,
        variance_threshold='q0.3',
        loss_ci=dict(type='mmcrack.CILoss', num_neighbors=4))
    wrapped.update(options)
    return ConfigDict(
        type='EncoderDecoder', backbone=backbone, decode_head=wrapped,
        data_preprocessor=dict(
            type='SegDataPreProcessor', mean=[128.] * 3, std=[64.] * 3,
            size=(64, 64), pad_val=0, seg_pad_val=255),
        train_cfg=dict(), test_cfg=dict(mode='whole'))


def build(name, **options):
    model = MODELS.build(network(name, **options))
    model.init_weights()
    return model


def batch(*indices):
    items = [FourLines()[i] for i in indices]
    return dict(inputs=[x['inputs'] for x in items],
                data_samples=[x['data_samples'] for x in items])


def head_losses(model, phase):
    """Losses of the wrapped head for two pictures, as in training."""
    head = model.decode_head
    head.phase = phase
    data = model.data_preprocessor(batch(0, 2), training=True)
    inputs = model.extract_feat(data['inputs'])
    return head.loss(inputs, data['data_samples'], None)


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


@pytest.mark.parametrize('name', NETWORKS)
def test_first_phase_teaches_std_head_and_classifier(name):
    model = build(name)
    losses = head_losses(model, 1)
    # CIRL's own loss alone: that of CBPRN's points knows neither.
    losses['loss_aseg'].backward()
    head = model.decode_head
    for module in (head.std_head.conv, head.seg_head.conv_seg):
        assert module.weight.grad.abs().sum() > 0
        assert module.bias.grad.abs().sum() > 0
    first = next(model.backbone.parameters())
    assert first.grad.abs().sum() > 0
    assert 'loss_ce' not in losses


@pytest.mark.parametrize('name', NETWORKS)
def test_second_phase_parts_the_pixels(name):
    """BCE teaches nothing on A, CI teaches on A alone."""
    model = build(name)
    head = model.decode_head
    seen = {}

    def supervised(module, args):
        seen.setdefault('logits', args[0])
        seen.setdefault('kept', args[1])

    def clustered(module, args, kwargs):
        seen['features'], seen['probs'] = args

    # The points of CBPRN come later: setdefault keeps the heat map.
    bce = head.seg_head.loss_decode
    bce = bce[0] if isinstance(bce, torch.nn.ModuleList) else bce
    bce.register_forward_pre_hook(supervised)
    head.loss_ci.register_forward_pre_hook(clustered, with_kwargs=True)
    losses = head_losses(model, 2)
    label = torch.cat([FourLines()[i]['data_samples'].gt_sem_seg.data
                       for i in (0, 2)])
    ambiguous = (seen['kept'] == 255) & (label != 255)
    margin = marginal_region(label, kernel_size=5)
    # q0.3 leaves 70 % of each image's margin.
    assert (ambiguous <= margin).all()
    share = (ambiguous.sum((1, 2)) / margin.sum((1, 2))).tolist()
    assert share == pytest.approx([.7, .7], abs=.01)
    assert [len(x) for x in seen['features']] == [
        len(x) for x in seen['probs']] == ambiguous.sum((1, 2)).tolist()

    def slope(name):
        gradient = torch.autograd.grad(
            losses[name], seen['logits'], retain_graph=True)[0]
        return gradient.abs().sum(1)

    bce, ci = slope('loss_ce'), slope('loss_ci')
    assert not bce[ambiguous].any()
    assert (bce[(label != 255) & ~ambiguous] > 0).all()
    assert (ci[ambiguous] > 0).any()
    assert not ci[~ambiguous].any()
    total(losses).backward()
    std = head.std_head.conv
    assert not std.weight.grad.any()
    assert not std.bias.grad.any()
    assert head.seg_head.conv_seg.weight.grad.any()


def run_across_the_switch(name, work_dir, wrapper='OptimWrapper',
                          **options):
    """Two epochs of two iterations; what each iteration saw."""
    install_safe_loading()
    runner = CrackRunner(
        model=network(name, **options),
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=dict(type='FourLines'), batch_size=2, num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=True)),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(type=wrapper, optimizer=dict(
            type='Adam', lr=1e-3, weight_decay=5e-4)),
        default_hooks=dict(checkpoint=None),
        custom_hooks=[dict(type='mmcrack.TwoPhaseHook', switch_at=1)],
        randomness=dict(seed=0),
        default_scope='mmseg',
        experiment_name=f'cirl_heads_{next(RUNS)}')
    head = runner.model.decode_head
    seen, dtypes = [], set()
    original = runner.model.train_step
    handle = head.seg_head.conv_seg.register_forward_hook(
        lambda module, args, out: dtypes.add(out.dtype))

    def train_step(data, optim_wrapper):
        before = {n: p.detach().clone()
                  for n, p in runner.model.named_parameters()}
        logs = original(data, optim_wrapper)
        moved = {n for n, p in runner.model.named_parameters()
                 if not torch.equal(p, before[n])}
        seen.append((head.phase, dict(logs, dtypes=set(dtypes)), moved))
        dtypes.clear()
        return logs

    runner.model.train_step = train_step
    runner.train()
    handle.remove()
    return runner, seen


@pytest.mark.parametrize('name', NETWORKS)
def test_two_epochs_across_the_switch_and_the_test_after(name, tmp_path):
    runner, seen = run_across_the_switch(name, tmp_path)
    assert [phase for phase, _, _ in seen] == [1, 1, 2, 2]
    std = {'decode_head.std_head.conv.weight',
           'decode_head.std_head.conv.bias'}
    for phase, logs, moved in seen:
        assert logs.pop('dtypes') == {torch.float32}
        own = {k.removeprefix('decode.') for k in logs if 'loss' in k}
        extra = {'point_loss_ce'} if name == 'CBPRNHead' else set()
        assert own == {'loss'} | extra | (
            {'loss_aseg'} if phase == 1 else LOSSES)
        assert all(torch.isfinite(logs[k]).all() for k in logs)
        # The std head learns in phase I only, all else in both.
        every = {n for n, _ in runner.model.named_parameters()}
        assert every - moved == (set() if phase == 1 else std)
        if phase == 2:
            # Less than 70 % where variances are equal.
            assert 50 < logs['decode.ambiguous_share'].item() <= 70.5
            assert logs['decode.loss_ci'].item() != 0
    predicts_as_the_wrapped(name, runner.model)


@pytest.mark.parametrize(('name', 'options'), [
    ('UNet + FCNHead', {}),
    ('SegformerHead', dict(loss_ci=dict(
        type='mmcrack.PixelNNCLRLoss', queue_size=64))),
    ('CBPRNHead', {}),
])
def test_bfloat16_trains_through_both_phases(name, options, tmp_path):
    runs = {}
    for wrapper in ('OptimWrapper', BFLOAT16):
        runner, seen = run_across_the_switch(
            name, tmp_path / wrapper, wrapper, **options)
        runs[wrapper] = [logs for _, logs, _ in seen]
        assert [phase for phase, _, _ in seen] == [1, 1, 2, 2]
        assert all(p.dtype == torch.float32
                   for p in runner.model.parameters())
    for wide, half in zip(*runs.values(), strict=True):
        assert wide.pop('dtypes') == {torch.float32}
        assert half.pop('dtypes') == {torch.bfloat16}
        assert wide.keys() == half.keys()
        for key, value in half.items():
            assert value.dtype == torch.float32, key
            assert torch.isfinite(value).all(), key
    # The same weights and pictures: a rounding of 2^-8 apart. Points, and
    # which of them are drawn, depend on it too.
    for key in ('decode.loss_aseg', 'decode.variance_margin'):
        assert runs[BFLOAT16][0][key].item() == pytest.approx(
            runs['OptimWrapper'][0][key].item(), rel=.02)


def predicts_as_the_wrapped(name, model):
    """Equal to the plain network, which knows nothing of CIRL, bit by bit."""
    cfg = network(name)
    cfg.decode_head = cfg.decode_head.seg_head
    plain = MODELS.build(cfg)
    plain.load_state_dict({
        key.replace('decode_head.seg_head.', 'decode_head.'): value
        for key, value in model.state_dict().items()
        if '.std_head.' not in key and '.loss_ci.' not in key})
    model.eval()
    plain.eval()
    head = model.decode_head
    calls = []
    head.std_head.register_forward_hook(lambda *a: calls.append(a[2]))
    ours, theirs = (m.test_step(batch(1, 3)) for m in (model, plain))
    for a, b in zip(ours, theirs, strict=True):
        assert torch.equal(a.seg_logits.data, b.seg_logits.data)
        assert torch.equal(a.pred_sem_seg.data, b.pred_sem_seg.data)
    assert not calls
    with torch.no_grad():
        data = model.data_preprocessor(batch(1, 3))
        inputs = model.extract_feat(data['inputs'])
        metas = [x.metainfo for x in data['data_samples']]
        logits, variance = head.predict(
            inputs, metas, model.test_cfg, return_variance=True)
        assert len(calls) == 1
        wanted = torch.nn.functional.interpolate(
            calls[0], size=logits.shape[-2:], mode='bilinear',
            align_corners=head.align_corners).exp()
        assert torch.equal(logits, plain.decode_head.predict(
            plain.extract_feat(data['inputs']), metas, plain.test_cfg))
    torch.testing.assert_close(variance, wanted)
    assert variance.shape == (2, 1, 64, 64)
    assert variance.min() < variance.max()


@pytest.mark.parametrize(('head', 'message'), [
    (dict(type='SegmenterMaskTransformerHead', in_channels=8, channels=8,
          num_classes=2, num_layers=1, num_heads=2, embed_dims=8),
     'SegmenterMaskTransformerHead cannot be wrapped .* has no classifier'),
    (dict(type='mmcrack.CIRLHead', seg_head=NETWORKS['FCNHead'][1]),
     'CIRLHead cannot be wrapped by CIRLHead: it has no classifier'),
])
def test_a_head_without_classifier_is_named(head, message):
    with pytest.raises(TypeError, match=message):
        MODELS.build(dict(type='mmcrack.CIRLHead', seg_head=head))


def test_a_head_with_several_outputs_is_named():
    head = MODELS.build(dict(type='mmcrack.CIRLHead', seg_head=dict(
        type='EncHead', in_channels=[8], in_index=[0], channels=8,
        num_codes=2, **COMMON)))
    with pytest.raises(TypeError, match='EncHead cannot be wrapped .* got '
                       'tuple; .* must offer features_and_logits'):
        head.features([torch.randn(2, 8, 8, 8)])
