"""Topology-aware loss of Mosinska et al.: a shell over the equation."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mmcrack.functional.probability import crack_probability
from mmcrack.functional.vgg_topology import feature_distance
from mmcrack.models.layers.vgg_features import VGG19Features
from mmcrack.registry import MODELS


@MODELS.register_module()
class VGGTopologyLoss(nn.Module):
    """Compare prediction and label in the feature maps of a frozen VGG19.

    Mosinska et al., "Beyond the Pixel-Wise Loss for Topology-Aware
    Delineation", CVPR 2018, Eq. 2 and 3; it stands beside a cross entropy.
    The feature maps are the paper's: relu1_2, relu2_2 and relu3_4.

    VGG19 is no part of the model: it is not trained, not saved with a
    checkpoint and not seen by the optimiser. It runs in float32 whatever the
    precision of the training is.

    Pixels without a label show the label's map in both pictures and change
    nothing; so do pixels of weight 0.

    Args:
        weights (str, optional): File with torchvision's VGG19, a plain state
            dict; None draws weights, with a warning.
        layers (Sequence[str]): Feature maps, named as in
            ``VGG19Features``.
        seed (int): For drawn weights.
        crack_class (int): Class index of crack.
        loss_weight (float): The paper's mu.
        loss_name (str): Key in the log; with 'loss' in it it is trained on.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds something else, or a layer is unknown.
    """

    def __init__(self,
                 weights: str | None = None,
                 *,
                 layers: Sequence[str] = ('relu1_2', 'relu2_2', 'relu3_4'),
                 seed: int = 0,
                 crack_class: int = 1,
                 loss_weight: float = 0.1,
                 loss_name: str = 'loss_vgg') -> None:
        super().__init__()
        if weights is None:
            warnings.warn(
                'VGGTopologyLoss has no weights of VGG19: random features '
                'stand in for trained ones, which is not the loss of '
                'Mosinska et al.; give weights=<file of torchvision>.',
                stacklevel=2)
            state = None
        else:
            state = _read(weights)
        # In a tuple: torch would take a module for a part of the model.
        self._hidden = (VGG19Features(layers, weights=state, seed=seed), )
        self.crack_class = crack_class
        self.loss_weight = loss_weight
        self.loss_name = loss_name

    @property
    def features(self) -> VGG19Features:
        """The frozen network."""
        return self._hidden[0]

    def forward(self, seg_logits: Tensor, seg_label: Tensor, *,
                weight: Tensor | None = None,
                ignore_index: int = 255) -> Tensor:
        """Return the weighted loss.

        Args:
            seg_logits (Tensor): Float, (N, K, H, W), not normalised.
            seg_label (Tensor): Int64, (N, H, W).
            weight (Tensor, optional): Float, (N, H, W); 0 takes a pixel out,
                and there are no other weights in feature maps.
            ignore_index (int): Label of pixels that do not count.

        Returns:
            Tensor: A scalar, the mean over the images.
        """
        prob = crack_probability(
            seg_logits.float(), crack_class=self.crack_class)
        valid = seg_label != ignore_index
        if weight is not None:
            valid = valid & (weight > 0)
        target = (seg_label == self.crack_class).float()
        features = self.features.to(prob.device)
        with torch.autocast(prob.device.type, enabled=False):
            distance = feature_distance(
                prob, target, extract=features, valid=valid)
        return self.loss_weight * distance.mean()


def _read(path: str) -> dict[str, Tensor]:
    """Load a state dict."""
    if not Path(path).is_file():
        raise FileNotFoundError(
            f'VGGTopologyLoss finds no weights {path!r}: give the path of '
            "torchvision's VGG19 (torchvision.models.VGG19_Weights names "
            'where it is), or None for random features.')
    state = torch.load(path, map_location='cpu', weights_only=True)
    if not isinstance(state, dict):
        raise ValueError(
            f"{path!r} must hold the state dict of torchvision's VGG19, got "
            f'a {type(state).__name__}.')
    return state
