import torch

from mmcrack.models.layers.padding import crop_to, pad_to_multiple


def test_the_last_row_and_column_are_repeated():
    x = torch.arange(6.).view(1, 1, 2, 3)
    padded = pad_to_multiple(x, 4)
    assert padded[0, 0].tolist() == [
        [0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]]
    assert torch.equal(crop_to(padded, (2, 3)), x)


def test_what_fits_stays_the_same_tensor():
    x = torch.zeros(1, 1, 8, 4)
    assert pad_to_multiple(x, 4) is x
