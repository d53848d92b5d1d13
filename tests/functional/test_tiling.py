"""Tiles: where they lie, how they are blended, what is ever in memory."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mmcrack.functional.tiling import (
    blend_weights,
    plan_axis,
    reflected,
    tiled,
)


def run(image, predict, **options):
    options = {**dict(tile_size=64, overlap=16, margin=4, multiple=8,
                      batch_size=3), **options}
    bands = [(b.top, b.bottom, b.maps.clone()) for b in tiled(
        lambda top, bottom: image[:, top:bottom], predict,
        image.shape[1:], **options)]
    assert [b[0] for b in bands[1:]] == [b[1] for b in bands[:-1]]
    assert (bands[0][0], bands[-1][1]) == (0, image.shape[1])
    return torch.cat([maps for _, _, maps in bands], 1)


@given(st.integers(1, 5000), st.integers(4, 40), st.integers(0, 20),
       st.integers(1, 33), st.floats(0, 1))
def test_tiles_cover_and_weights_sum_to_one(length, tile, overlap, multiple,
                                            share):
    overlap = min(overlap, tile // 2)
    axis = plan_axis(length, tile_size=tile * multiple,
                     overlap=overlap * multiple, multiple=multiple)
    assert axis.padded - length < multiple
    assert axis.starts[-1] + axis.tile == axis.padded
    assert all(s % multiple == 0 for s in (*axis.starts, axis.tile))
    assert axis.tile <= tile * multiple
    gaps = [b - a for a, b in zip(axis.starts, axis.starts[1:], strict=False)]
    assert all(0 < gap <= axis.tile - overlap * multiple for gap in gaps)
    weights = blend_weights(axis, margin=int(share * overlap * multiple / 2))
    total = torch.zeros(axis.padded)
    for start, weight in zip(axis.starts, weights, strict=True):
        total[start:start + axis.tile] += weight
    torch.testing.assert_close(total, torch.ones_like(total))


def test_the_work_follows_the_area():
    """Tiles shrink so that few pixels are predicted twice."""
    for length in range(1100, 15000, 97):
        axis = plan_axis(length, tile_size=1024, overlap=128, multiple=32)
        count = len(axis.starts)
        wanted = length + 128 * (count - 1)
        assert count * axis.tile < wanted + 32 * (count + 1)


def test_weights_of_two_tiles():
    axis = plan_axis(96, tile_size=64, overlap=32, multiple=32)
    assert axis.starts == (0, 32)
    first, second = blend_weights(axis, margin=8)
    # Zone: 40 to 56. Outside it one tile alone counts.
    assert (first[:40] == 1).all()
    assert (first[56:] == 0).all()
    assert (second[24:] == 1).all()
    assert (second[:8] == 0).all()
    # In its middle both count alike, and at its ends no step is seen:
    # a Gaussian of a quarter of the zone, 16 / 4, at 15.5 and at 0.5.
    u = torch.tensor([.5, 15.5])
    fall = torch.exp(-.5 * (u / 4)**2)
    torch.testing.assert_close(first[55], fall[1] / (fall[0] + fall[1]))
    torch.testing.assert_close(first[47] + first[48], torch.tensor(1.))
    assert first[55] < 1e-3


@pytest.mark.parametrize(('length', 'stop', 'wanted'), [
    (1, 4, [0, 0, 0]), (2, 6, [0, 1, 0, 1]), (4, 9, [2, 1, 0, 1, 2]),
    (5, 5, []),
])
def test_mirrored_without_the_last_pixel(length, stop, wanted):
    assert reflected(stop, length).tolist() == wanted
    if length > 1 and stop < 2 * length:
        row = torch.arange(length, dtype=torch.float)[None]
        assert F.pad(row, (0, stop - length), mode='reflect')[
            0, length:].tolist() == wanted


@pytest.mark.parametrize('size', [(200, 152), (64, 300), (37, 41), (1, 1),
                                  (129, 66)])
@pytest.mark.parametrize('batch_size', [1, 4])
def test_equals_the_whole_image_where_the_margin_covers_the_field(
        generator, size, batch_size):
    kernel = torch.randn(2, 1, 9, 9, generator=generator)
    image = torch.randn(1, *size, generator=generator)

    def predict(x):
        return torch.sin(F.conv2d(x, kernel, padding=4))

    got = run(image, predict, batch_size=batch_size)
    padded = image
    for dim in (1, 2):
        stop = -(-image.shape[dim] // 8) * 8
        index = [*range(image.shape[dim]),
                 *reflected(stop, image.shape[dim]).tolist()]
        padded = padded.index_select(dim, torch.tensor(index))
    whole = predict(padded[None])[0, :, :size[0], :size[1]]
    torch.testing.assert_close(got, whole, rtol=0, atol=1e-5)
    # With too small a margin it differs: the test can see it.
    if min(size) > 128:
        worse = run(image, predict, margin=0)
        assert (worse - whole).abs().max() > 1e-3


def test_rows_in_memory_are_those_of_one_row_of_tiles():
    """Nothing is read twice but the overlap, and nothing held longer."""
    reads, alive = [], []
    bands = tiled(
        lambda top, bottom: reads.append((top, bottom)) or torch.zeros(
            1, bottom - top, 50), lambda x: x, (1000, 50),
        tile_size=64, overlap=16, margin=4, multiple=8, batch_size=1)
    for band in bands:
        alive.append(band.maps.untyped_storage().nbytes() // 4 // 56)
        assert reads[-1][0] == band.top
    assert set(alive) == {64}
    assert sum(b - a for a, b in reads) <= 1000 + 24 * (len(reads) - 1)


@pytest.mark.parametrize(('options', 'words'), [
    (dict(tile_size=60), 'multiple of 8'),
    (dict(overlap=40), 'twice the overlap'),
    (dict(margin=9), 'half the overlap'),
    (dict(margin=-1), 'half the overlap'),
    (dict(batch_size=0), 'batch_size'),
])
def test_what_does_not_fit_is_said(options, words):
    with pytest.raises(ValueError, match=words):
        run(torch.zeros(1, 200, 200), lambda x: x, **options)


def test_progress_counts_tiles():
    told = []
    run(torch.zeros(1, 100, 100), lambda x: x, batch_size=2,
        on_tiles=lambda done, total: told.append((done, total)))
    assert told == [(2, 4), (4, 4)]
