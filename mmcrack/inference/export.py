"""Networks as ONNX files that hold all there is from photograph to cracks.

Input ``image``: uint8, (N, 3, H, W), RGB, any size. Outputs ``probability``
of crack, float32 (N, H, W), and, of a CIRL network that is asked for it,
``variance``. Normalisation, padding to what the network can halve, cropping,
softmax or sigmoid and CBPRN's rendering are inside the graph.
"""

import contextlib
import copy
import importlib
import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmseg.models import EncoderDecoder
from torch import Tensor, nn

from mmcrack.engine.checkpoint import load_checkpoint
from mmcrack.functional.probability import crack_probability
from mmcrack.inference.backend import TorchBackend
from mmcrack.inference.export_modules import make_exportable
from mmcrack.inference.onnx_runtime import FORMAT, KEY, OnnxSegmentor
from mmcrack.version import __version__

#: Opsets that were tried: torch writes 18 and converts it to later ones.
OPSETS = (18, 19, 20, 21, 22, 23)
#: Largest difference of probabilities that passes for rounding.
TOLERANCE = 1e-3
_EDGE = 1e-5


class ExportError(RuntimeError):
    """A network that cannot become an ONNX file; one sentence."""


def need(name: str) -> ModuleType:
    """Import a package that only export needs.

    Args:
        name (str): Its module.

    Returns:
        ModuleType: It.

    Raises:
        ImportError: If it is not installed; names the extra.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f'ONNX export needs the package {name.split(".")[0]}: python -m '
            "pip install onnx onnxruntime onnxscript (mmcrack's extra "
            "'export').") from error


class ExportGraph(nn.Module):
    """All that the ONNX file computes, as one module.

    Args:
        model (nn.Module): An ``EncoderDecoder``; a copy of it is made fit
            for tracing.
        crack_class (int): Channel of crack.
        with_variance (bool): Put out the variance of a ``CIRLHead`` too.
    """

    def __init__(self, model: nn.Module, *, crack_class: int,
                 with_variance: bool) -> None:
        super().__init__()
        preprocessor = model.data_preprocessor
        self.network = make_exportable(copy.deepcopy(model)).eval()
        self.network.requires_grad_(False)
        self.crack_class = crack_class
        self.with_variance = with_variance
        self.divisor = padding_of(model)
        self.pad_value = preprocessor.pad_val
        # Photographs come as RGB here, as BGR to MMSegmentation.
        self.flip = not preprocessor._channel_conversion
        self.normalise = preprocessor._enable_normalize

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Predict.

        Args:
            image (Tensor): uint8, (N, 3, H, W), RGB.

        Returns:
            Tensor | tuple[Tensor, Tensor]: Float32, (N, H, W), probability
            of crack; with ``with_variance`` also the variance, > 0.
        """
        height, width = size = image.shape[-2:]
        x = image.float()
        if self.flip:
            x = x.flip(1)
        if self.normalise:
            preprocessor = self.network.data_preprocessor
            x = (x - preprocessor.mean) / preprocessor.std
        if self.divisor > 1:
            below, right = (-side % self.divisor for side in size)
            x = F.pad(x, (0, right, 0, below), value=self.pad_value)
            size = (height + below, width + right)
        metas = [dict(img_shape=size, ori_shape=size, pad_shape=size)]
        if not self.with_variance:
            logits = self.network.encode_decode(x, metas)
            return self._probability(logits)[:, :height, :width]
        logits, variance = self.network.decode_head.predict(
            self.network.extract_feat(x), metas, self.network.test_cfg,
            return_variance=True)
        return (self._probability(logits)[:, :height, :width],
                variance[:, 0, :height, :width])

    def _probability(self, logits: Tensor) -> Tensor:
        return crack_probability(logits, crack_class=self.crack_class)


def padding_of(model: nn.Module) -> int:
    """Return what the inputs of a network are padded to; 1 is no padding."""
    preprocessor = model.data_preprocessor
    padding = getattr(preprocessor, 'test_cfg', None) or {}
    if padding.get('size') is not None:
        raise ExportError(
            "The config pads test images to a fixed size (data_preprocessor."
            f"test_cfg.size={padding['size']}); the exported file takes any "
            'size: give size_divisor (--size-divisor) instead.')
    return padding.get('size_divisor') or 1


def set_padding(backend: TorchBackend, divisor: int) -> None:
    """Pad what a network sees to multiples of ``divisor`` from now on."""
    if divisor < 1:
        raise ValueError(
            f'The size divisor must be at least 1, got {divisor}.')
    backend.model.data_preprocessor.test_cfg = dict(size_divisor=divisor)
    backend.multiple = divisor


def export_onnx(backend: TorchBackend, path: str | os.PathLike, *,
                opset: int = 18, with_variance: bool = False,
                metadata: dict[str, Any] | None = None) -> OnnxSegmentor:
    """Write a network as ONNX and check the file on images of noise.

    Args:
        backend (TorchBackend): The network, on the CPU.
        path (str | PathLike): File to write; it appears when it is good.
        opset (int): Version of the operators, 18 or higher (GridSample,
            which CBPRN's rendering needs, came with 16).
        with_variance (bool): Put out CIRL's variance too.
        metadata (dict, optional): What to store in the file beside what is
            known here, see :func:`describe_network`.

    Returns:
        OnnxSegmentor: The file, loaded.

    Raises:
        ExportError: If the network cannot be exported, or the file does not
            predict what torch does.
        ImportError: If a package of the extra 'export' is missing.
        ValueError: If an argument is out of its range.
    """
    if opset not in OPSETS:
        raise ValueError(f'opset must be {OPSETS[0]} to {OPSETS[-1]}, '
                         f'got {opset}.')
    if with_variance and not _predicts_variance(backend):
        raise ValueError('The network predicts no variance: only a '
                         'mmcrack.CIRLHead does.')
    if not isinstance(backend.model, EncoderDecoder) or hasattr(
            backend.model, 'first_stage'):
        raise ExportError(
            f'{type(backend.model).__name__} cannot be exported: wanted an '
            'EncoderDecoder (or a TiledSegmentor around one).')
    onnx = need('onnx')
    graph = ExportGraph(backend.model, crack_class=backend.crack_class,
                        with_variance=with_variance).eval()
    proto = _trace(graph, opset)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'{path.name}.part')
    try:
        write_metadata(proto, dict(
            describe_network(backend, graph), **(metadata or {})))
        onnx.save(proto, part)
        loaded = OnnxSegmentor(part, threads=torch.get_num_threads())
        _check_on_noise(loaded, backend, graph.divisor)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    loaded.path = str(path)
    return loaded


def _predicts_variance(backend: TorchBackend) -> bool:
    return backend.has_variance and not isinstance(
        backend.model.decode_head, nn.ModuleList)


def describe_network(backend: TorchBackend,
                     graph: ExportGraph) -> dict[str, Any]:
    """Return what an ONNX file says about itself.

    Args:
        backend (TorchBackend): The network.
        graph (ExportGraph): What is exported of it.

    Returns:
        dict[str, Any]: Plain values, by name.
    """
    names = ['probability'] + ['variance'] * graph.with_variance
    return dict(
        format=FORMAT,
        mmcrack=__version__,
        torch=str(torch.__version__),
        input=dict(name='image', layout='NCHW', channels='RGB',
                   dtype='uint8', range=[0, 255]),
        outputs=names,
        classes=['background', 'crack'],
        crack_class=backend.crack_class,
        threshold=backend.threshold,
        size_divisor=graph.divisor,
        multiple=backend.multiple,
        description=backend.description,
        precision='fp32')


def classes_of(cfg: Any, checkpoint: str | None) -> list[str] | None:
    """Return the names of the classes that a network was trained with.

    Args:
        cfg (Config): Its config.
        checkpoint (str, optional): Its weights, loaded safely.

    Returns:
        list[str] | None: None if neither says.
    """
    if checkpoint is not None:
        meta = load_checkpoint(checkpoint).get('meta', {})
        classes = (meta.get('dataset_meta') or {}).get('classes')
        if classes:
            return list(classes)
    for split in ('test', 'val', 'train'):
        dataset = (cfg.get(f'{split}_dataloader') or {}).get('dataset', {})
        classes = (dataset.get('metainfo') or {}).get('classes')
        if classes:
            return list(classes)
    return None


def write_metadata(proto: Any, values: dict[str, Any]) -> None:
    """Store plain values in an ONNX model, in place of what stood there.

    Args:
        proto (onnx.ModelProto): The model.
        values (dict[str, Any]): As from :func:`describe_network`.
    """
    need('onnx').helper.set_model_props(proto, {KEY: json.dumps(values)})


def _trace(graph: ExportGraph, opset: int) -> Any:
    """Return the ONNX model of a graph, with dynamic N, H and W."""
    for name in ('onnx', 'onnxscript'):
        need(name)
    # Edges that no padding leaves as they are, and no two of one length:
    # an edge that happens to fit would hide the padding from the trace.
    divisor = graph.divisor
    height = divisor * -(-96 // divisor) + max(1, divisor // 3)
    width = divisor * -(-128 // divisor) + max(1, divisor // 2)
    example = torch.zeros(2, 3, height, width, dtype=torch.uint8)
    free = torch.export.Dim.DYNAMIC
    names = ['probability'] + ['variance'] * graph.with_variance
    try:
        with torch.no_grad(), _quiet():
            program = torch.onnx.export(
                graph, (example, ), dynamo=True, opset_version=opset,
                dynamic_shapes=({0: free, 2: free, 3: free}, ),
                input_names=['image'], output_names=names, verbose=False)
    except Exception as error:
        last = str(error.__cause__ or error).strip().splitlines() or ['']
        cure = '' if divisor > 1 else (
            ' Networks that take only sizes that are divisible want padding '
            'inside the file: --size-divisor 32.')
        raise ExportError(
            'The network cannot be exported, because torch finds no ONNX '
            f'graph for it ({type(error).__name__}: {last[0][:200]}).{cure}'
        ) from error
    return program.model_proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what torch's exporter says about its own insides."""
    loggers = [logging.getLogger(name) for name in (
        'torch.onnx', 'torch', 'torch.__trace', 'onnxscript', 'onnx_ir')]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _check_on_noise(loaded: OnnxSegmentor, backend: TorchBackend,
                    divisor: int) -> None:
    """Refuse a file that holds for the traced size alone, or is wrong."""
    rng = np.random.default_rng(0)
    step = backend.multiple if divisor == 1 else 1
    for batch, height, width in ((1, 2, 3), (2, 5, 3)):
        size = [backend.multiple * n + (7 * n if step == 1 else 0)
                for n in (height, width)]
        image = rng.integers(0, 256, (batch, 3, *size), dtype=np.uint8)
        where = f'on noise of {size[1]} x {size[0]} pixels'
        try:
            parity = compare(loaded, backend, image)
        except RuntimeError as error:
            raise ExportError(
                f'The exported network fails {where} and is not written: '
                'some part of it depends on the size in a way that tracing '
                f'froze ({str(error).strip().splitlines()[0][:200]}).'
            ) from error
        if not parity.good:
            raise ExportError(
                f'The exported network differs from torch by '
                f'{parity.difference:.2g} {where} and is not written: some '
                'part of it depends on the size or the pixels in a way that '
                'tracing froze.')


@dataclass
class Parity:
    """How far an ONNX file and torch agree.

    Attributes:
        difference (float): Largest difference of probabilities, pixels on
            the edge of rendering aside.
        flipped (int): Pixels whose mask differs.
        edge (int): Pixels whose heat map lies within 1e-5 of an end of
            CBPRN's interval: rounding decides whether they are rendered, so
            their probability may jump.
        pixels (int): All pixels.
    """

    difference: float = 0.
    flipped: int = 0
    edge: int = 0
    pixels: int = 0

    def __add__(self, other: 'Parity') -> 'Parity':
        if not isinstance(other, Parity):
            return NotImplemented
        return Parity(
            max(self.difference, other.difference),
            self.flipped + other.flipped, self.edge + other.edge,
            self.pixels + other.pixels)

    @property
    def good(self) -> bool:
        """Whether the difference is rounding: < 1e-3, masks 0.01 %."""
        return self.difference < TOLERANCE and (
            self.flipped <= 1e-4 * self.pixels)

    def describe(self) -> str:
        """Say it in words."""
        text = (f'largest difference {self.difference:.1e}, '
                f'{self.flipped} of {self.pixels} pixels of another class')
        if self.edge:
            text += (f' ({self.edge} pixels on the edge of rendering left '
                     'out of the difference)')
        return text


def compare(loaded: OnnxSegmentor, backend: TorchBackend,
            images: np.ndarray) -> Parity:
    """Predict with an ONNX file and with torch, and compare.

    Args:
        loaded (OnnxSegmentor): The file.
        backend (TorchBackend): The network that it was made of.
        images (np.ndarray): uint8, (N, 3, H, W), RGB.

    Returns:
        Parity: Of all pixels.
    """
    head = rendering_head(backend.model)
    if head is not None:
        head.keep_rendering = True
    try:
        wanted = np.asarray(backend.probabilities(torch.from_numpy(images)))
        edge = np.zeros(wanted.shape, bool)
        if head is not None:
            heat = head.rendering['heat_map'][:, 0].numpy()
            heat = heat[:, :edge.shape[1], :edge.shape[2]]
            for end in head.test_sampler.prob_range:
                edge |= np.abs(heat - end) < _EDGE
    finally:
        if head is not None:
            head.keep_rendering, head.rendering = False, None
    got = loaded.probabilities(images)
    gap = np.where(edge, 0, np.abs(got - wanted))
    flipped = (got > backend.threshold) != (wanted > backend.threshold)
    # Not a number is never alike.
    worst = float(gap.max()) if np.isfinite(gap).all() else float('inf')
    return Parity(worst, int(flipped.sum()), int(edge.sum()), gap.size)


def rendering_head(model: nn.Module) -> nn.Module | None:
    """Return the head with CBPRN's interval, also inside of CIRL's."""
    return next((m for m in model.modules()
                 if hasattr(m, 'keep_rendering')
                 and getattr(m, 'point_mlp', None) is not None
                 and hasattr(m, 'test_sampler')), None)


def batches(images: Sequence[np.ndarray], edge: int) -> Iterator[np.ndarray]:
    """Yield pictures as batches of one, cut to their middle if large.

    Args:
        images (Sequence[np.ndarray]): uint8, (H, W, 3), RGB.
        edge (int): Greatest edge that is kept.

    Yields:
        np.ndarray: uint8, (1, 3, H, W).
    """
    for image in images:
        yield middle(image, edge).transpose(2, 0, 1)[None].copy()


def middle(picture: np.ndarray, edge: int) -> np.ndarray:
    """Cut the middle out of a picture or mask, at most ``edge`` wide."""
    top, left = (max(0, side - edge) // 2 for side in picture.shape[:2])
    return picture[top:top + edge, left:left + edge]
