"""Distance of masks in the feature maps of a network: Mosinska et al."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def feature_distance(prob: Tensor, target: Tensor, *,
                     extract: Callable[[Tensor], Sequence[Tensor]],
                     valid: Tensor | None = None) -> Tensor:
    """Compare a prediction with its truth in feature maps.

    Mosinska et al., "Beyond the Pixel-Wise Loss for Topology-Aware
    Delineation", CVPR 2018, Eq. 2: the sum over the maps of the mean squared
    difference between the features of prediction and truth, the mean over
    channels and positions. Pixels without a truth show the same in both: the
    target takes the place of the prediction there.

    Args:
        prob (Tensor): Float, (N, H, W), crack probability in [0, 1].
        target (Tensor): Of the same shape, {0, 1}.
        extract (Callable[[Tensor], Sequence[Tensor]]): Takes (N, 1, H, W)
            and returns feature maps (N, C, h, w).
        valid (Tensor, optional): Bool, (N, H, W), pixels with a truth.

    Returns:
        Tensor: Float, (N), >= 0; a gradient reaches ``prob`` only.

    Example:
        With ``extract=lambda x: [2 * x, x]`` it is 5 times the mean squared
        difference.
    """
    if valid is not None:
        prob = torch.where(valid, prob, target)
    with torch.no_grad():
        wanted = extract(target[:, None])
    found = extract(prob[:, None])
    return sum(
        ((one - other)**2).flatten(1).mean(1)
        for one, other in zip(found, wanted, strict=True))
