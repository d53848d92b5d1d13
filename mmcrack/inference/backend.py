"""What turns tiles into probabilities: torch, or whatever takes its place."""

import copy
import hashlib
import logging
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Protocol

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, init_default_scope
from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmcrack.engine.checkpoint import install_safe_loading
from mmcrack.engine.launch import load_config
from mmcrack.engine.trained import load_trained
from mmcrack.functional.probability import crack_probability
from mmcrack.models.segmentors.tiled import (
    TiledSegmentor,
    padding_multiple,
    tile_metas,
)

PRECISIONS = dict(fp32=None, bf16=torch.bfloat16, fp16=torch.float16)


class Backend(Protocol):
    """Runs a network on tiles.

    Attributes:
        multiple (int): What the edges of a tile must be divisible by.
        threshold (float): A pixel is crack above this probability, unless
            the user wants another.
        has_variance (bool): Whether the network predicts a variance; only
            then is ``probabilities_and_variances`` asked for.
        description (str): What distinguishes its results from those of
            another network, for resuming; for example a sum of its weights.
    """

    multiple: int
    threshold: float
    has_variance: bool
    description: str

    def probabilities(self, batch: Tensor) -> Any:
        """Return crack probabilities.

        Args:
            batch (Tensor): uint8, (N, 3, H, W), RGB, on the CPU.

        Returns:
            Tensor | array: Float, (N, H, W), in [0, 1], on any device.
        """

    def probabilities_and_variances(self, batch: Tensor) -> Any:
        """Return probabilities and variances, each (N, H, W)."""


class TorchBackend:
    """Any network of MMSegmentation with any checkpoint.

    Args:
        config (str | Config): Config file or config.
        checkpoint (str, optional): Its weights, loaded without running code
            from the file; None: random ones.
        device (str, optional): None: a GPU if there is one.
        crack_class (int, optional): Channel of crack; None: what the head
            says, else 1.
        precision (str): 'fp32', 'bf16' or 'fp16', by autocast.
        channels_last (bool): Memory format of weights and tiles.
        compile (bool): ``torch.compile`` the network; the first tile takes
            minutes.
        cfg_options (Mapping, optional): Changes of the config, dotted keys.

    Raises:
        FileNotFoundError: If config or checkpoint is not there.
        CheckpointError: If the checkpoint is of another network, damaged,
            or would run code.
        ValueError: If an argument is out of its range.
    """

    def __init__(self,
                 config: str | Config,
                 checkpoint: str | None,
                 *,
                 device: str | None = None,
                 crack_class: int | None = None,
                 precision: str = 'fp32',
                 channels_last: bool = False,
                 compile: bool = False,
                 cfg_options: Mapping | None = None) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f'precision must be one of {list(PRECISIONS)}, '
                             f'got {precision!r}.')
        self.device = choose_device(device)
        self._dtype = PRECISIONS[precision]
        install_safe_loading()
        cfg = config
        if not isinstance(config, Config):
            cfg = load_config(str(config), dict(cfg_options or {}))
        self.model = build_network(cfg)
        if checkpoint is not None:
            load_trained(self.model, checkpoint)
        self.model.eval().requires_grad_(False)
        self.multiple = padding_multiple(self.model)
        if isinstance(self.model, TiledSegmentor):
            outer, self.model = self.model, self.model.segmentor
            self.model.data_preprocessor = outer.data_preprocessor
            self.multiple = outer.multiple
        if self.device.type == 'cpu':
            self.model = revert_sync_batchnorm(self.model)
        self._format = (torch.channels_last if channels_last
                        else torch.contiguous_format)
        self.model.to(self.device, memory_format=self._format)
        self._head = _last_head(self.model)
        if crack_class is None:
            crack_class = getattr(self._head, 'crack_class', 1)
        self.crack_class = crack_class
        self.threshold = .5
        if getattr(self.model, 'out_channels', 2) == 1:
            self.threshold = getattr(self._head, 'threshold', None) or .5
        self.has_variance = hasattr(self._head, 'std_head') and isinstance(
            self.model, EncoderDecoder) and type(
                self.model).encode_decode in (
                    EncoderDecoder.encode_decode,
                    CascadeEncoderDecoder.encode_decode)
        self._whole, self._both = self._encode_decode, self._with_variance
        if compile:
            self._whole = torch.compile(self._whole)
            self._both = torch.compile(self._both)
        self.description = (
            f'weights {_digest(checkpoint)}, {precision}, '
            f'class {crack_class}')

    @torch.inference_mode()
    def probabilities(self, batch: Tensor) -> Tensor:
        """Return crack probabilities: see :class:`Backend`."""
        return self._run(self._whole, batch)[0]

    @torch.inference_mode()
    def probabilities_and_variances(self, batch: Tensor
                                    ) -> tuple[Tensor, Tensor]:
        """Return probabilities and variances: see :class:`Backend`."""
        prob, variance = self._run(self._both, batch)
        return prob, variance[:, 0]

    def _run(self, network: Any, batch: Tensor) -> tuple:
        """Preprocess as a test does, predict, cut padding off."""
        height, width = batch.shape[-2:]
        # MMSegmentation's pipelines load BGR.
        batch = batch.flip(1)
        data = self.model.data_preprocessor(
            dict(inputs=list(batch),
                 data_samples=[SegDataSample() for _ in batch]), False)
        inputs = data['inputs'].to(memory_format=self._format)
        metas = tile_metas(tuple(inputs.shape[-2:]), len(inputs))
        autocast = nullcontext() if self._dtype is None else torch.autocast(
            self.device.type, self._dtype)
        with autocast:
            logits, *others = network(inputs, metas)
        logits = logits[..., :height, :width].float()
        prob = crack_probability(logits, crack_class=self.crack_class)
        return prob, *(x[..., :height, :width].float() for x in others)

    def _encode_decode(self, inputs: Tensor, metas: list[dict]) -> tuple:
        return (self.model.encode_decode(inputs, metas), )

    def _with_variance(self, inputs: Tensor, metas: list[dict]) -> tuple:
        """Do as ``encode_decode``, and ask the last head for more."""
        features = self.model.extract_feat(inputs)
        heads = self.model.decode_head
        heads = heads if isinstance(heads, nn.ModuleList) else [heads]
        before: tuple = ()
        for head in list(heads)[:-1]:
            before = (head(features, *before), )
        return heads[-1].predict(features, *before, metas,
                                 self.model.test_cfg, return_variance=True)


def choose_device(device: str | None) -> torch.device:
    """Return the device that was asked for, or the best there is.

    Args:
        device (str, optional): Such as 'cpu', 'cuda', 'cuda:1'.

    Returns:
        torch.device: It.

    Raises:
        ValueError: If it is no device, or there is no such GPU.
    """
    if device is None:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f'device must be such as cpu, cuda or cuda:1, got '
                         f'{device!r}.') from error
    count = torch.cuda.device_count()
    if chosen.type == 'cuda' and (chosen.index or 0) >= count:
        raise ValueError(f'device {device!r}: torch finds {count} GPUs; use '
                         "'cpu' or another one.")
    return chosen


def build_network(cfg: Config) -> nn.Module:
    """Build the network of a config, without what only trains.

    Args:
        cfg (Config): Any config of MMSegmentation.

    Returns:
        nn.Module: The segmentor.

    Raises:
        ValueError: If the config has no model.
    """
    if cfg.get('model') is None:
        raise ValueError('The config has no model: give the config with '
                         'which the checkpoint was trained.')
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    model = copy.deepcopy(cfg.model)
    inner = model.segmentor if 'segmentor' in model else model
    if inner.pop('auxiliary_head', None) is not None:
        print_log('Auxiliary heads are left out: they only train.',
                  logger='current', level=logging.DEBUG)
    if cfg.get('data_preprocessor') is not None:
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    return MODELS.build(model)


def _last_head(model: nn.Module) -> Any:
    """Return the head that predicts, the last of a cascade."""
    head = getattr(model, 'decode_head', None)
    return head[-1] if isinstance(head, nn.ModuleList) else head


def _digest(path: str | None) -> str:
    """Return the beginning of a file's SHA-256; 'random' without a file."""
    if path is None:
        return 'random'
    total = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()[:16]
