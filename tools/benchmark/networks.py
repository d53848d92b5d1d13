"""The networks of the inference benchmark, each as a row to time.

All are untrained: weights change no time, but an untrained network finds
every pixel uncertain. So :class:`ForcedShare` stands in for CBPRN's test
sampler, and PointRend gets as many points as the share asks for.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor, nn

from mmcrack.models.task_modules import UncertainPointSampler
from mmcrack.paths import config_path

ROWS = ('backbone', 'cbprn', 'cbprn_lite', 'dense', 'pointrend',
        'pointrend+coarse')
CONFIG = 'cbprn/cbprn_r50_hr.py'
LITE_CONFIG = 'cbprn/cbprn_r50_hr_lite.py'
COARSE_EDGE = 900
OWN = 'own'


@dataclass(frozen=True)
class Setting:
    """How networks are run.

    Attributes:
        device (torch.device): Where.
        dtype (torch.dtype): Of the arithmetic; below float32 by autocast.
        cast (bool): Weights and image in ``dtype`` too, without autocast.
        channels_last (bool): Memory format.
        compile_mode (str, optional): Of ``torch.compile`` for the parts of
            fixed shape (backbone, edge encoder, enhanced map, heat map).
        chunk_size (int, optional): In place of the head's own.
        layout (str): Where forced pixels lie, see :func:`forced_mask`.
    """

    device: torch.device
    dtype: torch.dtype = torch.float32
    cast: bool = False
    channels_last: bool = False
    compile_mode: str | None = None
    chunk_size: int | None = None
    layout: str = 'band'

    def place(self, x: Tensor) -> Tensor:
        """Put an image (N, 3, H, W) where and how networks want it."""
        x = x.to(self.device, self.dtype if self.cast else torch.float32)
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        return x

    def prepare(self, model: nn.Module) -> nn.Module:
        """Put a network there, ready to predict."""
        # MMSegmentation's ResNet returns nothing from eval().
        model.eval()
        model = model.to(self.device)
        if self.cast:
            model = model.to(self.dtype)
        if self.channels_last:
            model = model.to(memory_format=torch.channels_last)
        head = getattr(model, 'decode_head', None)
        if self.chunk_size and hasattr(head, 'chunk_size'):
            head.chunk_size = self.chunk_size
        if self.compile_mode:
            for part in _fixed_parts(model):
                part.compile(mode=self.compile_mode)
        return model

    def guard(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Wrap a call: no gradients, the wanted arithmetic."""
        mixed = self.dtype != torch.float32 and not self.cast

        def call() -> Tensor:
            if self.compile_mode:
                torch.compiler.cudagraph_mark_step_begin()
            with torch.inference_mode(), torch.autocast(
                    self.device.type, dtype=self.dtype if mixed else None,
                    enabled=mixed):
                return run()

        return call


def _fixed_parts(model: nn.Module) -> list[nn.Module]:
    """Return the parts whose shapes depend on the image's size alone."""
    if not hasattr(model, 'decode_head'):
        return [model]
    backbone, head = model.backbone, model.decode_head
    parts = [getattr(backbone, 'backbone', backbone),
             getattr(backbone, 'edge_encoder', None),
             getattr(head, 'enhanced', None), getattr(head, 'heat', None)]
    return [part for part in parts if part is not None]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        name (str): Network.
        share (str): Share of pixels asked for, '' where nothing is.
        run (Callable): Predicts the image.
        head (nn.Module, optional): Its rendering head.
    """

    name: str
    share: str
    run: Callable[[], Tensor]
    head: nn.Module | None = None

    @property
    def label(self) -> str:
        """Name and share."""
        return f'{self.name} {self.share}'.strip()


def forced_mask(size: Sequence[int], share: float, layout: str) -> Tensor:
    """Choose a share of an image's pixels, the same ones every time.

    Args:
        size (Sequence[int]): (H, W).
        share (float): In [0, 1]; ``round(share * H * W)`` pixels.
        layout (str): 'band': the pixels nearest to a wavy line across the
            image, as uncertain pixels lie along a crack; 'uniform': evenly
            over the raster.

    Returns:
        Tensor: Bool, (H, W).
    """
    height, width = size
    total = height * width
    count = round(share * total)
    chosen = torch.zeros(total, dtype=torch.bool)
    if layout == 'uniform':
        order = torch.arange(total)
        chosen = (order + 1) * count // total > order * count // total
    else:
        column = torch.arange(width) / width
        line = height * (0.5 + 0.25 * torch.sin(3 * math.pi * column))
        distance = (torch.arange(height)[:, None] - line).abs()
        nearest = distance.flatten().argsort(stable=True)
        chosen[nearest[:count]] = True
    return chosen.view(height, width)


class ForcedShare(UncertainPointSampler):
    """Test sampler that returns a given mask, at its own full cost.

    It compares the heat map with the interval and looks at the share, as
    the true sampler does, and then returns the mask that was made before.

    Args:
        mask (Tensor): Bool, (H, W).
    """

    def __init__(self, mask: Tensor) -> None:
        super().__init__(warn_share=1.)
        self.mask = mask

    def __call__(self, prob: Tensor) -> Tensor:
        """Return the mask for each image: Bool, (N, H, W)."""
        super().__call__(prob)
        return self.mask.expand(prob.shape)


def read_model(name: str) -> ConfigDict:
    """Return the ``model`` of a config: a path, or a name of mmcrack's."""
    path = name if Path(name).is_file() else config_path(name)
    return Config.fromfile(path).model


def build(cfg: dict) -> nn.Module:
    """Build a network, with the same weights every time."""
    init_default_scope('mmseg')
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MODELS.build(copy.deepcopy(cfg))


def bare_backbone(cfg: ConfigDict) -> ConfigDict:
    """Return the config of a segmentor's backbone without edge branch."""
    backbone = cfg.backbone
    while 'backbone' in backbone:
        backbone = backbone.backbone
    return backbone


def with_widths(cfg: ConfigDict, *, edge: int | None = None,
                head: int | None = None) -> ConfigDict:
    """Change the widths of a CBPRN in the default's proportions.

    Args:
        cfg (ConfigDict): Model config of a CBPRN.
        edge (int, optional): Channels of the edge branch; one attention
            head for 16 of them, two at least.
        head (int, optional): Channels of the enhanced map and of the
            top-down path; the reduced first stage and the heat map have half
            as many, the MLP twice as many.

    Returns:
        ConfigDict: A changed copy.
    """
    cfg = copy.deepcopy(cfg)
    if edge is not None:
        cfg.backbone.update(channels=edge, num_heads=max(2, edge // 16))
        cfg.decode_head.in_channels = [
            edge, *cfg.decode_head.in_channels[1:]]
    if head is not None:
        cfg.decode_head.update(
            channels=head,
            context_channels=head,
            detail_channels=head // 2,
            heat_channels=head // 2,
            point_channels=2 * head)
    return cfg


def point_rend(cfg: ConfigDict, coarse: ConfigDict | None = None
               ) -> ConfigDict:
    """Return PointRend with the backbone and the widths of a CBPRN.

    Args:
        cfg (ConfigDict): Model config of a CBPRN.
        coarse (ConfigDict, optional): A coarse network whose prediction it
            refines; what is timed then is all that a new photograph takes:
            reducing it, the coarse network, and PointRend on the whole.

    Returns:
        ConfigDict: Config of a segmentor.
    """
    head = cfg.decode_head
    same = ['channels', 'context_channels', 'detail_channels',
            'point_channels', 'num_fcs', 'num_classes',
            'out_channels', 'norm_cfg', 'loss_decode']
    segmentor = dict(type='EncoderDecoder')
    kind = 'mmcrack.PointRendHead'
    if coarse is None:
        same.append('heat_channels')
    else:
        kind = 'mmcrack.PointRefinementHead'
        segmentor = dict(
            type='mmcrack.CoarseToFineSegmentor', coarse=coarse,
            coarse_long_edge=COARSE_EDGE, random_coarse=True)
    return ConfigDict(
        **segmentor,
        backbone=bare_backbone(cfg),
        decode_head=dict(
            type=kind,
            in_channels=list(head.in_channels[1:]),
            **{key: head[key] for key in same}),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'))


def coarse_network(depth: int = 18) -> ConfigDict:
    """Return the external coarse network: FCN on a dilated ResNet.

    CBPRN, Table 3, first row ("FCN-18", the fastest of the five). The
    layout is that of MMSegmentation's ``fcn_r18-d8``.
    """
    norm_cfg = dict(type='BN', requires_grad=True)
    return ConfigDict(
        type='EncoderDecoder',
        backbone=dict(
            type='ResNetV1c', depth=depth, num_stages=4,
            out_indices=(0, 1, 2, 3), dilations=(1, 1, 2, 4),
            strides=(1, 2, 1, 1), norm_cfg=norm_cfg, norm_eval=False,
            style='pytorch', contract_dilation=True),
        decode_head=dict(
            type='FCNHead', in_channels=512, in_index=3, channels=128,
            num_convs=2, concat_input=True, dropout_ratio=0.1,
            num_classes=2, norm_cfg=norm_cfg),
        train_cfg=dict(),
        test_cfg=dict(mode='whole'))


def predict(segmentor: nn.Module, x: Tensor) -> Tensor:
    """Predict logits (N, K, H, W) of images (N, 3, H, W)."""
    metas = [dict(img_shape=x.shape[-2:])] * len(x)
    return segmentor.encode_decode(x, metas)


def predict_forced(segmentor: nn.Module, sampler: ForcedShare,
                   x: Tensor) -> Tensor:
    """Predict with a given test sampler."""
    segmentor.decode_head.test_sampler = sampler
    return predict(segmentor, x)


def predict_subdivided(segmentor: nn.Module, num_points: int,
                       x: Tensor) -> Tensor:
    """Predict with PointRend, with so many points in each step."""
    segmentor.decode_head.subdivision_num_points = num_points
    return predict(segmentor, x)


def rendered_share(row: Row, num_pixels: int) -> float | None:
    """Run a row once and count the points that it predicts again.

    Args:
        row (Row): The row.
        num_pixels (int): Pixels of the batch.

    Returns:
        float | None: Points over pixels; None without a rendering head.
    """
    head = row.head
    if head is None or head.point_mlp is None:
        row.run()
        return None
    original, count = head.predict_points, 0

    def counting(features: Tensor, logits: Tensor, points: Tensor) -> Tensor:
        nonlocal count
        count += points.shape[0] * points.shape[1]
        return original(features, logits, points)

    head.predict_points = counting
    try:
        row.run()
    finally:
        del head.predict_points
    return count / num_pixels


def rows_of(name: str, cfg: ConfigDict, shares: Sequence[str], x: Tensor,
            setting: Setting) -> list[Row]:
    """Build a network and its rows.

    Args:
        name (str): One of :data:`ROWS`, or a name for a CBPRN.
        cfg (ConfigDict): Model config of a CBPRN, from which all others are
            derived.
        shares (Sequence[str]): In percent, or 'own': PointRend's own
            number of points.
        x (Tensor): (N, 3, H, W), the image to predict, in place.
        setting (Setting): How to run it.

    Returns:
        list[Row]: One for each share that has a meaning for the network.
    """
    size = x.shape[-2:]
    forced = [s for s in shares if s != OWN]
    if name == 'backbone':
        model = setting.prepare(build(bare_backbone(cfg)))
        return [Row(name, '', setting.guard(partial(model, x)))]
    if name == 'dense':
        cfg = copy.deepcopy(cfg)
        cfg.decode_head.train_sampler = None
        model = setting.prepare(build(cfg))
        return [Row(name, '', setting.guard(partial(predict, model, x)),
                    model.decode_head)]
    if not name.startswith('pointrend'):
        model = setting.prepare(build(cfg))
        samplers = [
            ForcedShare(forced_mask(size, float(s) / 100, setting.layout)
                        .to(setting.device)) for s in forced
        ]
        return [Row(name, f'{share} %', setting.guard(
                    partial(predict_forced, model, sampler, x)),
                    model.decode_head)
                for share, sampler in zip(forced, samplers, strict=True)]
    coarse = coarse_network() if name == 'pointrend+coarse' else None
    model = setting.prepare(build(point_rend(cfg, coarse)))
    head, rows = model.decode_head, []
    own = head.subdivision_num_points
    for share in shares:
        points = own
        if share != OWN:
            pixels = float(share) / 100 * size[0] * size[1]
            points = max(1, round(pixels / head.subdivision_steps))
        run = partial(predict_subdivided, model, points, x)
        text = OWN if share == OWN else f'{share} %'
        rows.append(Row(name, text, setting.guard(run), head))
    return rows
