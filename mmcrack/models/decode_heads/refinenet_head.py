"""RefineNet's cascade (Lin et al. 2017)."""

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmcrack.models.layers.refinenet import RefineBlock
from mmcrack.registry import MODELS

_LOSS = dict(type='mmseg.CrossEntropyLoss', avg_non_ignore=True)


@MODELS.register_module()
class RefineNetHead(BaseDecodeHead):
    """Refine a backbone's coarsest map by each finer one in turn.

    Lin et al. 2017, "4-cascaded RefineNet", Figure 2(c): each map is
    brought to ``channels`` by a 3 x 3 convolution, the coarsest to twice as
    many; one :class:`RefineBlock` for each, from the coarsest to the finest.
    Logits have the finest map's stride: 4 with a ResNet. Maps are enlarged
    to each other's size, so any image size works.

    The defaults are those of the port pytorch_refinenet. The other public
    port, refinenet-pytorch, has ``num_path_rcu=0``, ``num_pools=4``,
    ``num_output_rcu=(3, 3, 3, 3)``, ``adapt_dropout_ratio=0.5``,
    ``dropout_ratio=0.5`` (and a 3 x 3 classifier).

    Args:
        in_channels (Sequence[int]): Channels of the maps, finest first.
        channels (int): Width of the cascade.
        num_rcu (int): Residual units on each map of the backbone.
        num_path_rcu (int): Residual units on what comes from the block
            before.
        num_pools (int): Pools of the chained residual pooling.
        num_output_rcu (Sequence[int]): Residual units at each block's end,
            finest first.
        adapt_dropout_ratio (float): Dropout of elements of the backbone's
            two coarsest maps.
        num_classes (int): Classes, background included.
        loss_decode (dict | Sequence[dict]): Loss of the prediction.
        dropout_ratio (float): Dropout before the classifier.
        norm_cfg (dict, optional): Normalisation of each convolution; the
            paper has none.
        **kwargs: Arguments of MMSegmentation's ``BaseDecodeHead``, which
            refuses others.

    Raises:
        ValueError: If there is not one of ``num_output_rcu`` per map.
    """

    def __init__(self,
                 in_channels: Sequence[int] = (256, 512, 1024, 2048),
                 channels: int = 256,
                 *,
                 num_rcu: int = 2,
                 num_path_rcu: int = 2,
                 num_pools: int = 3,
                 num_output_rcu: Sequence[int] = (3, 1, 1, 1),
                 adapt_dropout_ratio: float = 0.,
                 num_classes: int = 2,
                 loss_decode: dict | Sequence[dict] = _LOSS,
                 dropout_ratio: float = 0.,
                 norm_cfg: dict | None = None,
                 **kwargs: Any) -> None:
        kwargs.setdefault('in_index', list(range(len(in_channels))))
        super().__init__(
            list(in_channels),
            channels,
            num_classes=num_classes,
            loss_decode=loss_decode,
            dropout_ratio=dropout_ratio,
            norm_cfg=norm_cfg,
            input_transform='multiple_select',
            **kwargs)
        if len(num_output_rcu) != len(in_channels):
            raise ValueError(
                f'num_output_rcu must be {len(in_channels)} numbers, one '
                f'for each map, got {tuple(num_output_rcu)}.')
        layers = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg)
        last = len(in_channels) - 1
        self.adapt_dropout = nn.Dropout(adapt_dropout_ratio)
        self.adapters = nn.ModuleList()
        self.blocks = nn.ModuleList()
        for level, width in enumerate(in_channels):
            adapted = channels * (2 if level == last else 1)
            self.adapters.append(ConvModule(
                width, adapted, 3, padding=1, bias=False, act_cfg=None,
                **layers))
            maps, counts = [adapted], [num_rcu]
            if level < last:
                maps.append(channels * (2 if level == last - 1 else 1))
                counts.append(num_path_rcu)
            self.blocks.append(RefineBlock(
                maps, adapted, num_rcu=counts, num_pools=num_pools,
                num_output_rcu=num_output_rcu[level],
                align_corners=self.align_corners, layers=layers))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the logits.

        Args:
            inputs (Sequence[Tensor]): The backbone's maps, finest first.

        Returns:
            Tensor: (N, ``out_channels``, h, w), of the finest map's size.
        """
        maps = list(self._transform_inputs(inputs))
        maps[-2:] = [self.adapt_dropout(x) for x in maps[-2:]]
        path: tuple[Tensor, ...] = ()
        for level in reversed(range(len(maps))):
            x = self.adapters[level](maps[level])
            path = (self.blocks[level](x, *path), )
        return self.cls_seg(path[0])
