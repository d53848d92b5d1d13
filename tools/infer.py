"""Find cracks on photographs: ``python tools/infer.py CONFIG CHECKPOINT``."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main(argv: Sequence[str] | None = None) -> int:
    """Predict photographs; returns 0, or 1 if some failed."""
    from mmcrack.inference.command import main as infer
    return infer(argv, 'infer.py')


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.inference.command import command as infer
    return infer(None, 'infer.py')


if __name__ == '__main__':
    sys.exit(command())
