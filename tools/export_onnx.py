"""Writes a trained network as one ONNX file; see docs/export.md.

Usage::

    python tools/export_onnx.py CONFIG CHECKPOINT --out FILE.onnx
"""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: Sequence[str] | None = None) -> Path:
    """Export: see :func:`mmcrack.inference.export_command.main`."""
    from mmcrack.inference.export_command import main as export
    return export(argv)


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'export_onnx.py')


if __name__ == '__main__':
    sys.exit(command())
