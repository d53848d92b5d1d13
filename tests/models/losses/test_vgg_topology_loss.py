"""The topology loss of Mosinska et al. against torchvision's VGG19."""

import copy

import pytest
import torch
from torchvision.models.vgg import cfgs, make_layers

from mmcrack.models.layers.vgg_features import TAPS
from mmcrack.models.losses import VGGTopologyLoss

pytestmark = pytest.mark.filterwarnings('ignore:VGGTopologyLoss has no')


@pytest.fixture(scope='module')
def network():
    """The convolutions of torchvision's VGG19 up to relu3_4."""
    torch.manual_seed(0)
    return make_layers(cfgs['E'], batch_norm=False)[:18].eval()


@pytest.fixture(scope='module')
def file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'vgg19.pth'
    torch.save({f'features.{k}': v for k, v in network.state_dict().items()},
               path)
    return str(path)


def batch(generator, channels=2):
    logits = torch.randn(2, channels, 16, 20, generator=generator)
    label = torch.zeros(2, 16, 20, dtype=torch.long)
    label[0, 4:7] = 1
    label[1, :, 9:15] = 1
    return logits.requires_grad_(), label


def by_index(network, prob, target, indices):
    """Features by torchvision's indices, one layer after the other."""
    mean = torch.tensor([.485, .456, .406]).view(3, 1, 1)
    std = torch.tensor([.229, .224, .225]).view(3, 1, 1)
    total, pictures = 0, []
    for mask in (prob, target):
        picture = torch.stack([mask, mask, mask], 1)
        pictures.append((picture - mean) / std)
    for index in indices:
        one, other = (network[:index + 1](x) for x in pictures)
        total = total + torch.nn.functional.mse_loss(one, other)
    return total


@pytest.mark.parametrize(('layers', 'indices'), [
    (('relu1_2', 'relu2_2', 'relu3_4'), (3, 8, 17)),
    (('conv1_2', 'conv2_2', 'conv3_4'), (2, 7, 16)),
    (('relu3_1', ), (11, ))])
def test_it_is_the_mean_squared_difference_of_torchvision_s_features(
        generator, network, file, layers, indices):
    # torchvision's ReLU overwrites what a convolution put out.
    network = copy.deepcopy(network)
    for layer in network:
        if isinstance(layer, torch.nn.ReLU):
            layer.inplace = False
    logits, label = batch(generator)
    loss = VGGTopologyLoss(file, layers=layers)
    expected = .1 * by_index(
        network, logits.softmax(1)[:, 1], label.float(), indices)
    assert torch.allclose(loss(logits, label), expected, rtol=1e-4)


def test_the_layers_are_where_torchvision_has_them(network):
    for name, index in TAPS.items():
        if index < len(network):
            kind = type(network[index]).__name__
            assert kind == ('ReLU' if 'relu' in name else 'Conv2d')
    assert TAPS['relu5_4'] == 35


def test_a_perfect_prediction_costs_nothing(generator, file):
    _, label = batch(generator)
    logits = 400. * (label[:, None] - .5)
    assert VGGTopologyLoss(file)(logits, label) == 0
    assert VGGTopologyLoss(file)(-logits, label) > 1e-4


def test_the_gradient_reaches_the_logits_and_nothing_else(generator, file):
    logits, label = batch(generator)
    loss = VGGTopologyLoss(file)
    loss.train()(logits, label).backward()
    assert (logits.grad != 0).all()
    assert list(loss.parameters()) == []
    assert loss.state_dict() == {}
    assert not loss.features.training
    assert all(p.grad is None and not p.requires_grad
               for p in loss.features.parameters())


def test_ignored_pixels_change_nothing(generator, file):
    logits, label = batch(generator)
    label[:, 5:9] = 255
    loss = VGGTopologyLoss(file)
    value = loss(logits, label)
    value.backward()
    assert (logits.grad[:, :, 5:9] == 0).all()
    changed = logits.detach().clone()
    changed[:, :, 5:9] = torch.nan
    assert torch.equal(loss(changed, label), value)
    weight = (label != 255).float()
    label[label == 255] = 0
    assert torch.equal(loss(changed, label, weight=weight), value)


def test_only_ignored_pixels_are_zero_with_a_gradient(generator, file):
    logits, label = batch(generator)
    value = VGGTopologyLoss(file)(logits, torch.full_like(label, 255))
    value.backward()
    assert value == 0
    assert not logits.grad.any()


def test_one_channel_is_two_with_the_same_log_odds(generator, file):
    logits, label = batch(generator)
    one = logits[:, 1:] - logits[:, :1]
    loss = VGGTopologyLoss(file)
    assert torch.allclose(loss(one, label), loss(logits, label), rtol=1e-5)
    flipped = VGGTopologyLoss(file, crack_class=0)
    assert torch.allclose(flipped(logits.flip(1), 1 - label),
                          loss(logits, label), rtol=1e-5)


def test_autocast_does_not_reach_into_it(generator, file):
    logits, label = batch(generator)
    half = logits.detach().bfloat16()
    loss = VGGTopologyLoss(file)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = loss(half, label)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, loss(half.float(), label))


def test_drawn_weights_are_the_same_for_a_seed_and_warn(generator):
    logits, label = batch(generator)
    state = torch.random.get_rng_state()
    with pytest.warns(UserWarning, match='not the loss of Mosinska'):
        values = [VGGTopologyLoss(seed=seed)(logits, label)
                  for seed in (0, 0, 1)]
    assert values[0] == values[1]
    assert values[0] != values[2]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_file_of_something_else_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='finds no weights'):
        VGGTopologyLoss(str(tmp_path / 'vgg19.pth'))
    path = tmp_path / 'other.pth'
    torch.save({'features.0.weight': torch.zeros(1)}, path)
    with pytest.raises(ValueError, match='features.0.weight is missing'):
        VGGTopologyLoss(str(path))
    torch.save([1], path)
    with pytest.raises(ValueError, match='must hold the state dict'):
        VGGTopologyLoss(str(path))
    with pytest.raises(ValueError, match='layers must name'):
        VGGTopologyLoss(layers=('relu6_1', ))
