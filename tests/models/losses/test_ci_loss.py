"""Losses of the ambiguous pixels: batches, options, NNCLR, refusals."""

import pytest
import torch
from mmengine.registry import MODELS

from mmcrack.functional.ci import ci_loss
from mmcrack.functional.nnclr import nearest_in_queue, nnclr_loss


def build(kind, **options):
    return MODELS.build(dict(type=f'mmcrack.{kind}', **options))


def sets(generator, *sizes):
    features = [torch.randn(s, 6, generator=generator) for s in sizes]
    probs = [torch.randn(s, 2, generator=generator).softmax(1)
             for s in sizes]
    return features, probs


def test_it_is_the_mean_over_images_with_enough_pixels(generator):
    features, probs = sets(generator, 30, 4, 0, 50)
    loss = build('CILoss', num_neighbors=5, loss_weight=.3)
    wanted = [ci_loss(features[n], probs[n], num_neighbors=5)
              for n in (0, 3)]
    torch.testing.assert_close(
        loss(features, probs), .3 * sum(wanted) / 2)
    total = build('CILoss', num_neighbors=5, loss_weight=.3,
                  reduction='sum')
    torch.testing.assert_close(total(features, probs), .3 * sum(wanted))


def test_average_neighbors_divides_by_their_number(generator):
    features, probs = sets(generator, 30)
    one, two = (build('CILoss', num_neighbors=5, average_neighbors=a)(
        features, probs) for a in (False, True))
    torch.testing.assert_close(one, 5 * two)


@pytest.mark.parametrize('progress', [0., .3, 1.])
def test_dispersal_fades(progress, generator):
    features, probs = sets(generator, 30)
    loss = build('CILoss', num_neighbors=5, loss_weight=1.,
                 disperse_decay=.75)
    attract = ci_loss(features[0], probs[0], num_neighbors=5,
                      disperse_weight=0.)
    disperse = ci_loss(features[0], probs[0], num_neighbors=5) - attract
    torch.testing.assert_close(
        loss(features, probs, progress=progress),
        attract + disperse * (1 + 10 * progress)**-.75)


def test_a_subset_is_drawn_by_the_generator(generator):
    features, probs = sets(generator, 100)
    loss = build('CILoss', num_neighbors=5, max_pixels=40)
    values = [loss(features, probs,
                   generator=torch.Generator().manual_seed(seed)).item()
              for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize('sizes', [(), (0, ), (3, 6)])
def test_too_few_pixels_cost_nothing_and_keep_the_graph(sizes, generator):
    features, probs = sets(generator, *sizes)
    probs = [p.requires_grad_() for p in probs]
    loss = build('CILoss', num_neighbors=5)(features, probs)
    assert loss.item() == 0
    if sizes:
        loss.backward()


@pytest.mark.parametrize('kind', ['CILoss', 'PixelNNCLRLoss'])
def test_as_a_plain_loss_it_says_where_it_belongs(kind):
    options = dict(in_channels=4) if kind == 'PixelNNCLRLoss' else {}
    with pytest.raises(TypeError, match='give the loss as its loss_ci'):
        build(kind, **options)(
            torch.rand(1, 2, 3, 3), torch.zeros(1, 3, 3).long())


@pytest.mark.parametrize(('options', 'message'), [
    (dict(num_neighbors=0), 'num_neighbors and chunk_size must be at least'),
    (dict(max_pixels=21), 'at least num_neighbors . 2, got 21'),
    (dict(disperse_decay=-1.), 'disperse_decay must be at least 0, got -1'),
    (dict(reduction='none'), "reduction must be 'mean' or 'sum'"),
])
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build('CILoss', **options)


# --- NNCLR ------------------------------------------------------------------


def unit(generator, *size):
    return torch.nn.functional.normalize(
        torch.randn(*size, generator=generator), dim=-1)


def test_nnclr_is_a_softmax_over_the_predictions(generator):
    near, predicted = unit(generator, 2, 7, 5)
    loss = nnclr_loss(near, predicted, temperature=.1)
    for i in range(7):
        scores = [float(near[i] @ predicted[j]) / .1 for j in range(7)]
        wanted = torch.tensor(scores).softmax(0)[i].log().neg()
        assert loss[i].item() == pytest.approx(wanted.item(), abs=1e-5)


def test_nearest_in_queue(generator):
    queue = unit(generator, 20, 5)
    assert torch.equal(
        nearest_in_queue(queue[[3, 7]] * 1., queue), queue[[3, 7]])


def test_the_queue_holds_the_newest(generator):
    loss = build('PixelNNCLRLoss', in_channels=6, embed_channels=4,
                 hidden_channels=8, queue_size=10, max_pixels=6)
    seen = []
    original = loss._enqueue
    loss._enqueue = lambda z: (seen.append(z), original(z))
    for turn in range(3):
        loss(*sets(generator, 50), generator=generator)
        assert int(loss.filled) == min(6 * (turn + 1), 10)
    newest = torch.cat(seen)[-10:]
    order = [int((loss.queue - z).abs().sum(1).argmin()) for z in newest]
    assert sorted(order) == list(range(10))
    torch.testing.assert_close(loss.queue[order], newest)


def test_nnclr_trains_features_and_its_own_layers(generator):
    features, probs = sets(generator, 40, 1)
    features[0].requires_grad_()
    loss = build('PixelNNCLRLoss', in_channels=6, queue_size=16)
    for _ in range(2):
        value = loss(features, probs, generator=generator)
    value.backward()
    assert value.item() > 0
    assert features[0].grad.abs().sum() > 0
    assert all(p.grad is not None for p in loss.parameters())


def test_nnclr_without_pixels_keeps_all_parameters_in_the_graph(generator):
    loss = build('PixelNNCLRLoss', in_channels=6)
    features, probs = sets(generator, 1, 0)
    value = loss([f.requires_grad_() for f in features], probs)
    value.backward()
    assert value.item() == 0
    assert all(p.grad is not None and not p.grad.any()
               for p in loss.parameters())


@pytest.mark.parametrize(('options', 'message'), [
    (dict(temperature=0), 'temperature must be above 0'),
    (dict(feature_dropout=1.), 'feature_dropout between 0 and 1'),
    (dict(max_pixels=1), 'max_pixels must be at least 2'),
])
def test_bad_arguments_of_nnclr_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        build('PixelNNCLRLoss', in_channels=4, **options)
