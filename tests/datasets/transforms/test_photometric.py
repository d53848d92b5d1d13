"""Noise and blur of photographs."""

import numpy as np
import pytest

from mmcrack.datasets.transforms.photometric import (
    RandomGaussianBlur,
    RandomGaussianNoise,
)


@pytest.fixture(autouse=True)
def _seed():
    np.random.seed(0)  # noqa: NPY002 (mmcv's transforms draw from it)


def grey(value, size=(96, 128, 3)):
    return np.full(size, value, np.uint8)


def test_noise_has_the_deviation_that_was_asked_for():
    noisy = RandomGaussianNoise(prob=1., std=(10., 10.))(
        dict(img=grey(128)))['img']
    assert noisy.dtype == np.uint8
    difference = noisy.astype(float) - 128
    assert difference.mean() == pytest.approx(0, abs=.2)
    assert difference.std() == pytest.approx(10, rel=.03)
    # Channels of their own: no common part.
    channels = difference.reshape(-1, 3)
    assert abs(np.corrcoef(channels.T)[0, 1]) < .05


@pytest.mark.parametrize('value', [0, 255])
def test_noise_stops_at_black_and_white(value):
    noisy = RandomGaussianNoise(prob=1., std=(5., 5.))(
        dict(img=grey(value)))['img']
    assert np.abs(noisy.astype(int) - value).max() < 40


def test_a_blurred_line_keeps_its_ink_and_follows_the_bell_curve():
    image = grey(0, (41, 41, 3))
    image[20] = 200
    blurred = RandomGaussianBlur(prob=1., sigma=(2., 2.))(
        dict(img=image))['img']
    profile = blurred[:, 20, 0].astype(float)
    offsets = np.arange(-4, 5)
    bell = 200 * np.exp(-offsets**2 / 8) / np.sqrt(8 * np.pi)
    assert np.abs(profile[16:25] - bell).max() < 1.5
    assert profile.sum() == pytest.approx(200, abs=6)


@pytest.mark.parametrize('kind', [RandomGaussianNoise, RandomGaussianBlur])
def test_how_often_follows_the_probability(kind):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    transform = kind(prob=.3)
    changed = [not np.array_equal(transform(dict(img=image))['img'], image)
               for _ in range(1000)]
    assert np.mean(changed) == pytest.approx(.3, abs=.05)


def test_the_label_and_the_first_image_stay_as_they_are():
    image, label = grey(100, (8, 8, 3)), np.eye(8, dtype=np.uint8)
    for transform in (RandomGaussianNoise(prob=1., std=(9., 9.)),
                      RandomGaussianBlur(prob=1.)):
        results = transform(dict(img=image, gt_seg_map=label.copy(),
                                 seg_fields=['gt_seg_map']))
        assert np.array_equal(results['gt_seg_map'], label)
    assert (image == 100).all()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match='prob must lie'):
        RandomGaussianNoise(prob=2)
    with pytest.raises(ValueError, match='std must be two numbers'):
        RandomGaussianNoise(std=(3., 1.))
    with pytest.raises(ValueError, match='sigma must be two numbers'):
        RandomGaussianBlur(sigma=(0., 1.))
