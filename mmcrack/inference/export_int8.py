"""Exported networks in 8-bit integers, and what that costs in accuracy."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmcrack.functional.metrics import Counts, confusion_counts, f1, iou
from mmcrack.inference.export import need, write_metadata
from mmcrack.inference.onnx_runtime import OnnxSegmentor

#: How the range of each activation is found.
METHODS = ('minmax', 'percentile', 'entropy')


def quantise(source: str | os.PathLike, out: str | os.PathLike,
             calibration: Iterable[NDArray[np.uint8]], *,
             method: str = 'minmax') -> OnnxSegmentor:
    """Write an exported network with its convolutions in int8.

    Static quantisation: weights by channel, activations by the ranges that
    the calibration images give. Only convolutions are quantised: softmax,
    attention, rendering and the guided filter stay in float32, and so does
    the last convolution, whose sum decides on a pixel.

    Args:
        source (str | PathLike): File that ``export_onnx`` wrote.
        out (str | PathLike): File to write; appears when it is complete.
        calibration (Iterable): Batches, uint8 (N, 3, H, W), RGB: images
            as the network will see them.
        method (str): 'minmax', 'percentile' or 'entropy'. The latter two
            keep all activations of all images in memory.

    Returns:
        OnnxSegmentor: The new file, loaded.

    Raises:
        ImportError: If a package of the extra 'export' is missing.
        ValueError: If there is no calibration image, the file is int8
            already, or the method is unknown.
    """
    if method not in METHODS:
        raise ValueError(f'method must be one of {METHODS}, got {method!r}.')
    onnx = need('onnx')
    tool = need('onnxruntime.quantization')
    described = OnnxSegmentor(source, threads=1)
    if described.metadata.get('precision') != 'fp32':
        raise ValueError(f'The ONNX file {os.fspath(source)!r} is not of '
                         'float32: quantise the one it was made of.')
    name = described.metadata['input']['name']
    reader = _Reader(tool.CalibrationDataReader, name, calibration)
    kinds = dict(minmax=tool.CalibrationMethod.MinMax,
                 percentile=tool.CalibrationMethod.Percentile,
                 entropy=tool.CalibrationMethod.Entropy)
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder, _quiet():
        part = Path(folder) / 'int8.onnx'
        tool.quantize_static(
            os.fspath(source), os.fspath(part), reader,
            quant_format=tool.QuantFormat.QDQ,
            op_types_to_quantize=['Conv'],
            nodes_to_exclude=_last_convolutions(onnx.load(source)),
            per_channel=True,
            activation_type=tool.QuantType.QUInt8,
            weight_type=tool.QuantType.QInt8,
            calibrate_method=kinds[method])
        proto = onnx.load(part)
        write_metadata(proto, dict(
            described.metadata, precision='int8',
            calibration=dict(method=method, batches=reader.count)))
        onnx.save(proto, part)
        os.replace(part, out)
    return OnnxSegmentor(out)


def _Reader(base: type, name: str, batches: Iterable) -> Any:  # noqa: N802
    """Return what ONNX Runtime asks for calibration images."""
    waiting = iter(batches)
    first = next(waiting, None)
    if first is None:
        raise ValueError('int8 needs images to calibrate with, got none.')

    class Reader(base):
        count = 0

        def get_next(self) -> dict | None:
            nonlocal first
            batch, first = first, None
            if batch is None:
                batch = next(waiting, None)
            if batch is None:
                return None
            self.count += 1
            return {name: batch}

    return Reader()


def _last_convolutions(proto: Any) -> list[str]:
    """Name the convolutions from which outputs come without another one."""
    makers = {out: node for node in proto.graph.node for out in node.output}
    waiting = [out.name for out in proto.graph.output]
    seen, found = set(), []
    while waiting:
        node = makers.get(waiting.pop())
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if node.op_type == 'Conv':
            found.append(node.name)
        else:
            waiting.extend(node.input)
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out ONNX Runtime's advice to preprocess the model."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@dataclass
class Cost:
    """Pixels counted over images: int8 beside float32.

    Attributes:
        agreement (Counts): int8 masks, with float32's as the truth.
        before (Counts): float32 masks against the truth, where there is one.
        after (Counts): int8 masks against the truth.
        difference (float): Mean absolute difference of probabilities.
        images (int): How many images were counted.
    """

    agreement: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0))
    before: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0))
    after: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0))
    difference: float = 0.
    images: int = 0

    def lines(self) -> list[str]:
        """Say it in words, pooled over all images."""
        said = [f'int8 against fp32 on {self.images} images: F1 '
                f'{_percent(f1, self.agreement)}, IoU '
                f'{_percent(iou, self.agreement)}, mean difference of '
                f'probabilities {self.difference:.2g}']
        if self.before.total:
            for name, counts in (('fp32', self.before), ('int8', self.after)):
                said.append(f'{name} against the truth: F1 '
                            f'{_percent(f1, counts)}, IoU '
                            f'{_percent(iou, counts)}')
        return said


def _percent(ratio: Any, counts: Counts) -> str:
    value = float(ratio(counts, empty='skip'))
    return f'{100 * value:.2f} %' if value == value else 'undefined (no crack)'


def cost_of(before: OnnxSegmentor, after: OnnxSegmentor,
            batches: Iterable[NDArray[np.uint8]],
            truths: Sequence[NDArray | None] | None = None) -> Cost:
    """Predict with both files and count.

    Args:
        before (OnnxSegmentor): In float32.
        after (OnnxSegmentor): In int8.
        batches (Iterable): uint8, (1, 3, H, W), RGB.
        truths (Sequence, optional): Masks (H, W) of {0, 1, 255 ignored} in
            the same order; None where there is none.

    Returns:
        Cost: Of all images together.
    """
    cost, gaps = Cost(), []
    waiting = iter(truths or ())
    for batch in batches:
        probs = [s.probabilities(batch)[0] for s in (before, after)]
        masks = [prob > before.threshold for prob in probs]
        gaps.append(float(np.abs(probs[0] - probs[1]).mean()))
        cost.agreement += confusion_counts(masks[1], masks[0])
        truth = next(waiting, None)
        if truth is not None:
            valid = truth != 255
            cost.before += confusion_counts(masks[0], truth == 1, valid=valid)
            cost.after += confusion_counts(masks[1], truth == 1, valid=valid)
        cost.images += 1
    cost.difference = float(np.mean(gaps)) if gaps else 0.
    return cost

