"""Running an exported network with ONNX Runtime, without torch."""

import json
import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Where an ONNX file says what it is, and the version of what it says.
KEY = 'mmcrack'
FORMAT = 1
_NEEDED = ('input', 'outputs', 'classes', 'crack_class', 'threshold',
           'multiple', 'description')


class OnnxSegmentor:
    """An exported network: photographs in, probabilities of crack out.

    It takes the place of ``mmcrack.inference.TorchBackend``.

    Args:
        path (str | PathLike): File that ``tools/export_onnx.py`` wrote.
        threads (int, optional): Threads of one run; None: all cores.
        providers (Sequence[str], optional): Of ONNX Runtime, the best
            first; None: the CPU.

    Attributes:
        metadata (dict): What the file says about itself.
        classes (list[str]): Names of the classes.
        multiple (int): What the edges of a tile should be divisible by;
            the file pads by itself what is not.
        size_divisor (int): What the file pads to; 1 is nothing.
        threshold (float): A pixel is crack above this probability.
        has_variance (bool): Whether it predicts a variance too.
        description (str): Tells its results from those of other files.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If ONNX Runtime is not installed.
        ValueError: If it is no ONNX file, or not one of mmcrack's, or an
            argument is out of its range.
    """

    def __init__(self, path: str | os.PathLike, *,
                 threads: int | None = None,
                 providers: list[str] | None = None) -> None:
        if threads is not None and threads < 1:
            raise ValueError(f'threads must be at least 1, got {threads}.')
        self.path = os.fspath(path)
        if not os.path.isfile(self.path):
            raise FileNotFoundError(
                f'The ONNX file {self.path!r} does not exist.')
        self._session = _open(self.path, threads, providers)
        self.metadata = _read_metadata(self._session, self.path)
        self.classes = list(self.metadata['classes'])
        self.multiple = int(self.metadata['multiple'])
        self.size_divisor = int(self.metadata.get('size_divisor', 1))
        self.threshold = float(self.metadata['threshold'])
        self.has_variance = 'variance' in self.metadata['outputs']
        precision = self.metadata.get('precision', 'fp32')
        self.description = (
            f"ONNX, {self.metadata['description']}, {precision}")

    def probabilities(self, batch: ArrayLike) -> NDArray[np.float32]:
        """Return crack probabilities.

        Args:
            batch (array | Tensor): uint8, (N, 3, H, W), RGB, any size.

        Returns:
            array: Float32, (N, H, W), in [0, 1].

        Raises:
            RuntimeError: If ONNX Runtime fails, for lack of memory say.
            ValueError: If the batch is of another layout or type.
        """
        return self._run(['probability'], batch)[0]

    def probabilities_and_variances(
            self, batch: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return probabilities and variances, each float32 (N, H, W).

        Args:
            batch (array | Tensor): As for :meth:`probabilities`.

        Returns:
            tuple: Two arrays.

        Raises:
            ValueError: If the file predicts no variance, or the batch is of
                another layout or type.
        """
        if not self.has_variance:
            raise ValueError(
                f'The ONNX file {self.path!r} predicts no variance: export a '
                'CIRL network with --variance.')
        prob, variance = self._run(['probability', 'variance'], batch)
        return prob, variance

    def _run(self, names: list[str], batch: ArrayLike) -> list[NDArray]:
        batch = np.asarray(batch)
        if batch.ndim != 4 or batch.shape[1] != 3 or 0 in batch.shape:
            raise ValueError('A batch must be (N, 3, H, W) and not empty, '
                             f'got {batch.shape}.')
        if batch.dtype != np.uint8:
            raise ValueError('A batch must be uint8, RGB with values 0 to '
                             f'255, got {batch.dtype}.')
        name = self.metadata['input']['name']
        try:
            return self._session.run(
                names, {name: np.ascontiguousarray(batch)})
        except Exception as error:
            reason = (str(error).strip().splitlines() or [''])[0]
            raise RuntimeError(
                f'The ONNX file {self.path!r} fails on a batch of shape '
                f'{batch.shape} ({reason[:300].rstrip(".")}): use smaller '
                'tiles or a smaller batch if memory ran out.') from error


def _open(path: str, threads: int | None,
          providers: list[str] | None) -> Any:
    """Load a file into ONNX Runtime, or say in one sentence why not."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            'Running ONNX files needs the package onnxruntime: python -m pip '
            "install onnxruntime (mmcrack's extra 'export' names it)."
        ) from error
    wanted = providers or ['CPUExecutionProvider']
    there = onnxruntime.get_available_providers()
    missing = [name for name in wanted if name not in there]
    if missing:
        raise ValueError(f'ONNX Runtime has no {missing[0]} here: choose of '
                         f'{", ".join(there)}.')
    options = onnxruntime.SessionOptions()
    # Errors reach the caller as exceptions; what it logs would be twice.
    options.log_severity_level = 4
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(path, options, providers=wanted)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [''])[0]
        raise ValueError(
            f'The file {path!r} cannot be loaded by ONNX Runtime '
            f'{onnxruntime.__version__} ({reason[:200].rstrip(".")}): give a '
            'file that tools/export_onnx.py wrote.') from error


def _read_metadata(session: Any, path: str) -> dict[str, Any]:
    """Return what a file says about itself, checked against its graph."""
    wrong = (f'The ONNX file {path!r} was not written by '
             'tools/export_onnx.py: ')
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        raise ValueError(f'{wrong}it has no metadata {KEY!r}.')
    try:
        values = json.loads(text)
        lacking = [key for key in ('format', *_NEEDED) if key not in values]
    except (ValueError, TypeError) as error:
        raise ValueError(f'{wrong}its metadata {KEY!r} cannot be '
                         'read.') from error
    if lacking:
        raise ValueError(f'{wrong}its metadata lacks {lacking[0]!r}.')
    if values['format'] != FORMAT:
        raise ValueError(
            f'The ONNX file {path!r} is of format {values["format"]}, this '
            f'mmcrack reads format {FORMAT}: export it again, or use mmcrack '
            f'{values.get("mmcrack", "(unknown)")}.')
    inputs = {i.name: i.type for i in session.get_inputs()}
    outputs = [o.name for o in session.get_outputs()]
    wanted = values['input']
    if (inputs != {wanted.get('name'): 'tensor(uint8)'}
            or wanted.get('layout') != 'NCHW'
            or wanted.get('channels') != 'RGB'
            or outputs != values['outputs']):
        raise ValueError(
            f'{wrong}it should take {wanted} and give {values["outputs"]}, '
            f'but takes {inputs} and gives {outputs}.')
    return values
