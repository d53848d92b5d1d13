"""Robust T-Loss of crack: shell over the equation."""

import torch
from torch import Tensor, nn

from mmcrack.functional.student_t import student_t_nll
from mmcrack.models.losses.binary_loss import BinaryLoss
from mmcrack.registry import MODELS


@MODELS.register_module()
class RobustTLoss(BinaryLoss):
    """Robust T-Loss: Gonzalez-Jimenez et al. 2023, a row of CIRL Table 3.

    See :func:`mmcrack.functional.student_t.student_t_nll`: each image's
    errors are one draw from Student's t, with as many dimensions as pixels
    count (the sum of their weights). The degrees of freedom are learnt: the
    loss has a parameter, ``log_nu``, that a decode head hands to the
    optimiser with its own. Weight decay would pull it to 0; keep it off::

        optim_wrapper = dict(
            paramwise_cfg=dict(custom_keys={'log_nu': dict(decay_mult=0.)}))

    The authors' code multiplies the squared errors by e, through a matrix of
    ones that is never trained, and fixes the number of pixels; neither is
    done here. The loss can be negative.

    Args:
        log_nu (float): Its logarithm at the start; 1 as in the authors'
            code.
        normalize (bool): Divide each image's loss by its dimensions, so that
            ``loss_weight`` means the same for every size of crop. Not in the
            paper.
        crack_class (int): Class index of crack.
        loss_weight (float): Factor of the mean over the images.
        loss_name (str): Key in the log.
    """

    def __init__(self, log_nu: float = 1., *, normalize: bool = True,
                 crack_class: int = 1, loss_weight: float = 1.,
                 loss_name: str = 'loss_t') -> None:
        super().__init__(
            crack_class=crack_class, loss_weight=loss_weight,
            loss_name=loss_name)
        self.log_nu = nn.Parameter(torch.tensor(float(log_nu)))
        self.normalize = normalize

    def reduced(self, logit: Tensor, target: Tensor, valid: Tensor,
                weight: Tensor) -> Tensor:
        """Return the mean over images with a pixel that counts."""
        size = weight.double().flatten(1).sum(dim=1)
        there = size > 0
        if not bool(there.any()):
            return self.nothing(logit)
        error = weight * (logit.sigmoid() - target)**2
        distance = error.double().flatten(1).sum(dim=1)[there]
        loss = student_t_nll(distance, size[there], self.log_nu)
        if self.normalize:
            loss = loss / size[there]
        return loss.mean().to(logit.dtype)
