"""Exported files predict what torch predicts, at every size."""

import numpy as np
import pytest
import torch
from export_networks import CONFIGS, blobs, spread

from mmcrack.datasets.images import read_image
from mmcrack.inference import export_modules
from mmcrack.inference.backend import TorchBackend
from mmcrack.inference.export import (
    ExportError,
    Parity,
    compare,
    export_onnx,
    middle,
    rendering_head,
)
from mmcrack.inference.inferencer import CrackInferencer

pytest.importorskip('onnx')
pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')
# Odd ones, ones smaller than the padding, long ones.
SIZES = [(64, 96), (97, 61), (1, 1), (5, 130), (33, 31)]


@pytest.fixture(scope='module', params=CONFIGS)
def exported(request, tmp_path_factory):
    """A network of each kind and its file."""
    torch.manual_seed(0)
    backend = TorchBackend(CONFIGS[request.param](), None, device='cpu')
    spread(backend, torch.from_numpy(blobs((96, 128), batch=2)))
    path = tmp_path_factory.mktemp(request.param) / 'net.onnx'
    loaded = export_onnx(backend, path,
                         with_variance=request.param == 'cirl')
    assert [p.name for p in path.parent.iterdir()] == ['net.onnx']
    return request.param, backend, loaded


def test_probabilities_are_torchs_at_every_size(exported):
    kind, backend, loaded = exported
    total, spread_out = Parity(), []
    for seed, size in enumerate(SIZES):
        images = blobs(size, batch=1 + seed % 3, seed=seed)
        total += compare(loaded, backend, images)
        spread_out.append(backend.probabilities(torch.from_numpy(images)))
    assert total.pixels == sum(
        (1 + s % 3) * h * w for s, (h, w) in enumerate(SIZES))
    assert total.difference < 1e-4
    assert total.flipped == 0
    # The law means something: the masks are neither empty nor full.
    prob = torch.cat([p.flatten() for p in spread_out])
    assert prob.std() > 0.1
    assert 0.05 < (prob > backend.threshold).float().mean() < 0.95
    if kind == 'cbprn':
        rendered = ((prob > 0.3) & (prob < 0.7)).float().mean()
        assert rendered > 0.05


def test_real_photographs(exported, deepcrack_root, hr_concrete_root):
    _, backend, loaded = exported
    files = sorted((deepcrack_root / 'images' / 'test').iterdir())[:2]
    files += sorted((hr_concrete_root / 'images' / 'test').iterdir())[:1]
    total = Parity()
    for path, edge in zip(files, (384, 251, 509), strict=True):
        picture = middle(read_image(path), edge).transpose(2, 0, 1)
        total += compare(loaded, backend, picture[None].copy())
    assert total.pixels > 400_000
    assert total.difference < 1e-3
    assert total.flipped <= 1e-4 * total.pixels
    assert total.edge < 1e-3 * total.pixels


def test_variance_is_cirls(exported):
    kind, backend, loaded = exported
    assert loaded.has_variance == (kind == 'cirl')
    images = blobs((45, 52), batch=2)
    if kind != 'cirl':
        with pytest.raises(ValueError, match='no variance'):
            loaded.probabilities_and_variances(images)
        return
    wanted = backend.probabilities_and_variances(torch.from_numpy(images))
    got = loaded.probabilities_and_variances(images)
    np.testing.assert_allclose(got[0], wanted[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(got[1], wanted[1].numpy(), rtol=1e-4)


def test_the_file_says_what_it_is(exported):
    kind, backend, loaded = exported
    assert loaded.metadata['input'] == dict(
        name='image', layout='NCHW', channels='RGB', dtype='uint8',
        range=[0, 255])
    assert loaded.classes == ['background', 'crack']
    assert loaded.threshold == {'unet': 0.4}.get(kind, 0.5)
    assert loaded.size_divisor == dict(
        unet=8, cirl=8, pspnet=1, cbprn=32)[kind]
    assert loaded.multiple == backend.multiple
    assert backend.description in loaded.description


def test_it_stands_in_for_torch_in_the_inferencer(exported):
    kind, backend, loaded = exported
    picture = blobs((150, 170))[0].transpose(1, 2, 0)
    found = [CrackInferencer(backend=b, tile_size=96, overlap=32)(picture)
             for b in (backend, loaded)]
    np.testing.assert_allclose(
        found[0].probability.astype(float),
        found[1].probability.astype(float), atol=1e-3)
    assert (found[0].mask != found[1].mask).mean() <= 1e-4


def test_a_batch_of_another_kind_is_refused(exported):
    _, _, loaded = exported
    good = blobs((32, 32))
    for wrong, word in ((good[0], 'N, 3, H, W'), (good[:, :1], 'N, 3, H, W'),
                        (good.astype(np.float32) / 255, 'uint8'),
                        (good[:, :, :0], 'not empty')):
        with pytest.raises(ValueError, match=word):
            loaded.probabilities(wrong)


def test_a_part_that_is_not_dynamic_is_found(monkeypatch, tmp_path):
    """MMSegmentation's own upsampling freezes at the size of the trace."""
    monkeypatch.setattr(export_modules, '_REPLACED', ())
    backend = TorchBackend(CONFIGS['unet'](), None, device='cpu')
    with pytest.raises(ExportError, match='frozen|froze'):
        export_onnx(backend, tmp_path / 'net.onnx')
    assert not list(tmp_path.iterdir())


def test_padding_is_advised_to_networks_that_want_it(tmp_path):
    """MMSegmentation's own U-Net configs pad nothing in a test."""
    cfg = CONFIGS['unet']()
    del cfg.model.data_preprocessor.test_cfg
    backend = TorchBackend(cfg, None, device='cpu')
    with pytest.raises(ExportError, match=r'divisible.*--size-divisor 32'):
        export_onnx(backend, tmp_path / 'net.onnx')


def test_differences_add_up():
    parts = Parity(1e-6, 0, 2, 100) + Parity(5e-4, 1, 0, 10_000)
    assert parts == Parity(5e-4, 1, 2, 10_100)
    assert parts.good
    assert not (parts + Parity(0., 1, 0, 0)).good
    assert not (parts + Parity(2e-3, 0, 0, 0)).good
    assert not (parts + Parity(float('inf'), 0, 0, 1)).good


def test_cirl_around_cbprn_renders_too():
    cfg = CONFIGS['cbprn']()
    cfg.model.decode_head = dict(
        type='mmcrack.CIRLHead', seg_head=cfg.model.decode_head)
    backend = TorchBackend(cfg, None, device='cpu')
    head = rendering_head(backend.model)
    assert type(head).__name__ == 'CBPRNHead'
