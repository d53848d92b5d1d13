"""The head of networks that predict again and again."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmcrack.models.decode_heads.side_output_head import (
    Outputs,
    SideOutputHead,
)
from mmcrack.registry import MODELS


@MODELS.register_module()
class StepsHead(SideOutputHead):
    """Train all predictions of a recurrent network, predict with the last.

    For backbones that classify themselves, because each step sees the logits
    of the step before: ``mmcrack.DRU`` and ``mmcrack.IterativeBackbone``.
    The head has no parameters of its own. The earlier predictions are the
    group 'side' of ``loss_side``, the first one first.

    Args:
        in_channels (int): Channels of what the backbone classifies.
        **kwargs: Arguments of ``SideOutputHead``, such as ``loss_decode``
            and ``loss_side``.
    """

    def __init__(self, in_channels: int, **kwargs: Any) -> None:
        kwargs.setdefault('dropout_ratio', 0.)
        kwargs.setdefault('init_cfg', None)
        super().__init__(in_channels, in_channels, **kwargs)
        # The backbone has it; a second one would never get a gradient.
        self.conv_seg = nn.Identity()

    def outputs(self, inputs: Sequence[Tensor]) -> Outputs:
        """Sort what the backbone put out.

        Args:
            inputs (Sequence[Tensor]): What is classified last, (N, D, h, w),
                then the logits of all steps.

        Returns:
            tuple[Tensor, Tensor, Mapping[str, Sequence[Tensor]]]: Features,
            the last logits, and the earlier ones under 'side'.

        Raises:
            ValueError: If the logits are not as ``out_channels`` says.
        """
        if len(inputs) < 2 or inputs[-1].shape[1] != self.out_channels:
            raise ValueError(
                'StepsHead wants features and then logits of '
                f'{self.out_channels} channels, got maps of '
                f'{[x.shape[1] for x in inputs]} channels: use a backbone '
                'that classifies (mmcrack.DRU, mmcrack.IterativeBackbone) '
                'and give it the same out_channels.')
        features, *sides, logits = inputs
        return features, logits, {'side': sides} if sides else {}
