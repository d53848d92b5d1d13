"""The shared MLP that predicts single points."""

import torch
from torch import Tensor, nn


class PointMLP(nn.Module):
    """Predict each point from its feature and its coarse logit.

    CBPRN, "Fine-Grained Prediction Head"; Kirillov et al. 2020, section 3.3:
    one MLP with the same weights for all points. The coarse logit enters at
    every layer. Widths are those of PointRend; CBPRN gives none.

    Args:
        in_channels (int): Width D of a point's feature.
        out_channels (int): Channels K of the coarse and the new logits.
        channels (int): Width of the hidden layers.
        num_fcs (int): Hidden layers.
        coarse_pred_each_layer (bool): Give the coarse logit to every layer
            and not to the first alone.
    """

    def __init__(self, in_channels: int, out_channels: int, *, channels: int,
                 num_fcs: int, coarse_pred_each_layer: bool) -> None:
        super().__init__()
        self.coarse_pred_each_layer = coarse_pred_each_layer
        width = in_channels + out_channels
        again = out_channels if coarse_pred_each_layer else 0
        self.fcs = nn.ModuleList()
        for _ in range(num_fcs):
            self.fcs.append(nn.Conv1d(width, channels, 1))
            width = channels + again
        self.fc_seg = nn.Conv1d(width, out_channels, 1)
        for fc in self.fcs:
            nn.init.kaiming_normal_(fc.weight, nonlinearity='relu')
            nn.init.zeros_(fc.bias)
        nn.init.normal_(self.fc_seg.weight, std=0.001)
        nn.init.zeros_(self.fc_seg.bias)

    def forward(self, features: Tensor, coarse_logits: Tensor) -> Tensor:
        """Predict points.

        Args:
            features (Tensor): (N, D, P).
            coarse_logits (Tensor): (N, K, P).

        Returns:
            Tensor: (N, K, P), logits.
        """
        x = torch.cat([features, coarse_logits], dim=1)
        for fc in self.fcs:
            x = fc(x).relu_()
            if self.coarse_pred_each_layer:
                x = torch.cat([x, coarse_logits], dim=1)
        return self.fc_seg(x)
