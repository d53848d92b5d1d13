"""CrackFormer-II's encoder and decoder."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from mmcrack.models.layers.crackformer import AttentionBlock, released_name
from mmcrack.models.layers.segnet import (
    VGG_WIDTHS,
    check_size,
    conv_stack,
    max_pool_with_indices,
    max_unpool,
)
from mmcrack.registry import MODELS

_RELU = dict(type='ReLU')


@MODELS.register_module()
class CrackFormer(BaseModule):
    """Five stages of lambda attention with pooling indices, and back.

    Liu et al. 2023 (CrackFormer-II). A stem (3 x 3 convolution, ReLU), one
    block in the first stage, then as many as ``num_blocks``; 2 x 2 maxima
    between; a decoder that unpools by their indices and reduces to the next
    stage's width in each stage's last block.

    The softmax over all positions couples every pixel with the image's size:
    training crops and tiles in testing should be of like size, and padding
    changes the result everywhere. So nothing is padded: any image of at
    least 32 x 32 pixels will do as it is, an odd row or column is not pooled
    and gets zeros when unpooling.

    A released checkpoint (a plain state dict of ``crackformer()``) loads
    into a segmentor with :class:`CrackFormerHead`, one channel and
    ``released_quirk``: ``{new: value for old, value in state.items() if
    (new := CrackFormer.released_name(old)) in segmentor.state_dict()}``,
    with RGB images of mean and standard deviation 127.5.

    Args:
        in_channels (int): Channels of the image.
        base_channels (int): Width of the first stage: a power of two of at
            least 16, since a quarter of a quarter of it is normalised in
            groups of four.
        num_blocks (Sequence[int]): Blocks of each stage, the stem counted.
        num_heads (int): Heads of the attention.
        key_channels (int): Its key depth.
        window (int): Its positional window in pixels, odd.
        dropout_ratio (float): Dropout inside the blocks' MLPs.
        released_quirk (bool): As the released code, apply the second block
            of stages with three twice in place of the third, which is then
            not built (there it is and never gets a gradient: 0.36 M).
        init_cfg (dict | list, optional): Initialisation.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 in_channels: int = 3,
                 base_channels: int = 64,
                 num_blocks: Sequence[int] = (2, 2, 3, 3, 3),
                 *,
                 num_heads: int = 4,
                 key_channels: int = 16,
                 window: int = 7,
                 dropout_ratio: float = 0.3,
                 released_quirk: bool = False,
                 init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        if base_channels < 16 or base_channels & (base_channels - 1):
            raise ValueError('base_channels must be a power of two of at '
                             f'least 16, got {base_channels}.')
        if len(num_blocks) != len(VGG_WIDTHS) or min(num_blocks) < 2:
            raise ValueError(
                f'num_blocks must be {len(VGG_WIDTHS)} numbers of at least '
                f'2, got {tuple(num_blocks)}.')
        if window < 1 or window % 2 == 0:
            raise ValueError(f'window must be odd, got {window}.')
        options = dict(num_heads=num_heads, key_channels=key_channels,
                       window=window, dropout_ratio=dropout_ratio)
        widths = [base_channels * factor for factor in VGG_WIDTHS]
        self.stem = conv_stack(in_channels, widths[:1], act_cfg=_RELU)[0]
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()
        #: Which of its blocks each stage of the encoder applies, in order.
        self.order: list[list[int]] = []
        for level, (width, count) in enumerate(
                zip(widths, num_blocks, strict=True)):
            below = widths[max(level - 1, 0)]
            order = list(range(count - (level == 0)))  # the stem is one
            if released_quirk and len(order) == 3:
                order = [0, 1, 1]
            built = len(set(order))
            self.order.append(order)
            self.encoder.append(_blocks([below] + [width] * built, options))
            self.decoder.append(_blocks([width] * count + [below], options))

    released_name = staticmethod(released_name)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the maps of all scales.

        Args:
            x (Tensor): Images (N, in_channels, H, W).

        Returns:
            tuple[Tensor, ...]: The encoder's maps before pooling, strides 1,
            2, 4, 8, 16, with 1, 2, 4, 8, 8 times ``base_channels``; the
            decoder's of the same strides, with 1, 1, 2, 4, 8 times; and for
            the scaling attention, with the encoder's widths, the sum of what
            each scale's blocks made but the last of encoder and decoder.

        Raises:
            ValueError: If the image is too small.
        """
        check_size(x, stages=len(self.encoder), name='CrackFormer')
        encoded, indices, sums = [], [], []
        x = self.stem(x)
        for level, stage in enumerate(self.encoder):
            inner = [x] if level == 0 else []
            for number in self.order[level]:
                x = stage[number](x)
                inner.append(x)
            encoded.append(x)
            sums.append(sum(inner[:-1]))
            x, index = max_pool_with_indices(x)
            indices.append(index)
        decoded = []
        for level in reversed(range(len(encoded))):
            x = max_unpool(x, indices[level], encoded[level].shape[-2:])
            *first, last = self.decoder[level]
            for block in first:
                x = block(x)
                sums[level] = sums[level] + x
            x = last(x)
            decoded.append(x)
        return (*encoded, *decoded[::-1], *sums)


def _blocks(widths: Sequence[int], options: dict[str, Any]) -> nn.ModuleList:
    """Return a block between each two widths."""
    return nn.ModuleList(
        AttentionBlock(low, high, **options)
        for low, high in zip(widths[:-1], widths[1:], strict=True))
