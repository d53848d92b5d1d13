import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.backbones import SegNet


def tiny(**kwargs):
    return SegNet(base_channels=2, norm_cfg=None, **kwargs)


def layers(stack, x):
    for module in stack:
        x = F.conv2d(x, module.conv.weight, module.conv.bias, padding=1)
        x = x.relu()
    return x


@pytest.mark.parametrize('size', [(32, 48), (37, 51)])
def test_order_of_operations(size):
    net, image = tiny(), torch.randn(2, 3, *size)
    x, encoded, indices = image, [], []
    for stage in net.encoder:
        x = layers(stage, x)
        encoded.append(x)
        x, index = F.max_pool2d(x, 2, return_indices=True)
        indices.append(index)
    decoded = []
    for level in (4, 3, 2, 1, 0):
        plane = torch.zeros_like(encoded[level]).flatten(2)
        plane.scatter_(2, indices[level].flatten(2), x.flatten(2))
        x = layers(net.decoder[level], plane.view_as(encoded[level]))
        decoded.insert(0, x)
    for one, two in zip(net(image), encoded + decoded, strict=True):
        assert torch.allclose(one, two, atol=1e-6)


def test_widths_and_numbers_of_convolutions_are_vgg_s():
    net = tiny()
    widths = [[m.out_channels for m in stage] for stage in net.encoder]
    assert widths == [[2] * 2, [4] * 2, [8] * 3, [16] * 3, [16] * 3]
    widths = [[m.out_channels for m in stage] for stage in net.decoder]
    assert widths == [[2, 2], [4, 2], [8, 8, 4], [16, 16, 8], [16] * 3]
    assert [x.shape[1] for x in net(torch.zeros(1, 3, 32, 32))] == [
        2, 4, 8, 16, 16, 2, 2, 4, 8, 16]


def test_the_encoder_alone_gives_the_same_maps():
    whole = tiny()
    half = tiny(with_decoder=False)
    half.encoder.load_state_dict(whole.encoder.state_dict())
    image = torch.randn(1, 3, 33, 47)
    for one, two in zip(half(image), whole(image)[:5], strict=True):
        assert torch.equal(one, two)
    assert len(half(image)) == 5


def test_too_small_images():
    half = tiny(with_decoder=False)
    assert half(torch.zeros(1, 3, 16, 16))[-1].shape[-2:] == (1, 1)
    with pytest.raises(ValueError, match='16 x 16 pixels'):
        half(torch.zeros(1, 3, 16, 15))
    with pytest.raises(ValueError, match='32 x 32 pixels'):
        tiny()(torch.zeros(1, 3, 31, 32))


def test_five_stages_are_wanted():
    with pytest.raises(ValueError, match='num_convs'):
        SegNet(num_convs=(2, 2))
