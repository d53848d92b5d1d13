"""Writes a trained network as one ONNX file; see docs/export.md.

Usage::

    python tools/export_onnx.py CONFIG CHECKPOINT --out FILE.onnx
"""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def command() -> int:
    """Run the command; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    from mmcrack.inference.export_command import main
    return run_tool(main, 'export_onnx.py')


if __name__ == '__main__':
    sys.exit(command())
