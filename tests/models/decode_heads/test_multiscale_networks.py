"""Both DeepCracks, CrackFormer-II and RefineNet as whole networks."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS
from network_sizes import gigaflops, megaparams

from mmcrack.models.layers.crackformer import LambdaAttention

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
BN = dict(type='BN')
CE = dict(type='CrossEntropyLoss', avg_non_ignore=True)
SIGMOID = dict(type='CrossEntropyLoss', use_sigmoid=True)
ENCODER, DECODER = (4, 8, 16, 32, 32), (4, 4, 8, 16, 32)
WIDE, BACK = (16, 32, 64, 128, 128), (16, 16, 32, 64, 128)
SEGNET = dict(type='mmcrack.SegNet', base_channels=4)
CRACKFORMER = dict(type='mmcrack.CrackFormer', base_channels=16,
                   dropout_ratio=0.)
CRACKFORMER_HEAD = dict(type='mmcrack.CrackFormerHead', channels=8,
                        in_channels=(*WIDE, *BACK, *WIDE))
RESNET = dict(
    type='ResNet', depth=18, base_channels=4, stem_channels=4, norm_cfg=BN,
    norm_eval=False, zero_init_residual=False)
NETWORKS = dict(
    deepcrack_zou=(SEGNET, dict(
        type='mmcrack.DeepCrackHead', in_channels=ENCODER + DECODER,
        channels=4, norm_cfg=BN)),
    deepcrack_zou_bare=({**SEGNET, 'norm_cfg': None}, dict(
        type='mmcrack.DeepCrackHead', in_channels=ENCODER + DECODER,
        channels=4, upsample_first=False)),
    deepcrack_liu=({**SEGNET, 'with_decoder': False}, dict(
        type='mmcrack.HEDHead', in_channels=ENCODER, align_corners=True)),
    crackformer2=(CRACKFORMER, CRACKFORMER_HEAD),
    crackformer2_quirk=({**CRACKFORMER, 'released_quirk': True},
                        CRACKFORMER_HEAD),
    refinenet=(RESNET, dict(
        type='mmcrack.RefineNetHead', in_channels=(4, 8, 16, 32),
        channels=4, align_corners=True)),
)
NAMES = list(NETWORKS)
#: As the configs have them.
MAIN = [name for name in NAMES if name.count('_') < 2 and 'quirk' not in name]


def segmentor(name, channels=2, wrap=None):
    """A tiny network; ``wrap`` adds a head around its own."""
    backbone, head = copy.deepcopy(NETWORKS[name])
    loss = CE if channels == 2 else SIGMOID
    head.update(num_classes=2, out_channels=channels, loss_decode=loss,
                threshold=.5 if channels == 1 else None,
                init_cfg=dict(type='Xavier', override=dict(name='conv_seg')))
    if head['type'] != 'mmcrack.RefineNetHead':
        head['loss_side'] = dict(side=dict(
            type='mmcrack.DeepSupervisionLoss', loss=loss,
            align_corners=head.get('align_corners', False)))
    if wrap is not None:
        head = dict(wrap, seg_head=head)
    torch.manual_seed(0)
    model = MODELS.build(dict(
        type='EncoderDecoder', backbone=backbone, decode_head=head,
        train_cfg=dict(), test_cfg=ConfigDict(mode='whole')))
    model.init_weights()
    return model


def total(losses):
    return sum(value for key, value in losses.items() if 'loss' in key)


# --- sizes ------------------------------------------------------------------

#: Millions of parameters and GFLOP at 256 x 256, one output channel: counted
#: on public code.
SIZES = dict(
    deepcrack_zou=(30.91, 273.6),
    deepcrack_liu=(14.72, 40.1),
    crackformer2=(4.96, 44.5),
    refinenet=(94.9, 114.7),
    refinenet_101=(113.9, 124.4),
)


def lambda_gigaflops(run, backbone):
    """Operations of the lambda attentions' products, which no layer does."""
    found = 0

    def count(module, inputs, output):
        nonlocal found
        keys, values = module.key_channels, output.shape[1] // 4
        per_key = module.embedding[0].numel() + 1 + 2 * module.num_heads
        found += 2 * keys * values * per_key * output[:, 0].numel()

    hooks = [m.register_forward_hook(count) for m in backbone.modules()
             if isinstance(m, LambdaAttention)]
    run()
    for hook in hooks:
        hook.remove()
    return found / 1e9


def from_config(name, **head):
    """Backbone and head of a config, without data or weights."""
    model = Config.fromfile(
        CONFIGS / '_base_' / 'models' / f'{name}.py').model
    for part in (model.backbone, model.decode_head):
        if part.get('norm_cfg'):
            part.norm_cfg = BN
    if name == 'refinenet' and head.pop('depth', None):
        model.backbone.depth = 101
    model.decode_head.update(head)
    with torch.device('meta'):
        parts = (MODELS.build(model.backbone),
                 MODELS.build(model.decode_head))
    for part in parts:
        part.eval()
    return parts


@pytest.mark.parametrize('name', SIZES)
def test_sizes_are_those_of_public_code(name):
    options = dict(norm_cfg=None) if 'refinenet' in name else {}
    if name == 'refinenet_101':
        options['depth'] = 101
    parts = from_config(name.removesuffix('_101'), out_channels=1,
                        threshold=.5, **options)
    backbone, head = parts
    image = torch.empty(1, 3, 256, 256, device='meta')

    def run():
        return head(backbone(image))

    parameters, operations = SIZES[name]
    assert megaparams(*parts) == pytest.approx(parameters, rel=.01)
    # The public figure of CrackFormer-II was counted by operation.
    counted = gigaflops(run, *parts) + lambda_gigaflops(run, backbone)
    assert counted == pytest.approx(operations, rel=.03)


@pytest.mark.parametrize('name', [
    'deepcrack_zou', 'deepcrack_liu', 'crackformer2', 'refinenet'])
def test_minis_are_small_and_of_the_same_structure(name):
    full, mini = from_config(name), from_config(f'{name}_mini')
    image = torch.empty(1, 3, 128, 128, device='meta')
    assert gigaflops(lambda: mini[1](mini[0](image)), *mini) <= 3
    for large, small in zip(full, mini, strict=True):
        assert set(large.state_dict()) == set(small.state_dict())


# --- training ---------------------------------------------------------------


@pytest.mark.parametrize(
    ('name', 'channels'), [(n, 2) for n in NAMES] + [(n, 1) for n in MAIN])
def test_every_parameter_gets_a_gradient(
        name, channels, samples, crack_label):
    model = segmentor(name, channels)
    label = crack_label(size=(48, 64))
    losses = model.loss(torch.randn(2, 3, 48, 64), samples(label))
    assert total(losses).isfinite()
    total(losses).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.isfinite().all(), key
        if parameter.dim() > 1 and 'bare' not in name:
            assert parameter.grad.any(), key


@pytest.mark.parametrize('name', MAIN)
def test_an_odd_size_is_neither_padded_nor_refused(
        name, samples, crack_label):
    model = segmentor(name)
    image, label = torch.randn(2, 3, 37, 51), crack_label(size=(37, 51))
    total(model.loss(image, samples(label))).backward()
    model.eval()
    with torch.no_grad():
        result = model.predict(image, samples(label))
    for sample in result:
        assert sample.seg_logits.data.isfinite().all()
        assert sample.pred_sem_seg.shape == (37, 51)
    # What is seen at the border is the image itself.
    with torch.no_grad():
        other = image.clone()
        other[..., -1, -1] += 9.
        changed = model.predict(other, samples(label))
    before, after = (r[0].seg_logits.data[:, -1, -1]
                     for r in (result, changed))
    assert not torch.equal(before, after)


@pytest.mark.parametrize('name', MAIN)
def test_bf16_autocast_is_close(name, samples, crack_label):
    model = segmentor(name).eval()
    image = torch.randn(2, 3, 48, 64)
    # Untrained, CrackFormer-II is ill-conditioned behind its unpooling: noise
    # of 2^-9 on the image changes the logits by more than half in float32.
    deep = 'crackformer' in name
    results = []
    for enabled in (False, True):
        with torch.no_grad(), torch.autocast(
                'cpu', dtype=torch.bfloat16, enabled=enabled):
            result = model.backbone(image)[1] if deep else model(image)
            results.append(result.float())
    exact, rounded = results
    assert (rounded - exact).norm() < .05 * exact.norm()
    model.train()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model.loss(image, samples(crack_label()))
    total(losses).backward()
    assert total(losses).isfinite()


@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize('name', MAIN)
def test_cirl_wraps_it(name, channels, samples, crack_label):
    plain = segmentor(name, channels)
    wrapped = segmentor(name, channels, dict(
        type='mmcrack.CIRLHead', variance_threshold=0.,
        loss_ci=dict(type='mmcrack.CILoss', num_neighbors=4)))
    wrapped.backbone.load_state_dict(plain.backbone.state_dict())
    head = wrapped.decode_head
    head.seg_head.load_state_dict(plain.decode_head.state_dict())
    image, label = torch.randn(2, 3, 48, 64), crack_label()
    with torch.no_grad():
        one, two = (model.eval().predict(image, samples(label))
                    for model in (plain, wrapped))
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a.seg_logits.data, b.seg_logits.data)
    wrapped.train()
    for phase in (1, 2):
        head.phase = phase
        losses = wrapped.loss(image, samples(label))
        assert total(losses).isfinite()
        if hasattr(head.seg_head, 'loss_side'):
            assert 'decode.side_loss_side' in losses
        wrapped.zero_grad()
        total(losses).backward()
        assert all(p.grad is not None for p in wrapped.parameters())


# --- what the heads put together --------------------------------------------


@pytest.mark.parametrize('name', ['deepcrack_zou', 'crackformer2'])
def test_the_last_layer_sees_all_scales_deepest_first(name):
    model = segmentor(name).eval()
    head = model.decode_head
    with torch.no_grad():
        maps = model.backbone(torch.randn(1, 3, 48, 64))
        features, logits, sides = head.outputs(maps)
        assert len(sides['side']) == 5
        for level, side in enumerate(reversed(sides['side'])):
            mask = None
            if name == 'crackformer2':
                mask = head.attentions[level](maps[10 + level])
            fused, expected = head.fusions[level](
                maps[level], maps[5 + level], (48, 64), mask)
            assert torch.equal(side, expected)
            if level == 0:
                assert torch.equal(features, fused)
        again = head.conv_seg(torch.cat(sides['side'], 1))
    assert torch.equal(logits, again)
    kernel = 3 if name == 'deepcrack_zou' else 1
    assert head.conv_seg.kernel_size == (kernel, kernel)


def test_heads_check_how_many_maps_there_are():
    with pytest.raises(ValueError, match='as many numbers for the encoder'):
        MODELS.build(dict(type='mmcrack.DeepCrackHead', in_channels=(4, 4, 4),
                          out_channels=2))
    with pytest.raises(ValueError, match='the decoder and the sums'):
        MODELS.build(dict(type='mmcrack.CrackFormerHead', in_channels=(4, 4),
                          out_channels=2))


# --- RefineNet --------------------------------------------------------------


def test_refinenet_is_a_cascade_from_coarse_to_fine():
    head = segmentor('refinenet').decode_head.eval()
    maps = [torch.randn(1, 4 * 2**i, 16 // 2**i, 24 // 2**i)
            for i in range(4)]
    small = [adapt(x) for adapt, x in zip(head.adapters, maps, strict=True)]
    assert [x.shape[1] for x in small] == [4, 4, 4, 8]
    path = head.blocks[3](small[3])
    for level in (2, 1, 0):
        path = head.blocks[level](small[level], path)
    assert torch.equal(head(maps), head.conv_seg(path))
    assert [len(block.output) for block in head.blocks] == [3, 1, 1, 1]
    assert all(len(block.pooling.convs) == 3 for block in head.blocks)


def test_refinenet_as_in_the_other_port():
    head = MODELS.build(dict(
        type='mmcrack.RefineNetHead', in_channels=(4, 8, 16, 32), channels=4,
        num_path_rcu=0, num_pools=4, num_output_rcu=(3, 3, 3, 3),
        adapt_dropout_ratio=.5, dropout_ratio=.5, out_channels=2))
    units = [[len(unit) for unit in block.inputs] for block in head.blocks]
    assert units == [[2, 0], [2, 0], [2, 0], [2]]
    assert head.adapt_dropout.p == head.dropout.p == .5
    with pytest.raises(ValueError, match='num_output_rcu must be 4 numbers'):
        MODELS.build(dict(type='mmcrack.RefineNetHead', out_channels=2,
                          num_output_rcu=(1, 1)))
