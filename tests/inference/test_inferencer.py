"""From Python: paths and arrays, thresholds, variance, other backends."""

import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from PIL import Image

from mmcrack.inference import CrackInferencer, TorchBackend
from mmcrack.registry import MODELS

tifffile = pytest.importorskip('tifffile')

HEAD = dict(type='FCNHead', in_channels=4, in_index=1, channels=4,
            num_convs=1, concat_input=False, dropout_ratio=0., num_classes=2,
            out_channels=2, threshold=.4, norm_cfg=dict(type='BN'),
            loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=False))


def config(head=HEAD, **model):
    """A U-Net of two stages whose outputs are not flat."""
    return Config(dict(default_scope='mmseg', model=dict(
        type='EncoderDecoder',
        data_preprocessor=dict(
            type='SegDataPreProcessor', mean=[110., 120., 130.],
            std=[50., 60., 70.], bgr_to_rgb=True, size_divisor=16,
            test_cfg=dict(size_divisor=16)),
        backbone=dict(
            type='UNet', base_channels=4, num_stages=2, strides=(1, 1),
            enc_num_convs=(1, 1), dec_num_convs=(1, ), downsamples=(True, ),
            enc_dilations=(1, 1), dec_dilations=(1, ),
            norm_cfg=dict(type='BN')),
        decode_head=head, train_cfg=dict(), test_cfg=dict(mode='whole'),
        **model)))


def weights(cfg, path):
    """Write weights with which the network is not undecided."""
    from mmengine.registry import init_default_scope
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = MODELS.build(ConfigDict(cfg.model))
    for name, parameter in model.named_parameters():
        if 'conv_seg' in name or 'std_head' in name:
            torch.nn.init.normal_(parameter, std=1.)
    heads = model.decode_head
    head = heads[-1] if isinstance(heads, torch.nn.ModuleList) else heads
    classifier = getattr(head, 'seg_head', head).conv_seg
    with torch.no_grad():
        noise = torch.randn(1, 3, 96, 96)
        size = dict(img_shape=(96, 96), pad_shape=(96, 96))
        logits = model.eval().encode_decode(noise, [size])
        classifier.bias -= logits.mean((0, 2, 3))
    torch.save(dict(state_dict=model.state_dict()), path)
    return model.eval(), str(path)


@torch.no_grad()
def as_tested(model, bgr):
    """What MMSegmentation's test says of an array as OpenCV reads it."""
    from mmseg.structures import SegDataSample
    size = bgr.shape[:2]
    sample = SegDataSample(metainfo=dict(ori_shape=size, img_shape=size))
    inputs = torch.from_numpy(bgr.transpose(2, 0, 1).copy())
    result, = model.test_step(dict(inputs=[inputs], data_samples=[sample]))
    return result


@pytest.mark.parametrize('out_channels', [1, 2])
def test_equals_a_test_of_mmsegmentation(tmp_path, photograph, out_channels):
    """Colours in the right order, normalised, thresholded as in a test."""
    head = {**HEAD, 'out_channels': out_channels,
            'loss_decode': dict(type='CrossEntropyLoss',
                                use_sigmoid=out_channels == 1)}
    cfg = config(head)
    model, path = weights(cfg, tmp_path / 'w.pth')
    image = photograph((96, 160))
    result = as_tested(model, image[..., ::-1])
    wanted = result.pred_sem_seg.data[0].numpy() > 0
    assert .01 < wanted.mean() < .99
    Image.fromarray(image).save(tmp_path / 'a.png')
    inferencer = CrackInferencer(cfg, path, device='cpu', tile_size=None)
    assert inferencer.threshold == (.4 if out_channels == 1 else .5)
    for given in (image, tmp_path / 'a.png', str(tmp_path / 'a.png')):
        found = inferencer(given)
        assert (found.mask == wanted).all()
        prob = result.seg_logits.data
        prob = prob[0] if out_channels == 1 else prob.softmax(0)[1]
        np.testing.assert_allclose(found.probability, prob, atol=1e-3)
    # In tiles: the network looks 16 pixels far.
    tiles = CrackInferencer(cfg, path, device='cpu', tile_size=64,
                            overlap=32, margin=16, batch_size=2)
    np.testing.assert_array_equal(tiles(image).mask, wanted)
    half = CrackInferencer(cfg, path, device='cpu', precision='bf16',
                           channels_last=True)(image)
    assert (half.mask != wanted).mean() < .02


def test_a_list_is_predicted_one_by_one(inferencer, dark, photograph):
    images = [photograph(seed=n) for n in range(3)]
    found = inferencer(images)
    assert dark.shapes == []
    first = next(found)
    assert (first.mask == (images[0].mean(2) < 127.5)).all()
    seen = len(dark.shapes)
    assert [f.mask.sum() for f in found] == [
        (i.mean(2) < 127.5).sum() for i in images[1:]]
    assert len(dark.shapes) == 3 * seen


def test_maps_of_a_backend_that_is_no_torch(dark, photograph):
    inferencer = CrackInferencer(backend=dark, tile_size=64, overlap=16,
                                 batch_size=2, with_variance=True,
                                 threshold=.3)
    image = photograph((90, 131))
    found = inferencer(image)
    prob = 1 - image.astype(np.float32).mean(2) / 255
    np.testing.assert_allclose(found.probability, prob, atol=1e-3)
    np.testing.assert_allclose(found.variance, prob * (1 - prob), atol=1e-3)
    assert (found.mask == (prob > .3)).mean() > .9999
    assert all(s[0] <= 2 and s[2] % 8 == s[3] % 8 == 0 for s in dark.shapes)


@pytest.mark.parametrize('size', [(1, 1), (1, 40), (7, 3)])
def test_the_smallest_photographs(inferencer, size):
    image = np.zeros((*size, 3), np.uint8)
    found = inferencer(image)
    assert found.mask.shape == size
    assert found.mask.all()


def test_a_streamed_tiff_keeps_its_maps_in_a_file(dark, photograph, tmp_path):
    image = photograph((300, 200))
    tifffile.imwrite(tmp_path / 'a.tif', image, tile=(64, 64),
                     compression='zlib')
    inferencer = CrackInferencer(backend=dark, tile_size=64, overlap=16,
                                 max_megapixels=.05)
    found = inferencer.predict(tmp_path / 'a.tif', folder=str(tmp_path))
    assert isinstance(found.mask, np.memmap)
    assert (found.mask == (image.mean(2) < 127.5)).all()
    assert [p.name for p in tmp_path.iterdir()] == ['a.tif']


def test_variance_of_cirl_is_that_of_its_head(tmp_path, photograph):
    cfg = config(dict(type='mmcrack.CIRLHead', seg_head=HEAD),
                 auxiliary_head=HEAD)
    model, path = weights(cfg, tmp_path / 'w.pth')
    image = photograph((64, 96))
    found = CrackInferencer(cfg, path, device='cpu', tile_size=None,
                            with_variance=True)(image)
    x = torch.from_numpy(image.transpose(2, 0, 1).copy()).float()
    mean, std = (torch.tensor(cfg.model.data_preprocessor[k])[:, None, None]
                 for k in ('mean', 'std'))
    size = (64, 96)
    with torch.no_grad():
        logits, variance = model.decode_head.predict(
            model.extract_feat(((x - mean) / std)[None]),
            [dict(img_shape=size, pad_shape=size)], {}, return_variance=True)
    assert variance.std() > .01
    np.testing.assert_allclose(found.variance, variance[0, 0], rtol=2e-3)
    np.testing.assert_allclose(found.probability, logits.softmax(1)[0, 1],
                               atol=1e-3)


def test_cbprn_renders_its_points(tmp_path, photograph):
    """As in a test of the whole, which renders a tenth of the pixels."""
    cfg = config(
        dict(type='mmcrack.CBPRNHead', in_channels=[8, 8, 16, 32, 64],
             channels=8, context_channels=8, detail_channels=8,
             heat_channels=8, point_channels=16, norm_cfg=dict(type='BN')))
    cfg.model.data_preprocessor.update(
        size_divisor=32, test_cfg=dict(size_divisor=32))
    cfg.model.backbone = dict(
        type='mmcrack.EdgeGuidedBackbone', image_mean=[110., 120., 130.],
        image_std=[50., 60., 70.], channels=8, num_heads=2, num_modules=1,
        backbone=dict(
            type='ResNet', depth=18, base_channels=8, stem_channels=8,
            out_indices=(0, 1, 2, 3), strides=(1, 2, 2, 2),
            dilations=(1, 1, 1, 1), norm_cfg=dict(type='BN')))
    model, path = weights(cfg, tmp_path / 'w.pth')
    image = photograph((96, 128))
    model.decode_head.keep_rendering = True
    wanted = as_tested(model, image[..., ::-1]).seg_logits.data.softmax(0)[1]
    assert model.decode_head.rendering['rendered'].float().mean() > .1
    found = CrackInferencer(cfg, path, device='cpu')(image)
    np.testing.assert_allclose(found.probability, wanted, atol=1e-3)


def test_the_last_head_of_a_cascade(tmp_path, photograph):
    cfg = config()
    ocr = {k: v for k, v in HEAD.items()
           if k not in ('num_convs', 'concat_input')}
    cfg.model.update(type='CascadeEncoderDecoder', num_stages=2, decode_head=[
        HEAD, dict(type='mmcrack.CIRLHead', seg_head=dict(
            ocr, type='OCRHead', ocr_channels=4))])
    model, path = weights(cfg, tmp_path / 'w.pth')
    image = photograph((64, 96))
    found = CrackInferencer(cfg, path, device='cpu', tile_size=None,
                            with_variance=True)(image)
    result = as_tested(model, image[..., ::-1])
    np.testing.assert_allclose(
        found.probability, result.seg_logits.data.softmax(0)[1], atol=1e-3)
    assert found.variance.astype(float).std() > 0


def test_a_tiled_config_is_the_network_inside(tmp_path, photograph):
    cfg = config()
    _, path = weights(cfg, tmp_path / 'w.pth')
    outer = Config(dict(default_scope='mmseg', model=dict(
        type='mmcrack.TiledSegmentor', segmentor=cfg.model)))
    image = photograph((80, 100))
    one, two = (CrackInferencer(c, path, device='cpu')(image)
                for c in (cfg, outer))
    assert (one.probability == two.probability).all()


@pytest.mark.parametrize(('options', 'words'), [
    (dict(threshold=1.), 'threshold'),
    (dict(tile_size=60), 'multiple of 8'),
    (dict(overlap=40), 'twice the overlap'),
    (dict(max_megapixels=0), 'max_megapixels'),
    (dict(backend=None), 'config and a checkpoint'),
])
def test_what_does_not_fit_is_said(dark, options, words):
    with pytest.raises(ValueError, match=words):
        CrackInferencer(**{**dict(backend=dark, tile_size=64, overlap=16),
                           **options})


@pytest.mark.parametrize(('options', 'words'), [
    (dict(device='cuda:99'), 'torch finds'), (dict(device='toaster'), 'cpu'),
    (dict(precision='int4'), 'fp32'),
])
def test_what_torch_cannot_do_is_said(options, words):
    with pytest.raises(ValueError, match=words):
        TorchBackend(config(), None, **options)


def test_a_checkpoint_that_runs_code_is_refused(tmp_path):
    from mmcrack.engine.checkpoint import CheckpointError
    victim = tmp_path / 'made_by_a_pickle'

    class Evil:
        def __reduce__(self):
            return open, (str(victim), 'w')

    torch.save(dict(state_dict={'a': torch.ones(1)}, meta=Evil()),
               tmp_path / 'evil.pth')
    with pytest.raises(CheckpointError, match='could run code'):
        CrackInferencer(config(), str(tmp_path / 'evil.pth'), device='cpu')
    assert not victim.exists()


def test_weights_of_another_network_are_refused(tmp_path):
    from mmcrack.engine.checkpoint import CheckpointError
    torch.save(dict(state_dict={'a': torch.ones(1)}), tmp_path / 'w.pth')
    with pytest.raises(CheckpointError, match='not of this model'):
        CrackInferencer(config(), str(tmp_path / 'w.pth'), device='cpu')
