"""Converts Stone331 from the folders of its download.

Reads ``Stone331/*.jpg`` (1024 x 1024), ``Stone331_gt/*.bmp`` (512 x 512,
lines of one pixel) and ``Stone331_mask/*.bmp`` (white where the stone is):
331 pairs. Labels are enlarged to the photographs, each pixel to a square of
four; what is no stone has no label (255). Zou et al. test on all of them, so
all are test unless ``--split`` says otherwise. Usage::

    python tools/dataset_converters/stone331.py DeepCrack data/stone331
"""

import sys

from mmcrack.datasets.zou import STONE331, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    return run(STONE331, argv)


if __name__ == '__main__':
    sys.exit(main())
