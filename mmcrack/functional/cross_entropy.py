"""Relatives of the binary cross entropy: focal, Poly-1, class-balanced."""

import torch
import torch.nn.functional as F
from torch import Tensor


def focal_loss(logit: Tensor, target: Tensor, *, gamma: float,
               alpha: float | None) -> Tensor:
    """Return the focal loss of each pixel.

    Lin et al. 2017 (ICCV), Eq. 5: ``-alpha_t (1 - p_t)^gamma log(p_t)``,
    where ``p_t`` is the probability of the true class and ``alpha_t`` is
    ``alpha`` for crack and ``1 - alpha`` for background. It is evaluated
    from log-sigmoids, so that no logit overflows it and its gradient is
    finite for every ``gamma``.

    Args:
        logit (Tensor): Float, any shape, log odds of crack.
        target (Tensor): Of the same shape, {0, 1}.
        gamma (float): Focus on hard pixels, >= 0; 0 is cross entropy.
        alpha (float, optional): Weight of crack, in [0, 1]; None weighs
            both classes by 1.

    Returns:
        Tensor: Float, of the same shape, >= 0.

    Example:
        For a crack pixel with p = 0.5, gamma 2 and alpha 0.25 it is 0.25 *
        0.25 * 0.693147 = 0.043322.
    """
    return poly1_loss(logit, target, epsilon=0., gamma=gamma, alpha=alpha)


def poly1_loss(logit: Tensor, target: Tensor, *, epsilon: float,
               gamma: float, alpha: float | None) -> Tensor:
    """Return the Poly-1 loss of each pixel.

    Leng et al. 2022 (ICLR), "PolyLoss": the first coefficient of the
    expansion of a loss in ``1 - p_t`` is changed by ``epsilon``, which adds
    ``epsilon (1 - p_t)^(gamma + 1)`` to the focal loss. ``gamma`` 0 and
    ``alpha`` None make cross entropy the base. ``alpha`` weighs both terms,
    so that their ratio is the same for both classes.

    Args:
        logit (Tensor): Float, any shape, log odds of crack.
        target (Tensor): Of the same shape, {0, 1}.
        epsilon (float): Change of the first coefficient.
        gamma (float): The base's focus on hard pixels, >= 0.
        alpha (float, optional): Weight of crack, in [0, 1]; None weighs
            both classes by 1.

    Returns:
        Tensor: Float, of the same shape.

    Example:
        With cross entropy as the base and epsilon 1, p_t = 0.5 gives
        0.693147 + 0.5 = 1.193147.
    """
    true_logit = torch.where(target > 0, logit, -logit)
    log_wrong = F.logsigmoid(-true_logit)
    loss = -(gamma * log_wrong).exp() * F.logsigmoid(true_logit)
    if epsilon:
        loss = loss + epsilon * ((gamma + 1) * log_wrong).exp()
    if alpha is not None:
        loss = loss * (alpha * target + (1 - alpha) * (1 - target))
    return loss


def weighted_bce(logit: Tensor, target: Tensor, *,
                 pos_weight: Tensor | float,
                 neg_weight: Tensor | float) -> Tensor:
    """Return the binary cross entropy of each pixel, classes weighted.

    ``-(pos_weight y log(p) + neg_weight (1 - y) log(1 - p))``.

    Args:
        logit (Tensor): Float, any shape, log odds of crack.
        target (Tensor): Of the same shape, {0, 1}.
        pos_weight (Tensor | float): Of crack pixels.
        neg_weight (Tensor | float): Of the others.

    Returns:
        Tensor: Float, of the same shape, >= 0.
    """
    return -(pos_weight * target * F.logsigmoid(logit) +
             neg_weight * (1 - target) * F.logsigmoid(-logit))


def balance_weights(target: Tensor, valid: Tensor, *,
                    neg_scale: float) -> tuple[Tensor, Tensor]:
    """Return weights by which both classes count alike.

    Xie and Tu 2015 (ICCV, HED), Eq. 2: a crack pixel weighs the share of
    background among the pixels that count, a background pixel the share of
    crack. Liu et al. 2017 (CVPR, RCF), Eq. 1, multiply the latter by 1.1;
    CrackFormer-II's code follows them. Without a crack pixel every weight
    that is used is 0.

    Args:
        target (Tensor): Float, any shape, {0, 1}.
        valid (Tensor): Bool, of the same shape: pixels that count.
        neg_scale (float): Factor of the background's weight.

    Returns:
        tuple[Tensor, Tensor]: Weight of crack and of background, scalars.

    Example:
        Three crack pixels of six and the factor 1.1 give 0.5 and 0.55.
    """
    share = (target * valid).sum() / valid.sum().clamp(min=1)
    return 1 - share, neg_scale * share
