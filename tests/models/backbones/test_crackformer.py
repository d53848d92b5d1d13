import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.backbones import CrackFormer
from mmcrack.models.decode_heads import CrackFormerHead
from mmcrack.models.layers.segnet import max_unpool


def tiny(**kwargs):
    return CrackFormer(base_channels=16, dropout_ratio=0., **kwargs)


def run(net, image, order):
    """Encoder's, decoder's maps and sums, written out."""
    first = F.conv2d(image, net.stem.conv.weight, net.stem.conv.bias,
                     padding=1).relu()
    encoded, indices, inner, x = [], [], [], first
    for level, stage in enumerate(net.encoder):
        made = [first] if level == 0 else []
        for number in order[level]:
            x = stage[number](x)
            made.append(x)
        encoded.append(made.pop())
        inner.append(made)
        x, index = F.max_pool2d(x, 2, return_indices=True)
        indices.append(index)
    decoded = []
    for level in (4, 3, 2, 1, 0):
        x = max_unpool(x, indices[level], encoded[level].shape[-2:])
        for block in net.decoder[level]:
            x = block(x)
            inner[level].append(x)
        decoded.insert(0, inner[level].pop())
    return encoded, decoded, inner


@pytest.mark.parametrize('quirk', [False, True])
def test_order_of_operations(quirk):
    net, image = tiny(released_quirk=quirk), torch.randn(1, 3, 37, 45)
    third = 1 if quirk else 2
    order = [[0], [0, 1], *([[0, 1, third]] * 3)]
    encoded, decoded, inner = run(net, image, order)
    assert [len(maps) for maps in inner] == [2, 2, 4, 4, 4]
    expected = encoded + decoded + [sum(maps) for maps in inner]
    for one, two in zip(net(image), expected, strict=True):
        assert torch.allclose(one, two, atol=1e-5)


def test_the_quirk_builds_no_third_block():
    full, quirk = tiny(), tiny(released_quirk=True)
    assert [len(stage) for stage in full.encoder] == [1, 2, 3, 3, 3]
    assert [len(stage) for stage in quirk.encoder] == [1, 2, 2, 2, 2]
    sizes = [sum(p.numel() for p in net.parameters())
             for net in (full, quirk)]
    third = sum(p.numel() for stage in full.encoder[2:]
                for p in stage[2].parameters())
    assert sizes[0] - sizes[1] == third


def test_widths():
    maps = tiny()(torch.randn(1, 3, 32, 32))
    encoder, decoder = [16, 32, 64, 128, 128], [16, 16, 32, 64, 128]
    assert [x.shape[1] for x in maps] == encoder + decoder + encoder


def test_arguments_and_small_images():
    with pytest.raises(ValueError, match='power of two'):
        CrackFormer(base_channels=24)
    with pytest.raises(ValueError, match='num_blocks'):
        CrackFormer(num_blocks=(2, 2, 3))
    with pytest.raises(ValueError, match='window must be odd'):
        CrackFormer(window=6)
    with pytest.raises(ValueError, match='32 x 32 pixels, got 32 x 31'):
        tiny()(torch.zeros(1, 3, 32, 31))


def conv(name, out, low, kernel=1, bias=True):
    """A convolution's entries in a released state dict."""
    shapes = {f'{name}.weight': (out, low, kernel, kernel)}
    if bias:
        shapes[f'{name}.bias'] = (out, )
    return shapes


def norm(name, width):
    return {f'{name}.weight': (width, ), f'{name}.bias': (width, )}


def released_block(at, low, high):
    inner = max(low, high) // 4
    tf = f'{at}.conv.conv2.0'
    quarter = inner // 4
    shapes = {
        **conv(f'{at}.conv.conv1', inner, low, bias=False),
        **norm(f'{at}.conv.bn1', inner),
        f'{tf}.attn.embedding': (16, 1, 1, 7, 7),
        **conv(f'{tf}.attn.queries.0', 64, inner, bias=False),
        **norm(f'{tf}.attn.queries.1', 64),
        **conv(f'{tf}.attn.keys.0', 16, inner, bias=False),
        **norm(f'{tf}.attn.keys.1', 16),
        **conv(f'{tf}.attn.values.0', quarter, inner, bias=False),
        **norm(f'{tf}.attn.values.1', quarter),
        **conv(f'{tf}.mlp.fc1', quarter, inner),
        **norm(f'{tf}.mlp.gn1', quarter),
        **conv(f'{tf}.mlp.dwconv.dwconv', quarter, 4, 3),
        **norm(f'{tf}.mlp.gn2', quarter),
        **conv(f'{tf}.mlp.fc2', inner, quarter),
        **norm(f'{tf}.mlp.gn3', inner),
        **norm(f'{at}.conv.bn2', inner),
        **conv(f'{at}.conv.conv3', high, inner, bias=False),
        **norm(f'{at}.conv.bn3', high),
    }
    if low != high:
        shapes.update(conv(f'{at}.conv.shortcut.0', high, low))
        shapes.update(norm(f'{at}.conv.shortcut.1', high))
    return shapes


def released_shapes():
    """Names and shapes in a state dict of the released network."""
    widths, counts = (64, 128, 256, 512, 512), (2, 2, 3, 3, 3)
    shapes = {**conv('down1.nn1.conv', 64, 3, 3), **conv('final', 1, 5)}
    shapes.update(released_block('down1.nn2', 64, 64))
    for level, (width, count) in enumerate(
            zip(widths, counts, strict=True)):
        below, stage = widths[max(level - 1, 0)], level + 1
        for n in range(1, count + 1):
            if level:
                shapes.update(released_block(
                    f'down{stage}.nn{n}', below if n == 1 else width, width))
            shapes.update(released_block(
                f'up{stage}.nn{n}', width, below if n == count else width))
        fuse, la = f'fuse{stage}', f'LABlock_{stage}'
        shapes.update({
            **conv(f'{fuse}.nn.conv', 64, width + below, 3),
            **conv(f'{fuse}.conv', 1, 64, 3),
            **conv(f'{la}.W_1.0', 64, width, 3), **norm(f'{la}.W_1.1', 64),
            **conv(f'{la}.psi.0', 64, 64, 3), **norm(f'{la}.psi.1', 64)})
    return shapes


@pytest.mark.parametrize('quirk', [False, True])
def test_a_released_checkpoint_fits(quirk):
    with torch.device('meta'):
        net = CrackFormer(released_quirk=quirk)
        head = CrackFormerHead(out_channels=1, threshold=.5)
    ours = {f'{part}.{name}': tuple(value.shape)
            for part, module in (('backbone', net), ('decode_head', head))
            for name, value in module.state_dict().items()}
    # LambdaAttention takes five axes when loading.
    ours = {name: shape[:1] + (1, ) + shape[1:]
            if name.endswith('embedding') else shape
            for name, shape in ours.items()}
    mapped = {CrackFormer.released_name(name): shape
              for name, shape in released_shapes().items()}
    left_over = set(mapped) - set(ours) - {None}
    assert {name: mapped.get(name) for name in ours} == ours
    third = {f'backbone.encoder.{level}.2.' for level in (2, 3, 4)}
    assert (left_over != set()) == quirk
    assert all(name.startswith(tuple(third)) for name in left_over)


def test_a_name_that_is_not_released():
    with pytest.raises(ValueError, match='No parameter of CrackFormer-II'):
        CrackFormer.released_name('down2.nn1.other.weight')
