import pytest
import torch
import torch.nn.functional as F

from mmcrack.models.losses import DeepSupervisionLoss

CE = dict(type='CrossEntropyLoss')


def predictions(seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = [torch.randn(2, 2, 8 // s, 12 // s, generator=generator)
              for s in (1, 2, 4)]
    label = torch.randint(0, 2, (2, 8, 12), generator=generator)
    label[0, :3] = 255
    return [x.requires_grad_() for x in logits], label


@pytest.mark.parametrize('normalize', [False, True])
def test_it_is_the_weighted_sum_of_enlarged_predictions(normalize):
    logits, label = predictions()
    weights = (1., 0.5, 0.25)
    expected = sum(
        w * F.cross_entropy(
            F.interpolate(x, (8, 12), mode='bilinear'), label,
            ignore_index=255) for w, x in zip(weights, logits, strict=True))
    if normalize:
        expected = expected / 1.75
    loss = DeepSupervisionLoss(
        CE, weights, normalize=normalize, loss_weight=3.)
    assert torch.allclose(loss(logits, label), 3 * expected, atol=1e-6)


def test_the_label_can_be_reduced_instead():
    logits, label = predictions()
    loss = DeepSupervisionLoss(CE, (0, 0, 1), resize='label')
    # The pixel nearest to the centre of each 4 x 4 block.
    reduced = label[:, 2::4, 2::4]
    expected = F.cross_entropy(logits[2], reduced, ignore_index=255)
    assert torch.allclose(loss(logits, label), expected, atol=1e-6)


def test_a_weight_of_zero_gives_no_gradient_but_keeps_the_graph():
    logits, label = predictions()
    DeepSupervisionLoss(CE, (1, 0, 0))(logits, label).backward()
    assert logits[0].grad.abs().sum() > 0
    assert logits[1].grad.abs().sum() == 0


def test_ignored_pixels_do_not_count_in_the_mean():
    logits, label = predictions()
    loss = DeepSupervisionLoss(CE, (1, 0, 0))
    before = loss(logits, label)
    with torch.no_grad():
        logits[0][0, :, :3] = 50.
    assert torch.equal(loss(logits, label), before)


@pytest.mark.parametrize('resize', ['logits', 'label'])
def test_nothing_to_learn_from_is_zero_with_a_gradient(resize):
    logits, label = predictions()
    label[:] = 255
    value = DeepSupervisionLoss(CE, resize=resize)(logits, label)
    value.backward()
    assert value == 0
    assert all(x.grad.abs().sum() == 0 for x in logits)


def test_several_losses_add_up_on_each_prediction():
    logits, label = predictions()
    double = DeepSupervisionLoss([CE, dict(CE, loss_weight=.5)], (1, 2, 3))
    expected = 1.5 * DeepSupervisionLoss(CE, (1, 2, 3))(logits, label)
    assert torch.allclose(double(logits, label), expected, atol=1e-6)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match='not all 0'):
        DeepSupervisionLoss(CE, (0, 0))
    with pytest.raises(ValueError, match='at least 0'):
        DeepSupervisionLoss(CE, (1, -1))
    with pytest.raises(ValueError, match='resize'):
        DeepSupervisionLoss(CE, resize='both')
    logits, label = predictions()
    with pytest.raises(ValueError, match='3 predictions but 2 weights'):
        DeepSupervisionLoss(CE, (1, 1))(logits, label)
    with pytest.raises(TypeError, match='list of predictions'):
        DeepSupervisionLoss(CE)(logits[0], label)
