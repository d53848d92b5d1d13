"""NNCLR on ambiguous pixels: the row that CIRL compares its CI loss with."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmcrack.functional.nnclr import nearest_in_queue, nnclr_loss
from mmcrack.models.losses.ci_loss import check_sets
from mmcrack.registry import MODELS


@MODELS.register_module()
class PixelNNCLRLoss(nn.Module):
    """Contrast of ambiguous pixels with their neighbours in a queue.

    CIRL, Table 5, compares with NNCLR (Dwibedi et al. 2021) and says only
    that it is hard to apply to pixels. This version is not in the papers:
    two views of a pixel are two dropouts of its feature, projected,
    predicted and normalised as in NNCLR; the positive is the nearest member
    of a queue of earlier pixels; negatives are the other pixels drawn.
    Until the queue is full the positive is the other view.

    Args:
        in_channels (int): D, channels of the features.
        embed_channels (int): Of projections and queue.
        hidden_channels (int): Of the predictor.
        queue_size (int): Members of the queue.
        temperature (float): NNCLR's tau, > 0.
        feature_dropout (float): In (0, 1).
        max_pixels (int): Pixels drawn of each image.
        loss_weight (float): The paper's beta.
        loss_name (str): Key in the log.

    Raises:
        ValueError: If a number is out of its range.
    """

    #: CIRLHead fills in ``in_channels``.
    wants_in_channels = True
    #: Fewest ambiguous pixels with which an image counts.
    min_pixels = 2

    def __init__(self, in_channels: int, *, embed_channels: int = 128,
                 hidden_channels: int = 256, queue_size: int = 16384,
                 temperature: float = 0.1, feature_dropout: float = 0.1,
                 max_pixels: int = 512, loss_weight: float = 0.2,
                 loss_name: str = 'loss_nnclr') -> None:
        super().__init__()
        if temperature <= 0 or not 0 < feature_dropout < 1:
            raise ValueError(
                'temperature must be above 0 and feature_dropout between 0 '
                f'and 1, got {temperature} and {feature_dropout}.')
        if max_pixels < 2 or queue_size < 1:
            raise ValueError(
                'max_pixels must be at least 2 and queue_size at least 1, '
                f'got {max_pixels} and {queue_size}.')
        self.projector = nn.Sequential(
            nn.Linear(in_channels, embed_channels),
            nn.BatchNorm1d(embed_channels), nn.ReLU(),
            nn.Linear(embed_channels, embed_channels))
        self.predictor = nn.Sequential(
            nn.Linear(embed_channels, hidden_channels),
            nn.BatchNorm1d(hidden_channels), nn.ReLU(),
            nn.Linear(hidden_channels, embed_channels))
        self.temperature = temperature
        self.feature_dropout = feature_dropout
        self.max_pixels = max_pixels
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        self.register_buffer('queue', torch.zeros(queue_size, embed_channels))
        self.register_buffer('filled', torch.zeros((), dtype=torch.long))
        self.register_buffer('place', torch.zeros((), dtype=torch.long))

    def forward(self, features: Sequence[Tensor], probs: Sequence[Tensor], *,
                generator: torch.Generator | None = None,
                progress: float = 0.) -> Tensor:
        """Return the weighted loss of a batch.

        Args:
            features (Sequence[Tensor]): For each image float (S, D).
            probs (Sequence[Tensor]): Not used; for each image (S, C).
            generator (Generator, optional): Draws pixels and dropouts.
            progress (float): Not used.

        Returns:
            Tensor: A scalar; 0, connected to all parameters, if fewer than
            two pixels are ambiguous.

        Raises:
            TypeError: If the loss stands where a plain loss belongs.
        """
        check_sets(type(self).__name__, features, probs)
        drawn = []
        for x in features:
            if len(x) >= self.min_pixels:
                keep = torch.randperm(len(x), generator=generator)
                drawn.append(x[keep[:self.max_pixels].to(x.device)].float())
        if not drawn:
            everything = (*self.parameters(), *features)
            return sum((0 * x.sum() for x in everything), torch.zeros(()))
        with torch.autocast(drawn[0].device.type, enabled=False):
            return self.loss_weight * self._contrast(
                torch.cat(drawn), generator)

    def _contrast(self, x: Tensor,
                  generator: torch.Generator | None) -> Tensor:
        """Return the symmetric loss of pixels (S, D); fill the queue."""
        z, q = [], []
        for _ in range(2):
            keep = torch.rand(x.shape, generator=generator).to(x.device)
            view = x * (keep >= self.feature_dropout) / (
                1 - self.feature_dropout)
            z.append(F.normalize(self.projector(view), dim=1))
            q.append(F.normalize(self.predictor(z[-1]), dim=1))
        losses = []
        for first, second in ((0, 1), (1, 0)):
            near = z[first].detach()
            if int(self.filled) == len(self.queue):
                near = nearest_in_queue(near, self.queue)
            losses.append(
                nnclr_loss(near, q[second], temperature=self.temperature))
        self._enqueue(z[0].detach())
        return torch.stack(losses).mean()

    @torch.no_grad()
    def _enqueue(self, z: Tensor) -> None:
        """Put embeddings in place of the oldest."""
        size = len(self.queue)
        z = z[-size:]
        places = (int(self.place) + torch.arange(len(z))) % size
        self.queue[places.to(z.device)] = z
        self.place.fill_((int(self.place) + len(z)) % size)
        self.filled.fill_(min(int(self.filled) + len(z), size))
