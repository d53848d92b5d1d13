"""Crack against margin features: the features, and figures about them."""

import argparse
import importlib.util

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from tiny_heads import CIRL

from mmcrack.functional.regions import marginal_region

pytest.importorskip('sklearn')


@pytest.fixture
def feature(tool):
    return tool('analysis/feature_tsne')


@pytest.fixture
def network(write_config, tmp_path):
    """Write config and checkpoint of a plain or wrapped network."""

    def make(name, tail='', like=None):
        config = write_config(name, tail=tail)
        init_default_scope('mmseg')
        torch.manual_seed(0)
        model = MODELS.build(Config.fromfile(config).model).eval()
        if like is not None:
            model.load_state_dict({
                k.replace('decode_head.', 'decode_head.seg_head.'): v
                for k, v in like.state_dict().items()}, strict=False)
        path = tmp_path / f'{name}.pth'
        torch.save(dict(state_dict=model.state_dict()), path)
        return config, str(path), model

    return make


@pytest.fixture
def start(feature, tmp_path, capsys):
    """Run; returns the figures and what was printed."""

    def call(*arguments):
        capsys.readouterr()
        figures = feature.main([
            *map(str, arguments), '--images', '4', '--points', '48',
            '--perplexity', '5', '--out', str(tmp_path / 'out/f.png')])
        assert (tmp_path / 'out/f.png').stat().st_size > 5000
        return figures, capsys.readouterr().out

    return call


def options(**given):
    return argparse.Namespace(**dict(
        dict(metric='euclidean', neighbors=5, perplexity=5., seed=0,
             points=40, marginal_kernel=5), **given))


def pixels_of(feature, owner, is_margin):
    owner = np.array(owner)
    return feature.Pixels([None] * (owner.max() + 1), [],
                          np.array(is_margin), owner)


def test_two_tight_clusters_are_apart_and_noise_is_not(feature):
    rng = np.random.default_rng(0)
    owner, is_margin = np.repeat(range(5), 40), np.arange(200) % 2 > 0
    pixels = pixels_of(feature, owner, is_margin)
    noise = rng.normal(size=(200, 4))
    apart = noise * 1e-3 + is_margin[:, None] * np.array([1, 2, 3, 4])
    found = feature.separation(apart, pixels, options())
    assert found.silhouette > .99
    assert (found.purity, found.spread) == (1., 0.)
    found = feature.separation(noise, pixels, options())
    assert abs(found.silhouette) < .02
    assert abs(found.purity - .5) < .05


def test_neighbours_are_sought_in_other_images(feature):
    """Classes that differ inside each image alone tell nothing of a new one.

    In image i crack lies at +i and margin at -i for even i, and the other
    way round for odd ones: the nearest pixel of the same image has the same
    class, that of other images as often as not the other.
    """
    owner = np.repeat(range(6), 20)
    is_margin = np.arange(120) % 2 > 0
    rng = np.random.default_rng(0)
    side = np.where(is_margin, 1, -1) * np.where(owner % 2, 1, -1)
    features = np.stack([side * 10., owner * 3.], 1)
    features += rng.normal(size=features.shape) * .01
    pixels = pixels_of(feature, owner, is_margin)
    found = feature.separation(features, pixels, options(neighbors=10))
    assert found.purity < .2
    # Were all pixels one image each, neighbours would be of its own image.
    alone = pixels_of(feature, np.arange(120), is_margin)
    found = feature.separation(features, alone, options(neighbors=5))
    assert found.purity == 1.


def test_cosine_ignores_length(feature):
    rng = np.random.default_rng(0)
    owner, is_margin = np.repeat(range(4), 20), np.arange(80) % 2 > 0
    direction = np.where(is_margin[:, None], [1., 0], [0, 1.])
    features = direction * np.exp(rng.normal(size=(80, 1)) * 3)
    pixels = pixels_of(feature, owner, is_margin)
    found = feature.separation(features, pixels, options(metric='cosine'))
    assert found.purity == 1.
    assert found.silhouette == pytest.approx(1.)
    assert feature.separation(features, pixels, options()).silhouette < .9


def test_zero_features_are_counted(feature):
    pixels = pixels_of(feature, [0, 0, 1, 1, 1], [False] * 2 + [True] * 3)
    features = np.eye(5, 3, dtype=np.float32)
    figure = feature.Separation(.1234, .5678, .01)
    said = feature.describe('net', features, pixels, figure, options())
    assert said == (
        'net: silhouette 0.123, 5-NN purity 0.568 +- 0.010 (3 channels, '
        'euclidean)\n  0 in every channel: 0.0 % of the crack and 66.7 % of '
        'the margin pixels')
    assert '\n' not in feature.describe('net', features + 1, pixels, figure,
                                        options())


def test_pixels_are_of_their_class_and_features_of_their_place(
        feature, network, tiny_data):
    """Each feature equals that of the classifier's input at its pixel."""
    from mmcrack.engine.trained import whole_images
    config, _, model = network('net')
    dataset = whole_images(Config.fromfile(config), 'train')
    pixels = feature.sample_pixels(dataset, [1, 4], model.decode_head,
                                   options())
    assert pixels.is_margin.sum() == 40
    assert [len(p) for p in pixels.points] == [40, 40]
    found = feature.features_of(model, pixels)
    row = 0
    for image, (index, points) in enumerate(
            zip((1, 4), pixels.points, strict=True)):
        x, y = (points.numpy() * (64, 48)).astype(int).T
        mask = cv2.imread(
            str(tiny_data / f'masks/train/train_{index}.png'), -1)
        margin = marginal_region(torch.from_numpy(mask).long()[None],
                                 kernel_size=5)[0].numpy()
        kind = pixels.is_margin[pixels.owner == image]
        np.testing.assert_array_equal(mask[y, x] == 1, ~kind)
        np.testing.assert_array_equal(margin[y, x], kind)
        assert len({*zip(x, y, strict=True)}) == 40
        bgr = cv2.imread(
            str(tiny_data / f'images/train/train_{index}.png'))
        inputs = torch.from_numpy(bgr[..., ::-1].copy()).permute(2, 0, 1)
        with torch.no_grad():
            maps = model.extract_feat((inputs[None].float() - 128) / 64)
            wanted = model.decode_head._forward_feature(maps)[0].numpy()
        np.testing.assert_allclose(found[row:row + 40], wanted[:, y, x].T,
                                   atol=1e-5)
        row += 40


def test_padding_moves_no_pixel(feature, network):
    """A 1 x 1 network sees the same colours, padded or not."""
    tail = """
model['backbone'] = dict(type='ResNet', depth=18, base_channels=2,
                         stem_channels=2)
model['data_preprocessor']['test_cfg'] = dict(size=(96, 80))
"""
    from mmcrack.engine.trained import whole_images
    config, _, model = network('net', tail=tail)
    dataset = whole_images(Config.fromfile(config), 'train')
    pixels = feature.sample_pixels(dataset, [0, 1], model.decode_head,
                                   options())
    model.extract_feat = lambda x: [None, x]
    model.decode_head.convs = torch.nn.Identity()
    model.decode_head.conv_seg = torch.nn.Conv2d(3, 2, 1)
    found = feature.features_of(model, pixels)
    x, y = (pixels.points[0].numpy() * (64, 48)).astype(int).T
    rgb = pixels.images[0]['inputs'].numpy()[::-1]
    np.testing.assert_allclose(found[:40], (rgb[:, y, x].T - 128.) / 64,
                               atol=1e-4)


def test_a_wrapped_head_has_the_features_of_the_plain_one(network, start):
    plain = network('plain')
    wrapped = network('wrapped', tail=CIRL, like=plain[2])
    figures, said = start(*plain[:2], '--also', *wrapped[:2])
    assert figures['plain'] == figures['wrapped']
    assert '48 crack and 48 margin pixels of 4 images\n' in said
    assert 'plain: silhouette ' in said
    figures, _ = start(plain[0], plain[1], plain[1], '--titles', 'a', 'b')
    assert figures['a'] == figures['b']


def test_the_seed_decides(feature, network, start):
    config, path, _ = network('net')
    first, again, other = (
        start(config, path, '--seed', seed)[0]['net'] for seed in (0, 0, 1))
    assert first == again
    assert first != other


@pytest.mark.parametrize(('arguments', 'words'), [
    (['--images', '1'], 'Only 1 of 1 images have crack and margin'),
    (['--titles', 'a', 'b'], '--titles wants 1 names'),
    (['--out', 'x.xyz', '--points', '4', '--images', '2'],
     'must end in one of'),
])
def test_wrong_use_ends_in_one_sentence(run, network, arguments, words):
    config, path, _ = network('net')
    code, said = run('analysis/feature_tsne', config, path, *arguments)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said


def test_without_scikit_learn_one_sentence_says_so(run, network, monkeypatch):
    config, path, _ = network('net')
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec',
        lambda name, *rest: None if name == 'sklearn' else found(name, *rest))
    code, said = run('analysis/feature_tsne', config, path)
    assert code == 2
    assert ('needs scikit-learn, which is not installed: python -m pip '
            'install scikit-learn') in said
