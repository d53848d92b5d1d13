"""Clustering-inspired loss: shell over the equations."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmcrack.functional.ci import ci_loss
from mmcrack.registry import MODELS


def check_sets(name: str, features: object, probs: object) -> None:
    """Refuse what an ordinary head would hand over.

    Args:
        name (str): Of the loss.
        features (object): Should be a list of (S, D).
        probs (object): Should be a list of (S, C).

    Raises:
        TypeError: If they are no lists.
    """
    if isinstance(features, (list, tuple)) and isinstance(
            probs, (list, tuple)):
        return
    raise TypeError(
        f'{name} needs the features of ambiguous pixels, which an ordinary '
        'head does not hand over: wrap the head in mmcrack.CIRLHead and give '
        'the loss as its loss_ci, not as loss_decode.')


@MODELS.register_module()
class CILoss(nn.Module):
    """Clustering-inspired loss of the ambiguous pixels: CIRL Eq. 9-16.

    See :func:`mmcrack.functional.ci.ci_loss`. It is the mean over the images
    that have enough ambiguous pixels.

    Args:
        num_neighbors (int): The paper's K, >= 1.
        loss_weight (float): The paper's beta.
        average_neighbors (bool): Divide by K, so that the loss lies in [-1,
            1] and ``loss_weight`` means the same for every K. Not in the
            paper, which sums.
        include_constant (bool): Add the term of Eq. 13 that depends on no
            parameter. It changes from image to image and hides the rest.
        detach_neighbors (bool): No gradient through the neighbours. Not in
            the paper.
        disperse_decay (float): The second sum of Eq. 13 is multiplied by
            ``(1 + 10 t) ** -disperse_decay``, with t from 0 to 1 in the
            course of phase II: the schedule of Yang et al. 2022, the paper's
            [59]. Not in the paper.
        max_pixels (int, optional): Take a random subset of larger sets. Not
            in the paper.
        chunk_size (int): Members at a time in the neighbour search.
        reduction (str): 'mean' or 'sum' over the images.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(self, num_neighbors: int = 20, loss_weight: float = 0.2, *,
                 average_neighbors: bool = False,
                 include_constant: bool = False,
                 detach_neighbors: bool = False,
                 disperse_decay: float = 0.,
                 max_pixels: int | None = None, chunk_size: int = 1024,
                 reduction: str = 'mean',
                 loss_name: str = 'loss_ci') -> None:
        super().__init__()
        if num_neighbors < 1 or chunk_size < 1:
            raise ValueError(
                'num_neighbors and chunk_size must be at least 1, got '
                f'{num_neighbors} and {chunk_size}.')
        if max_pixels is not None and max_pixels < num_neighbors + 2:
            raise ValueError(
                'max_pixels must be None or at least num_neighbors + 2, got '
                f'{max_pixels}.')
        if disperse_decay < 0:
            raise ValueError(
                f'disperse_decay must be at least 0, got {disperse_decay}.')
        if reduction not in ('mean', 'sum'):
            raise ValueError(
                f"reduction must be 'mean' or 'sum', got {reduction!r}.")
        self.num_neighbors = num_neighbors
        self.loss_weight = loss_weight
        self.average_neighbors = average_neighbors
        self.include_constant = include_constant
        self.detach_neighbors = detach_neighbors
        self.disperse_decay = disperse_decay
        self.max_pixels = max_pixels
        self.chunk_size = chunk_size
        self.reduction = reduction
        self.loss_name = loss_name

    @property
    def min_pixels(self) -> int:
        """Fewest ambiguous pixels with which an image counts."""
        return self.num_neighbors + 2

    def forward(self, features: Sequence[Tensor], probs: Sequence[Tensor], *,
                generator: torch.Generator | None = None,
                progress: float = 0.) -> Tensor:
        """Return the weighted loss of a batch.

        Args:
            features (Sequence[Tensor]): For each image float (S, D).
            probs (Sequence[Tensor]): For each image float (S, C), rows add
                up to 1.
            generator (Generator, optional): Chooses subsets.
            progress (float): How much of phase II is over, in [0, 1].

        Returns:
            Tensor: A scalar; 0, connected to the graph, if no image has
            enough ambiguous pixels.

        Raises:
            TypeError: If the loss stands where a plain loss belongs.
        """
        check_sets(type(self).__name__, features, probs)
        losses = []
        disperse_weight = (1 + 10 * progress)**-self.disperse_decay
        for x, p in zip(features, probs, strict=True):
            if len(x) < self.min_pixels:
                continue
            if self.max_pixels is not None and len(x) > self.max_pixels:
                keep = torch.randperm(len(x), generator=generator)
                keep = keep[:self.max_pixels].to(x.device)
                x, p = x[keep], p[keep]
            losses.append(
                ci_loss(
                    x,
                    p,
                    num_neighbors=self.num_neighbors,
                    include_constant=self.include_constant,
                    detach_neighbors=self.detach_neighbors,
                    disperse_weight=disperse_weight,
                    chunk_size=self.chunk_size))
        if not losses:
            return sum((0 * p.sum() for p in probs), torch.zeros(()))
        total = torch.stack(losses).sum()
        if self.reduction == 'mean':
            total = total / len(losses)
        if self.average_neighbors:
            total = total / self.num_neighbors
        return self.loss_weight * total
