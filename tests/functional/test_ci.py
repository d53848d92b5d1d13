"""CIRL Eq. 9-15 against pins, the plain formula and the exact ratio."""

import math

import pytest
import torch

from mmcrack.functional.ci import (
    GROUP,
    ci_loss,
    nearest_neighbors,
    neg_log_ratio,
    neighbor_loss,
)

FEATURES = torch.tensor(
    [[1, 0], [.9, .1], [0, 1], [.1, .9], [1, .2], [.2, 1]],
    dtype=torch.float64)
CRACK = torch.tensor([.9, .8, .1, .2, .7, .3], dtype=torch.float64)


def both(prob):
    """Class probabilities of a crack probability."""
    return torch.stack([1 - prob, prob], dim=1)


def plain_ci(features, probs, num_neighbors, include_constant=False):
    """Eq. 13 and 15, member by member, with all products."""
    size = len(features)
    total = 0.
    for m in range(size):
        cosine = [
            float(features[m] @ features[n]
                  / (features[m].norm() * features[n].norm()))
            if n != m else -math.inf for n in range(size)
        ]
        near = sorted(range(size), key=lambda n: -cosine[n])[:num_neighbors]
        far = [n for n in range(size) if n != m and n not in near]
        psi = -sum(probs[m] @ probs[n] for n in near)
        psi = psi + len(near) / len(far) * sum(
            probs[m] @ probs[k] for k in far)
        if include_constant:
            psi = psi + (len(near) - len(far)) * math.log(size)
        total = total + psi
    return total / size


def members(generator, size, dim=8, classes=2):
    features = torch.randn(size, dim, generator=generator).double()
    logits = 3 * torch.randn(size, classes, generator=generator).double()
    return features, logits.softmax(1)


@pytest.mark.parametrize(('neighbors', 'plain', 'constant'), [
    (1, -.248333333, -5.623611741),
    (2, -.706666667, -2.498426136),
])
def test_values(neighbors, plain, constant):
    probs = both(CRACK)
    assert float(ci_loss(FEATURES, probs, num_neighbors=neighbors)) == \
        pytest.approx(plain, abs=1e-9)
    assert float(
        ci_loss(FEATURES, probs, num_neighbors=neighbors,
                include_constant=True)) == pytest.approx(constant, abs=1e-9)


@pytest.mark.parametrize(('neighbors', 'index'), [
    (1, [[1], [4], [3], [5], [1], [3]]),
    (2, [[1, 4], [4, 0], [3, 5], [5, 2], [1, 0], [3, 2]]),
])
@pytest.mark.parametrize('chunk_size', [1, 4, 100])
def test_neighbors(neighbors, index, chunk_size):
    found = nearest_neighbors(
        FEATURES, num_neighbors=neighbors, chunk_size=chunk_size)
    assert found.tolist() == index


@pytest.mark.parametrize(('neighbors', 'detach', 'slope'), [
    (1, False, [-.191667, -.383333, .191667, .383333, -.283333, .283333]),
    (1, True, [-.158333, -.108333, .158333, .108333, -.141667, .141667]),
    (2, False, [-.733333, -.8, .733333, .8, -.866667, .866667]),
    (2, True, [-.366667, -.4, .366667, .4, -.433333, .433333]),
])
def test_slopes(neighbors, detach, slope):
    prob = CRACK.clone().requires_grad_()
    ci_loss(FEATURES, both(prob), num_neighbors=neighbors,
            detach_neighbors=detach).backward()
    assert prob.grad.tolist() == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize(('size', 'neighbors', 'classes'),
                         [(40, 5, 2), (30, 28, 2), (25, 1, 4)])
@pytest.mark.parametrize('constant', [False, True])
def test_it_is_equation_13(size, neighbors, classes, constant, generator):
    features, probs = members(generator, size, classes=classes)
    probs.requires_grad_()
    slow = plain_ci(features, probs, neighbors, constant)
    fast = ci_loss(features, probs, num_neighbors=neighbors,
                   include_constant=constant, chunk_size=7)
    torch.testing.assert_close(fast, slow, atol=1e-10, rtol=1e-12)
    slopes = [torch.autograd.grad(x, probs)[0] for x in (slow, fast)]
    torch.testing.assert_close(*slopes, atol=1e-12, rtol=1e-10)


def test_the_order_of_the_members_does_not_matter(generator):
    features, probs = members(generator, 60)
    order = torch.randperm(60, generator=generator)
    one, two = (ci_loss(features[i], probs[i], num_neighbors=4)
                for i in (torch.arange(60), order))
    torch.testing.assert_close(one, two, atol=1e-12, rtol=0)


@pytest.mark.parametrize('value', [0., .5, 1.])
def test_equal_predictions_cost_nothing(value, generator):
    features, _ = members(generator, 30)
    probs = both(torch.full((30, ), value, dtype=torch.float64))
    assert float(ci_loss(features, probs, num_neighbors=3)) == \
        pytest.approx(0, abs=1e-12)


def test_two_pure_clusters():
    prob = torch.tensor([1., 1, 0, 0, 1, 0], dtype=torch.float64)
    assert float(ci_loss(FEATURES, both(prob), num_neighbors=2)) == -2


@pytest.mark.parametrize('size', [0, 1, 3, 5])
def test_too_few_members_cost_nothing_and_keep_the_graph(size, generator):
    features, probs = members(generator, size)
    probs.requires_grad_()
    loss = ci_loss(features, probs, num_neighbors=4)
    loss.backward()
    assert float(loss) == 0
    assert not probs.grad.any()


def test_the_smallest_set_that_counts(generator):
    features, probs = members(generator, 6)
    loss = ci_loss(features, probs, num_neighbors=4)
    torch.testing.assert_close(loss, plain_ci(features, probs, 4))
    assert float(loss) != 0


def test_repeated_features_are_no_neighbors_of_themselves():
    features = torch.ones(9, 3)
    index = nearest_neighbors(features, num_neighbors=8, chunk_size=4)
    for m in range(9):
        assert sorted(index[m].tolist()) == [n for n in range(9) if n != m]


@pytest.mark.parametrize(('size', 'neighbors', 'chunk_size'), [
    (513, 2, 1024), (700, 2, 64), (769, 3, 100), (640, 2, 640)])
def test_long_rows_are_searched_in_groups(size, neighbors, chunk_size,
                                          generator):
    assert size > 4 * GROUP * neighbors
    features, _ = members(generator, size, dim=5)
    unit = features / features.norm(dim=1, keepdim=True)
    order = (unit @ unit.t()).fill_diagonal_(-2).argsort(
        dim=1, descending=True)
    index = nearest_neighbors(
        features, num_neighbors=neighbors, chunk_size=chunk_size)
    assert torch.equal(index, order[:, :neighbors])


@pytest.mark.parametrize('kinds', [1, 2, 9])
def test_groups_of_repeated_features(kinds, generator):
    """Ties: any members of the same kind, none twice, never itself."""
    kind = torch.arange(600) % kinds
    features = torch.eye(kinds, dtype=torch.float64)[kind]
    index = nearest_neighbors(features, num_neighbors=2, chunk_size=128)
    assert torch.equal(kind[index], kind[:, None].expand(-1, 2))
    assert (index != torch.arange(600)[:, None]).all()
    assert (index[:, 0] != index[:, 1]).all()


def test_zero_features_are_finite():
    index = nearest_neighbors(
        torch.zeros(5, 3), num_neighbors=2, chunk_size=5)
    assert all(m not in row for m, row in enumerate(index.tolist()))


def test_features_get_no_gradient(generator):
    features, probs = members(generator, 20)
    features.requires_grad_()
    probs.requires_grad_()
    ci_loss(features, probs, num_neighbors=3).backward()
    assert features.grad is None
    assert probs.grad.abs().sum() > 0


def test_gradients(generator):
    features, probs = members(generator, 12)
    index = nearest_neighbors(features, num_neighbors=3, chunk_size=5)
    assert torch.autograd.gradcheck(
        lambda p: neighbor_loss(p, index), probs.requires_grad_())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(dtype, generator):
    features, probs = members(generator, 3000)
    features, probs = features.to(dtype), probs.to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = ci_loss(features, probs, num_neighbors=20)
    index = nearest_neighbors(
        features, num_neighbors=20, chunk_size=1024)
    wide = neighbor_loss(probs.double(), index)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(wide), abs=1e-4)


def test_exact_ratio(generator):
    """Eq. 12, product by product."""
    features, probs = members(generator, 15)
    index = nearest_neighbors(features, num_neighbors=3, chunk_size=15)
    ours = neg_log_ratio(features, probs, num_neighbors=3)
    for m in range(15):
        weights = [math.exp(float(probs[m] @ probs[q])) for q in range(15)]
        p = [w / sum(weights) for w in weights]
        near = math.prod(p[n] for n in index[m].tolist())
        far = math.prod(p[k] for k in range(15)
                        if k != m and k not in index[m].tolist())
        assert float(ours[m]) == pytest.approx(
            -math.log(near / far), abs=1e-9)


def test_equation_13_is_an_approximation_of_12():
    """Jensen's step is a bound for each member; Eq. 13 as a whole is not."""
    generator = torch.Generator().manual_seed(0)
    violated = total = 0
    for _ in range(50):
        features, probs = members(generator, 40)
        index = nearest_neighbors(features, num_neighbors=5, chunk_size=40)
        exact = neg_log_ratio(features, probs, num_neighbors=5)
        products = probs @ probs.t()
        near = products.gather(1, index).sum(1)
        far = products.sum(1) - near - products.diagonal()
        jensen = far - near + (5 - 34) * (
            products.mean(1) + math.log(40))
        assert (jensen >= exact - 1e-9).all()
        bound = 5 / 34 * far - near + (5 - 34) * math.log(40)
        violated += int((bound < exact).sum())
        total += 40
    # Seen: 75 of 2000.
    assert 0 < violated < .1 * total


@pytest.mark.parametrize(('change', 'message'), [
    (dict(num_neighbors=0), 'num_neighbors must be at least 1, got 0'),
    (dict(num_neighbors=2, chunk_size=0), 'chunk_size must be at least 1'),
])
def test_numbers_out_of_range_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ci_loss(FEATURES, both(CRACK), **change)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match='as many members, got 6 and 5'):
        ci_loss(FEATURES, both(CRACK[:5]), num_neighbors=1)


def test_neighbors_must_leave_somebody_farther():
    index = torch.tensor([[1, 2], [0, 2], [0, 1]])
    with pytest.raises(ValueError, match='at least num_neighbors . 2'):
        neighbor_loss(both(CRACK[:3]), index)
