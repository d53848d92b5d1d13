"""JTFN's decoder: sizes, steps, losses, variants, and CIRL around it."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS
from network_sizes import gigaflops, megaparams

from mmcrack.functional.regions import marginal_region
from mmcrack.models.backbones.jtfn_encoder import JTFNEncoder
from mmcrack.models.decode_heads.jtfn_head import JTFNHead

WIDTHS = (4, 6, 8, 8, 8)
ONE = dict(out_channels=1, threshold=.5)


def build(channels=2, **options):
    """Encoder and head of tiny width, for one or two output channels."""
    ce = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=channels == 1,
              avg_non_ignore=True)
    group = dict(type='mmcrack.DeepSupervisionLoss', loss=ce,
                 align_corners=True, loss_name='loss_ce')
    options = dict(
        num_classes=2, out_channels=channels, threshold=.5, loss_decode=ce,
        loss_side=dict(side=group, boundary=group), **options)
    return JTFNEncoder(3, WIDTHS), JTFNHead(WIDTHS, WIDTHS[0], **options)


def images(size=(48, 64), batch=2):
    return torch.randn(batch, 3, *size)


def total(losses):
    return sum(v for k, v in losses.items() if 'loss' in k)


def figure(losses):
    return float(total(losses))


# --- sizes ------------------------------------------------------------------


@pytest.mark.parametrize(('widths', 'residual', 'steps', 'mega', 'giga'), [
    ((64, 128, 256, 512, 512), False, 3, 41.93, 534.6),
    ((32, 64, 128, 256, 512), False, 3, 15.35, 138.7),
    ((32, 64, 128, 256, 512), True, 2, 15.35, 95.3),
])
def test_sizes_of_the_released_networks(widths, residual, steps, mega, giga):
    with torch.device('meta'):
        encoder = JTFNEncoder(3, widths, residual=residual).eval()
        head = JTFNHead(widths, widths[0], num_classes=2, num_steps=steps,
                        **ONE).eval()
        x = torch.empty(1, 3, 256, 256)
    assert megaparams(encoder, head) == pytest.approx(mega, rel=.01)
    assert gigaflops(lambda: head.outputs(encoder(x)), encoder,
                     head) == pytest.approx(giga, rel=.03)


def test_other_outputs_cost_nothing_in_prediction():
    encoder, head = build()
    inputs = encoder(images())
    ran = []
    for conv in (*head.side_convs, *head.boundary_convs):
        conv.register_forward_hook(lambda *_: ran.append(1))
    logits = head(inputs)
    assert not ran
    torch.testing.assert_close(logits, head.outputs(inputs)[1])
    assert len(ran) == 3 * 3 + 3 * 4


# --- steps ------------------------------------------------------------------


@pytest.mark.parametrize('initial', ['zeros', 'ones'])
def test_a_step_is_fed_the_crack_probability_of_the_step_before(initial):
    encoder, head = build(num_steps=2, initial=initial)
    skips = encoder.eval()(images())
    head.eval()
    expected = []
    y = torch.full((2, 1, 48, 64), dict(zeros=0., ones=1.)[initial])
    for _ in range(2):
        gated = [g(x, y) for g, x in zip(head.gates, skips, strict=True)]
        s = b = gated[4]
        maps = {}
        for i in (3, 2, 1, 0):
            s, b = head.decoder[i](s, b, gated[i])
            maps[i] = s, b
        expected.append(maps)
        y = head.conv_seg(s).softmax(1)[:, 1:]
    features, logits, groups = head.outputs(skips)
    torch.testing.assert_close(features, expected[1][0][0])
    torch.testing.assert_close(logits, head.conv_seg(expected[1][0][0]))
    convs = [head.conv_seg, *head.side_convs]
    side = [convs[i](maps[i][0]) for maps in expected for i in range(4)]
    del side[4]  # the prediction that counts
    boundary = [head.boundary_convs[i](maps[i][1])
                for maps in expected for i in range(4)]
    for name, wanted in (('side', side), ('boundary', boundary)):
        assert len(groups[name]) == len(wanted)
        for got, one in zip(groups[name], wanted, strict=True):
            torch.testing.assert_close(got, one)


def test_one_step_from_ones_is_a_pass_without_gating():
    """Nothing is left to look for: every mask is one of no image."""
    encoder, head = build(num_steps=1, initial='ones')
    skips = encoder.eval()(images())
    got = head.eval()(skips)
    mixed = []
    for unit, x in zip(head.gates, skips, strict=True):
        mask = unit.mask(torch.zeros_like(x))
        mixed.append(mask * x + (1 - mask) * unit.refine(x))
    s = b = mixed[4]
    for i in (3, 2, 1, 0):
        s, b = head.decoder[i](s, b, mixed[i])
    torch.testing.assert_close(got, head.conv_seg(s))


def test_one_channel_feeds_back_its_sigmoid():
    """Two channels of which the first is 0 are one channel."""
    encoder, two = build(num_steps=3)
    _, one = build(channels=1, num_steps=3)
    state, other = two.state_dict(), one.state_dict()
    for name, value in state.items():
        if value.shape != other[name].shape:
            value[0] = 0
            state[name] = value[1:]
    one.load_state_dict(state)
    inputs = encoder.eval()(images())
    torch.testing.assert_close(
        one.eval()(inputs), two.eval()(inputs)[:, 1:])


@pytest.mark.parametrize('detach', [False, True])
def test_feedback_carries_a_gradient_unless_detached(detach):
    encoder, head = build(num_steps=2, detach_feedback=detach)
    inputs = encoder.eval()(images())
    (_, first), (_, second) = head.eval()._steps(inputs)
    gradient, = torch.autograd.grad(
        second.square().sum(), first, allow_unused=True)
    assert (gradient is None) == detach
    assert detach or gradient.abs().sum() > 0


@pytest.mark.parametrize('size', [(16, 16), (17, 16), (31, 45), (50, 23)])
def test_odd_sizes(size, samples, crack_label):
    encoder, head = build(num_steps=2)
    losses = head.loss(encoder(images(size)),
                       samples(crack_label(2, size)), None)
    # Nothing is learnt yet: about log(2) for each of 16 maps.
    assert figure(losses) == pytest.approx(16 * math.log(2), rel=.3)
    _, logits, groups = head.eval().outputs(encoder.eval()(images(size)))
    assert logits.shape[-2:] == size
    strides = dict(side=(1, 2, 4, 8, 2, 4, 8), boundary=2 * (1, 2, 4, 8))
    for name, maps in groups.items():
        for one, stride in zip(maps, strides[name], strict=True):
            assert one.shape[-2:] == (size[0] // stride, size[1] // stride)
            assert one.isfinite().all()


# --- losses -----------------------------------------------------------------


def test_the_loss_sums_cross_entropy_over_all_outputs(samples, crack_label):
    encoder, head = build(num_steps=2)
    inputs = encoder.eval()(images())
    label = crack_label()
    label[0, :5] = 255
    losses = head.eval().loss(inputs, samples(label), None)
    _, logits, groups = head.outputs(inputs)
    rim = F.max_pool2d((label == 1).float()[:, None], 3, 1, 1)[:, 0] > 0
    rim = (rim & (label == 0)).long().masked_fill(label == 255, 255)

    def ce(maps, truth):
        return sum(F.cross_entropy(F.interpolate(
            m, (48, 64), mode='bilinear', align_corners=True), truth,
            ignore_index=255) for m in maps)

    expected = dict(loss_ce=ce([logits], label),
                    side_loss_ce=ce(groups['side'], label),
                    boundary_loss_ce=ce(groups['boundary'], rim))
    assert {k for k in losses if 'loss' in k} == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)


@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize('variant', [
    dict(), dict(initial='ones', attention='cbam', mask_form='joint',
                 refine='double', bottom_conv_index=3, num_steps=2),
    dict(detach_feedback=True, bottom_conv_index=None)])
def test_every_parameter_learns(channels, variant, samples, crack_label):
    encoder, head = build(channels, **variant)
    if head.gates[0].mask_form == 'joint':
        for unit in head.gates:
            # CBAM's bottleneck has one unit in these widths: not a dead one.
            unit.channel[0].weight.data.abs_()
    total(head.loss(encoder(images()), samples(crack_label()),
                    None)).backward()
    for module in (encoder, head):
        for name, parameter in module.named_parameters():
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('channels', [1, 2])
def test_an_ignored_batch_teaches_nothing(channels, samples):
    encoder, head = build(channels)
    label = torch.full((2, 32, 32), 255)
    losses = head.loss(encoder(images((32, 32))), samples(label), None)
    total(losses).backward()
    assert figure(losses) == 0
    for parameter in (*encoder.parameters(), *head.parameters()):
        assert parameter.grad is not None
        assert not parameter.grad.any()


def test_bfloat16_autocast(samples, crack_label):
    encoder, head = build()
    x, label = images(), samples(crack_label())
    exact = total(head.loss(encoder(x), label, None))
    with torch.autocast('cpu', torch.bfloat16):
        outs = encoder(x)
        loss = total(head.loss(outs, label, None))
        assert outs[0].dtype == torch.bfloat16
    loss.backward()
    assert float(loss) == pytest.approx(float(exact), rel=.02)
    assert all(p.grad.isfinite().all() for p in head.parameters())


def test_three_classes_have_boundaries_of_two(samples, crack_label):
    head = JTFNHead(WIDTHS, 4, num_classes=3, crack_class=2)
    label = 2 * crack_label()
    label[:, :4] = 1
    expected = marginal_region(label // 2, kernel_size=3)
    assert torch.equal(head.side_label('boundary', label) == 1, expected)
    encoder, _ = build()
    losses = head.loss(encoder(images()), samples(label), None)
    assert figure(losses) == pytest.approx(
        12 * math.log(3) + 12 * math.log(2), rel=.3)


# --- CIRL around it ---------------------------------------------------------


def wrap(head_of, mask_sides=False, **options):
    """CIRLHead with the weights of a bare head."""
    cfg = dict(
        type='mmcrack.JTFNHead', in_channels=WIDTHS, channels=4,
        num_classes=2, out_channels=head_of.out_channels, threshold=.5,
        mask_sides=mask_sides, detach_feedback=head_of.detach_feedback,
        loss_decode=dict(
            type='mmseg.CrossEntropyLoss', avg_non_ignore=True,
            use_sigmoid=head_of.out_channels == 1))
    group = dict(type='mmcrack.DeepSupervisionLoss', align_corners=True,
                 loss=copy.deepcopy(cfg['loss_decode']), loss_name='loss_ce')
    head = MODELS.build(dict(
        type='mmcrack.CIRLHead',
        seg_head=dict(cfg, loss_side=dict(side=group, boundary=group)),
        loss_aseg=dict(type='mmcrack.AsegLoss', variance_offset=.3),
        **options))
    head.seg_head.load_state_dict(head_of.state_dict())
    return head


@pytest.mark.parametrize('channels', [1, 2])
def test_first_phase_is_aseg_on_the_last_mask(channels, samples, crack_label):
    encoder, bare = build(channels)
    head = wrap(bare)
    inputs, label = encoder(images()), samples(crack_label())
    for module in (bare, head):
        module.eval()
    losses = head.loss(inputs, label, None)
    plain = bare.loss(inputs, label, None)
    assert {k for k in losses if 'loss' in k} == {
        'loss_aseg', 'side_loss_ce', 'boundary_loss_ce'}
    for name in ('side_loss_ce', 'boundary_loss_ce'):
        torch.testing.assert_close(losses[name], plain[name])
    logits = bare(inputs)
    z = logits[:, 0] if channels == 1 else logits[:, 1] - logits[:, 0]
    residual = (z.sigmoid() - crack_label())**2
    variance = head.std_head(bare.outputs(inputs)[0])[:, 0].exp()
    expected = ((residual + variance) / (.3 + variance)).mean()
    torch.testing.assert_close(losses['loss_aseg'], expected)


@pytest.mark.parametrize('mask_sides', [False, True])
def test_second_phase_leaves_ambiguous_pixels_to_ci(
        mask_sides, samples, crack_label):
    # Not detached, an early mask would learn from all later losses.
    encoder, bare = build(detach_feedback=True)
    head = wrap(bare, mask_sides, variance_threshold=0., loss_ci=dict(
        type='mmcrack.CILoss', num_neighbors=4))
    head.phase = 2
    seen = []
    original = head.seg_head.features_and_logits

    def features_and_logits(inputs):
        outputs = original(inputs)
        seen.extend(outputs)
        return outputs

    head.seg_head.features_and_logits = features_and_logits
    label = crack_label()
    losses = head.loss(encoder(images()), samples(label), None)
    _, logits, groups = seen
    margin = marginal_region(label, kernel_size=5)
    maps = dict(loss_ce=logits, loss_ci=logits,
                side_loss_ce=groups['side'][0],
                boundary_loss_ce=groups['boundary'][0])
    learning = {}
    for name, one in maps.items():
        gradient, = torch.autograd.grad(losses[name], one, retain_graph=True)
        gradient = gradient.abs().sum(1) > 0
        learning[name] = bool(gradient[margin].any())
        assert bool(gradient[~margin].any()) == (name != 'loss_ci')
    assert learning == dict(
        loss_ce=False, loss_ci=True, side_loss_ce=not mask_sides,
        boundary_loss_ce=not mask_sides)
    total(losses).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None, name


def test_wrapped_it_predicts_the_same_bits():
    encoder, bare = build()
    head = wrap(bare).eval()
    inputs = encoder.eval()(images())
    meta = [dict(img_shape=(48, 64), pad_shape=(48, 64))] * 2
    assert torch.equal(head.predict(inputs, meta, {}),
                       bare.eval().predict(inputs, meta, {}))


# --- initialisation, bad input ----------------------------------------------


def test_classifiers_start_wide_enough_for_adam():
    """Xavier's; PyTorch's own would be less than half of it."""
    widths = (24, 32, 40)
    head = JTFNHead(widths, 24, num_classes=2, bottom_conv_index=None)
    before = copy.deepcopy(head.decoder.state_dict())
    head.init_weights()
    for conv in (head.conv_seg, *head.side_convs, *head.boundary_convs):
        out, into = conv.weight.shape[:2]
        std = math.sqrt(2 / (9 * into + 9 * out))
        assert float(conv.weight.std()) == pytest.approx(std, rel=.15)
        assert 1 / math.sqrt(3 * 9 * into) < std / 2
    after = head.decoder.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())


@pytest.mark.parametrize(('options', 'words'), [
    (dict(channels=8), 'channels must be those of the finest; got'),
    (dict(in_channels=[4]), 'at least two encoder stages'),
    (dict(num_steps=0), 'num_steps must be at least 1, got 0'),
    (dict(initial='one'), "initial must be one of .* got 'one'"),
    (dict(bottom_conv_index=4), '4 decoder stages, 0 to 3, got 4'),
])
def test_what_cannot_be_is_refused(options, words):
    cfg = dict(in_channels=WIDTHS, channels=4, num_classes=2)
    with pytest.raises(ValueError, match=words):
        JTFNHead(**{**cfg, **options})
