"""Regions of a crack label: where the papers treat pixels differently."""

import torch
from torch import Tensor

from mmcrack.functional.morphology import dilate, erode

BODY, BOUNDARY, BACKGROUND = 0, 1, 2


def binary_label(seg_label: Tensor, *, crack_class: int,
                 ignore_index: int) -> Tensor:
    """Reduce a label map of any classes to crack, background and ignored.

    Args:
        seg_label (Tensor): Int64, (N, H, W).
        crack_class (int): Class index of crack in ``seg_label``.
        ignore_index (int): Label of pixels without a truth.

    Returns:
        Tensor: Int64, (N, H, W) of {0, 1, ``ignore_index``}.
    """
    label = (seg_label == crack_class).long()
    return label.masked_fill(seg_label == ignore_index, ignore_index)


def boundary_band(seg_label: Tensor, *, dilation: int,
                  ignore_index: int = 255) -> Tensor:
    """Return the band around the boundary of the labelled crack.

    CBPRN, "Point sampling study in the training phase" and Figure 6: the
    outermost crack pixels (those that touch background in their 3 x 3
    neighbourhood; the image border is no background) dilated equally inward
    and outward, so the band is ``2 * dilation + 1`` pixels wide: 1, 3, 5, 7
    for 0, 1, 2, 3 (Table 1).

    Args:
        seg_label (Tensor): Int64, (N, H, W) of {0, 1, ``ignore_index``}.
        dilation (int): Dilation coefficient, >= 0.
        ignore_index (int): Ignored pixels make no boundary and belong to no
            band.

    Returns:
        Tensor: Bool, (N, H, W).

    Raises:
        ValueError: If ``dilation`` is negative.

    Example:
        A crack of one pixel width and length 11 in the middle of a 15 x 15
        image has bands of 11, 39, 75 and 105 pixels for the dilations 0, 1,
        2 and 3 (where the image cuts nothing off the last has 119).
    """
    if dilation < 0:
        raise ValueError(f'dilation must be at least 0, got {dilation}.')
    crack = seg_label == 1
    ignored = seg_label == ignore_index
    contour = crack & ~erode(crack | ignored, kernel_size=3)
    return dilate(contour, kernel_size=2 * dilation + 1) & ~ignored


def crack_regions(seg_label: Tensor, *, dilation: int,
                  ignore_index: int = 255) -> Tensor:
    """Split an image into crack body, boundary band and background.

    CBPRN, "For the training phase" and Figure 3.

    Args:
        seg_label (Tensor): Int64, (N, H, W) of {0, 1, ``ignore_index``}.
        dilation (int): See :func:`boundary_band`.
        ignore_index (int): Label of pixels without a truth.

    Returns:
        Tensor: Int64, (N, H, W) of ``BODY`` (0), ``BOUNDARY`` (1),
        ``BACKGROUND`` (2), and -1 where ignored.
    """
    band = boundary_band(
        seg_label, dilation=dilation, ignore_index=ignore_index)
    regions = torch.where(seg_label == 1, BODY, BACKGROUND)
    regions = regions.masked_fill(band, BOUNDARY)
    return regions.masked_fill(seg_label == ignore_index, -1)


def marginal_region(seg_label: Tensor, *, kernel_size: int,
                    ignore_index: int = 255) -> Tensor:
    """Return the background beside the labelled crack.

    CIRL Eq. 1, ``M = dilate(y) - y``: with the paper's 5 x 5 kernel a ring
    of 2 pixels.

    Args:
        seg_label (Tensor): Int64, (N, H, W) of {0, 1, ``ignore_index``}.
        kernel_size (int): Odd side of the dilating square, in pixels.
        ignore_index (int): Ignored pixels make no margin and belong to none.

    Returns:
        Tensor: Bool, (N, H, W).

    Raises:
        ValueError: If ``kernel_size`` is not a positive odd number.

    Example:
        A block of 5 x 7 pixels and a line of 1 x 11 pixels inside a 15 x 15
        image both have a margin of 64 pixels for the kernel 5.
    """
    crack = seg_label == 1
    margin = dilate(crack, kernel_size=kernel_size) & ~crack
    return margin & (seg_label != ignore_index)


def outer_boundary_label(seg_label: Tensor, *,
                         ignore_index: int = 255) -> Tensor:
    """Return the truth of JTFN's boundary: background that touches crack.

    Cheng et al. 2021 (JTFN), as the released
    files have it: a 3 x 3 dilation of the mask without the mask, an outer
    rim of one pixel. The paper's own recipe, Canny edges fused with a
    spatial gradient, is left out: it gives no thresholds and no fusion.

    Args:
        seg_label (Tensor): Int64, (N, H, W) of {0, 1, ``ignore_index``}.
        ignore_index (int): Ignored pixels make no boundary and stay
            ignored.

    Returns:
        Tensor: Int64, (N, H, W) of {0, 1, ``ignore_index``}.

    Example:
        A block of 5 x 7 pixels has a boundary of 28 pixels.
    """
    rim = marginal_region(
        seg_label, kernel_size=3, ignore_index=ignore_index)
    return rim.long().masked_fill(seg_label == ignore_index, ignore_index)


def ambiguous_region(log_var: Tensor, marginal_mask: Tensor, *,
                     variance_threshold: float | Tensor) -> Tensor:
    """Return the part of the margin whose variance is above a threshold.

    CIRL Eq. 8, ``A = [exp(log_var) > threshold] and M``.

    Args:
        log_var (Tensor): Float, (N, H, W), log of the variance.
        marginal_mask (Tensor): Bool, (N, H, W), from
            :func:`marginal_region`.
        variance_threshold (float | Tensor): The paper's gamma, >= 0 (0
            takes the whole margin); or a
            tensor that broadcasts to (N, H, W).

    Returns:
        Tensor: Bool, (N, H, W); without gradient.
    """
    threshold = torch.as_tensor(
        variance_threshold, dtype=torch.float32, device=log_var.device)
    return marginal_mask & (log_var.detach().float() > threshold.log())
