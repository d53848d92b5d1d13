"""Feature maps of a frozen VGG19."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torchvision.models import vgg19

# Convolutions in the blocks between two poolings.
_BLOCKS = (2, 2, 4, 4, 4)
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def _tap_indices() -> dict[str, int]:
    """Return the index in torchvision's ``features`` of every layer."""
    found, index = {}, 0
    for block, convolutions in enumerate(_BLOCKS, 1):
        for number in range(1, convolutions + 1):
            found[f'conv{block}_{number}'] = index
            found[f'relu{block}_{number}'] = index + 1
            index += 2
        index += 1
    return found


TAPS = _tap_indices()


class VGG19Features(nn.Module):
    """Feature maps of VGG19, frozen and in eval mode.

    Simonyan and Zisserman 2015, configuration E; layers are named as there:
    relu3_4 is behind the fourth convolution of the third block. Only what
    the layers need is kept.

    Args:
        layers (Sequence[str]): Names of the maps to return, such as
            'relu1_2' or 'conv3_4'.
        weights (Mapping[str, Tensor], optional): A state dict of
            torchvision's VGG19; None draws weights (He et al. 2015).
        seed (int): For the draw.

    Raises:
        ValueError: If a layer is unknown or a weight is missing.
    """

    def __init__(self, layers: Sequence[str], *,
                 weights: Mapping[str, Tensor] | None, seed: int) -> None:
        super().__init__()
        unknown = sorted(set(layers) - set(TAPS))
        if unknown or not layers:
            raise ValueError(
                'layers must name at least one of '
                f'{", ".join(TAPS)}, got {list(layers)}.')
        self.indices = [TAPS[name] for name in layers]
        # On the meta device: VGG19's classifier alone has 120 M parameters.
        with torch.device('meta'):
            network = vgg19(weights=None).features
        self.stages = network[:max(self.indices) + 1].to_empty(device='cpu')
        for stage in self.stages:
            if isinstance(stage, nn.ReLU):
                stage.inplace = False
        if weights is None:
            self._draw(seed)
        else:
            self._copy(weights)
        for name, values in (('mean', _MEAN), ('std', _STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))
        self.requires_grad_(False)
        self.eval()

    def _draw(self, seed: int) -> None:
        """Draw weights that keep the variance; biases are 0."""
        generator = torch.Generator().manual_seed(seed)
        for stage in self.stages:
            if isinstance(stage, nn.Conv2d):
                nn.init.kaiming_normal_(
                    stage.weight, nonlinearity='relu', generator=generator)
                nn.init.zeros_(stage.bias)

    def _copy(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights that are needed."""
        needed = self.stages.state_dict()
        missing = [key for key, value in needed.items()
                   if getattr(weights.get(f'features.{key}'), 'shape',
                              None) != value.shape]
        if missing:
            raise ValueError(
                "These are no weights of torchvision's VGG19: "
                f'features.{missing[0]} is missing or has another shape '
                f'({len(missing)} of {len(needed)} are so).')
        self.stages.load_state_dict(
            {key: weights[f'features.{key}'] for key in needed})

    def train(self, mode: bool = True) -> 'VGG19Features':
        """Stay in eval mode."""
        return super().train(False)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of all layers.

        Args:
            x (Tensor): Float32, (N, 1 or 3, H, W) in [0, 1]; one channel is
                repeated. ImageNet's normalisation is applied here.

        Returns:
            list[Tensor]: Float32, (N, C, h, w) each, in the order of
            ``layers``.
        """
        x = (x - self.mean) / self.std
        found = {}
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in self.indices:
                found[index] = x
        return [found[index] for index in self.indices]
