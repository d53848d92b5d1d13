"""What CIRL adds to a head: the std head and figures about its variance."""

import re

import torch
from torch import Tensor, nn


class StdHead(nn.Module):
    """Log-variance of each pixel.

    CIRL, 3.2: "a fully-connected layer on top of the backbone".

    Args:
        in_channels (int): D.
        weight (float): Standard deviation of the first weights.
        bias (float): First bias: the log-variance at the start.
    """

    def __init__(self, in_channels: int, *, weight: float,
                 bias: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 1, 1)
        nn.init.normal_(self.conv.weight, std=weight)
        nn.init.constant_(self.conv.bias, bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the log-variance.

        Args:
            features (Tensor): (N, D, h, w).

        Returns:
            Tensor: Float32, (N, 1, h, w).
        """
        # In bfloat16 its first, tiny weights would leave one value for all.
        with torch.autocast(features.device.type, enabled=False):
            return self.conv(features.to(self.conv.weight.dtype)).float()


def read_threshold(value: float | str) -> tuple[float | None, float | None]:
    """Read a threshold of the variance.

    Args:
        value (float | str): A variance >= 0, or 'q0.9' for a quantile.

    Returns:
        tuple: The variance or None, the quantile or None.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, str):
        match = re.fullmatch(r'q(0?\.\d+)', value)
        if match and 0 < float(match.group(1)) < 1:
            return None, float(match.group(1))
    elif value >= 0:
        return float(value), None
    raise ValueError(
        'variance_threshold must be a variance of at least 0 or a quantile '
        f"such as 'q0.9', got {value!r}.")


def variance_threshold_of(log_var: Tensor, margin: Tensor,
                          quantile: float) -> Tensor:
    """Return a quantile of the variance in each image's margin.

    Args:
        log_var (Tensor): Float, (N, H, W).
        margin (Tensor): Bool, (N, H, W).
        quantile (float): In (0, 1).

    Returns:
        Tensor: Float32, (N, 1, 1); infinite where an image has no margin.
    """
    out = log_var.new_full((len(log_var), 1, 1), torch.inf)
    for n, mask in enumerate(margin):
        values = log_var[n][mask]
        if len(values):
            out[n] = quantile_of(values, quantile).exp()
    return out


def quantile_of(values: Tensor, quantile: float) -> Tensor:
    """Return a lower quantile of any number of values: a scalar."""
    place = int(quantile * (values.numel() - 1)) + 1
    return values.flatten().kthvalue(place).values


@torch.no_grad()
def variance_figures(log_var: Tensor, target: Tensor,
                     margin: Tensor) -> dict[str, Tensor]:
    """Return medians of the variance where CIRL looks at it.

    Args:
        log_var (Tensor): Float, (N, H, W).
        target (Tensor): Int64, (N, H, W) of {0, 1, ignored}.
        margin (Tensor): Bool, (N, H, W).

    Returns:
        dict[str, Tensor]: ``variance_crack``, ``variance_margin``,
        ``variance_margin_q90`` and ``variance_background``; without those
        of a region that has no pixel.
    """
    log_var = log_var.detach()
    background = (target == 0) & ~margin
    # Every 16th pixel of the background tells its median as well.
    values = {
        'crack': log_var[target == 1],
        'margin': log_var[margin],
        'background': log_var[:, ::4, ::4][background[:, ::4, ::4]],
    }
    figures = {
        f'variance_{name}': quantile_of(x, 0.5).exp()
        for name, x in values.items() if len(x)
    }
    if len(values['margin']):
        figures['variance_margin_q90'] = quantile_of(
            values['margin'], 0.9).exp()
    return figures
