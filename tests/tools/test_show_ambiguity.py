"""The pictures of ambiguous regions against the head's own prediction."""

import math
import re

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from mmcrack.functional.regions import marginal_region
from mmcrack.visualization.ambiguity import AMBIGUOUS, MARGIN
from mmcrack.visualization.scale import log_limits, log_picture

HEIGHT, WIDTH = 48, 64
CIRL = """
model['decode_head'] = dict(type='mmcrack.CIRLHead',
                            seg_head=model['decode_head'], {options})
custom_imports = dict(imports=['mmcrack'], allow_failed_imports=False)
"""


@pytest.fixture
def network(write_config, tmp_path):
    """Write config and checkpoint; the variance follows the image."""

    def make(name='net', options='', tail='', bias=None):
        config = write_config(
            name, tail=CIRL.format(options=options) + tail)
        cfg = Config.fromfile(config)
        init_default_scope('mmseg')
        torch.manual_seed(0)
        model = MODELS.build(cfg.model).eval()
        std = model.decode_head.std_head.conv
        torch.nn.init.normal_(std.weight, std=1.)
        if bias is not None:
            std.weight.data.zero_()
            std.bias.data.fill_(bias)
        path = tmp_path / f'{name}.pth'
        torch.save(dict(state_dict=model.state_dict()), path)
        return config, path, model

    return make


@pytest.fixture
def show(tool, tmp_path, capsys):
    """Draw; returns the pictures by name, and what was printed."""

    def call(config, path, *options, images=('train_1', )):
        out = tmp_path / f'pictures_{len(list(tmp_path.iterdir()))}'
        capsys.readouterr()
        files = tool('analysis/show_ambiguity').main([
            str(a) for a in (config, path, '--out', out, '--images', *images,
                             *options)])
        assert files == sorted(out.iterdir())
        pictures = {p.stem: cv2.imread(str(p))[..., ::-1] for p in files}
        return pictures, capsys.readouterr().out

    return call


def panels_of(picture):
    """Panels at the image's size; the enlarged places as they are."""
    scale = (picture.shape[1] - 12) // (3 * WIDTH)
    high, wide = scale * HEIGHT, scale * WIDTH
    assert picture.shape[1] == 3 * wide + 12
    rows = []
    for top in (24, 24 + high + 6 + 24):
        rows.append([
            picture[top:top + high:scale, x:x + wide:scale]
            for x in (0, wide + 6)])
    return rows


def oracle(model, tiny_data, name='train_1', padding=(0, 0)):
    """Variance, crack and margin (H, W), without the tool."""
    bgr = cv2.imread(str(tiny_data / f'images/train/{name}.png'))
    mask = cv2.imread(str(tiny_data / f'masks/train/{name}.png'), -1)
    x = torch.from_numpy(bgr[..., ::-1].copy()).permute(2, 0, 1)[None]
    x = F.pad((x.float() - 128) / 64, (0, padding[0], 0, padding[1]))
    with torch.no_grad():
        inputs = model.extract_feat(x)
        features = model.decode_head.features(inputs)
        variance = model.decode_head.std_head(features)[0, 0].exp()
    variance = variance[:HEIGHT, :WIDTH]
    label = torch.from_numpy(mask).long()[None]
    return (variance.numpy(), mask == 1,
            marginal_region(label, kernel_size=5)[0].numpy())


def outside_frame(panel, ground):
    """Pixels that the outline of the enlarged place leaves alone."""
    black_or_white = (panel == 0).all(-1) | (panel == 255).all(-1)
    return cv2.dilate(black_or_white.astype(np.uint8),
                      np.ones((5, 5), np.uint8)) == 0


def test_panels_show_margin_variance_and_the_ambiguous_part_of_it(
        network, show, tiny_data):
    config, path, model = network()
    variance, crack, margin = oracle(model, tiny_data)
    gamma = float(np.quantile(variance[margin], .7))
    pictures, said = show(config, path, '--threshold', gamma)
    (image, label), (map_, found) = panels_of(pictures['train_1'])
    stored = cv2.imread(str(tiny_data / 'images/train/train_1.png'))
    free = outside_frame(image, stored)
    np.testing.assert_array_equal(image[free], stored[..., ::-1][free])
    blue = (label == MARGIN).all(-1)
    np.testing.assert_array_equal(blue[free], margin[free])
    ambiguous = margin & (variance > gamma)
    assert 0 < ambiguous.sum() < margin.sum()
    red = (found == AMBIGUOUS).all(-1)
    np.testing.assert_array_equal(red[free], ambiguous[free])
    share = 100 * ambiguous.sum() / margin.sum()
    assert (f'{share:.1f} % of the margin in A ({ambiguous.sum()} of '
            f'{margin.sum()} px, variance > {gamma:.3g})') in said
    numbers = re.search(r'crack (\S+), margin (\S+), background (\S+)\n',
                        said).groups()
    background = ~crack & ~margin
    for text, mask in zip(numbers, (crack, margin, background), strict=True):
        wanted = np.quantile(variance[mask], (.1, .5, .9), method='lower')
        np.testing.assert_allclose([float(n) for n in text.split('/')],
                                   wanted, rtol=6e-3)
    wanted = log_picture(variance, log_limits(variance, include=[gamma]))
    # One of 256 levels where the last digit rounds the other way.
    assert np.abs(map_[free].astype(int) - wanted[free]).max() <= 5


def test_the_region_is_written_as_a_mask(network, show, tiny_data, tmp_path):
    config, path, model = network('one')
    variance, _, margin = oracle(model, tiny_data)
    gamma = float(np.quantile(variance[margin], .7))
    masks = tmp_path / 'masks'
    show(config, path, '--threshold', gamma, '--masks', masks, '--also',
         *network('two', bias=-1.)[:2])
    assert [p.name for p in masks.iterdir()] == ['train_1.png']
    found = cv2.imread(str(masks / 'train_1.png'), -1)
    np.testing.assert_array_equal(
        found, 255 * (margin & (variance > gamma)).astype(np.uint8))


def test_a_known_variance_has_its_colour_and_its_region(
        network, show):
    config, path, _ = network(
        bias=math.log(.5), options='variance_threshold=0.4')
    pictures, said = show(config, path)
    (_, label), (map_, found) = panels_of(pictures['train_1'])
    assert '100.0 % of the margin in A' in said
    assert 'crack 0.5/0.5/0.5, margin 0.5/0.5/0.5' in said
    free = outside_frame(map_, None)
    # One number and the threshold: the scale reaches from 0.1 to 2.
    colors = {tuple(c) for c in map_[free]}
    assert len(colors) == 1
    assert colors < {tuple(log_picture(np.array([[.5]]), (low, high))[0, 0])
                     for low in (.1, .2) for high in (1., 2.)}
    np.testing.assert_array_equal((found == AMBIGUOUS).all(-1)[free],
                                  (label == MARGIN).all(-1)[free])
    _, said = show(config, path, '--threshold', .6)
    assert ' 0.0 % of the margin in A' in said


def test_a_quantile_is_of_each_image_s_margin(network, show):
    config, path, _ = network(options="variance_threshold='q0.75'")
    _, said = show(config, path, images=['train_0.png', 'x/train_3.png'])
    counts = [(int(a), int(b))
              for a, b in re.findall(r'\((\d+) of (\d+) px, ', said)]
    assert len(counts) == 2
    # Without ties all above the lower quantile.
    for held, total in counts:
        assert held == total - 1 - int(.75 * (total - 1))
    assert [sum(c) for c in zip(*counts, strict=True)] == [
        int(n) for n in re.search(r'\((\d+) of (\d+) px\)', said).groups()]
    thresholds = re.findall(r'variance > (\S+)\)\n', said)
    assert len(set(thresholds)) == 2
    _, said = show(config, path, '--threshold', 'q0.5')
    held, total = map(int, re.search(r'\((\d+) of (\d+)', said).groups())
    assert held == total - 1 - int(.5 * (total - 1))


def test_a_quantile_on_a_plateau_is_told(network, show):
    config, path, _ = network(bias=-1.)
    _, said = show(config, path, '--threshold', 'q0.5')
    assert ' 0.0 % of the margin in A (0 of ' in said
    assert 'variance > 0.368; 100.0 % exactly there)' in said


def test_two_networks_stand_in_one_picture(network, show):
    one, two = network('one'), network('two', bias=-1.)
    alone = show(*one[:2])[0]['train_1']
    pictures, said = show(*one[:2], '--also', *two[:2])
    assert pictures['train_1'].shape[1] == alone.shape[1]
    assert pictures['train_1'].shape[0] > 1.3 * alone.shape[0]
    assert 'one: ' in said
    assert 'two: 0.0 % of the margin in A' in said
    assert 'crack 0.368/0.368/0.368' in said
    _, said = show(*one[:2], '--also', *one[:2], '--titles', 'a', 'b c')
    assert 'b c, all images: ' in said


@pytest.mark.parametrize(('tail', 'padding'), [
    ('', (0, 0)),
    ("model['test_cfg'] = dict(mode='slide', crop_size=(48, 64), "
     'stride=(48, 64))', (0, 0)),
    ("model['data_preprocessor']['test_cfg'] = dict(size=(64, 96))",
     (32, 16)),
])
def test_windows_slide_and_padding_is_cut_off(network, show, tiny_data, tail,
                                              padding):
    config, path, model = network('one', tail=tail)
    variance, crack, _ = oracle(model, tiny_data, padding=padding)
    _, said = show(config, path)
    found = re.search(r'crack (\S+),', said).group(1).split('/')
    wanted = np.quantile(variance[crack], (.1, .5, .9), method='lower')
    np.testing.assert_allclose([float(n) for n in found], wanted, rtol=6e-3)


def test_the_frozen_copy_s_variance_is_drawn(network, show):
    config, path, _ = network(
        options="std_source='frozen', variance_threshold=0.1", bias=-1.)
    content = torch.load(path, weights_only=True)
    frozen = {k: v.clone() for k, v in content['state_dict'].items()}
    frozen['decode_head.std_head.conv.bias'].fill_(math.log(.25))
    torch.save(dict(content, mmcrack_frozen=frozen), path)
    assert 'crack 0.25/0.25/0.25' in show(config, path)[1]


def test_a_number_of_images_is_drawn_by_the_seed(network, show):
    config, path, _ = network()
    first = set(show(config, path, '--split', 'test', images=['2'])[0])
    assert len(first) == 2
    assert first < {f'test_{i}' for i in range(3)}
    assert set(show(config, path, '--split', 'test', images=['2'])[0]) == first


PLAIN = "custom_imports = dict(imports=['mmcrack'])"


@pytest.mark.parametrize(('tail', 'options', 'words'), [
    (PLAIN, [], 'predicts no variance: its decode head is a FCNHead; wanted '
     'one that is wrapped'),
    (None, ['--images', 'train_9'],
     "no image 'train_9' among its 8. Did you mean 'train_"),
    (None, ['--images', '0'], '--images must be at least 1, got 0'),
    (None, ['--threshold', 'q1.5'], "a quantile such as 'q0.9', got 'q1.5'"),
    (None, ['--titles', 'a', 'b'], '--titles wants 1 names'),
    ('val_dataloader = None', ['--split', 'val'],
     'no val_dataloader: choose --split train or test'),
    ("train_dataloader['dataset']['img_suffix'] = '.jpg'",
     [], 'The train set of the config holds no image'),
])
def test_wrong_use_ends_in_one_sentence(run, network, write_config, tmp_path,
                                        tail, options, words):
    config, path, _ = network()
    if tail is not None:
        wrapped = '' if tail == PLAIN else CIRL.format(options='')
        config = write_config('other', tail=wrapped + tail)
    code, said = run('analysis/show_ambiguity', config, path, '--out',
                     tmp_path / 'out', *options)
    assert code == 2
    assert words in said
    assert 'Traceback' not in said


def test_a_checkpoint_of_another_model(run, network, trained):
    config, *_ = network()
    code, said = run('analysis/show_ambiguity', config, trained[1])
    assert code == 2
    assert ('is not of this model: 7 missing '
            '(decode_head.seg_head.conv_seg.weight') in said
