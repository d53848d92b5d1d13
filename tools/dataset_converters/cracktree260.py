"""Converts CrackTree260 from the folders of its download.

Reads ``CrackTree260/*.jpg`` and ``CrackTree260_gt/*.bmp`` (or
``CrackTree260_gt/gt/``): 260 pairs, lines of one pixel. Zou et al. train on
all of them, so all are train unless ``--split`` says otherwise. Usage::

    python tools/dataset_converters/cracktree260.py DeepCrack data/cracktree260
"""

import sys

from mmcrack.datasets.zou import CRACKTREE260, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    return run(CRACKTREE260, argv)


if __name__ == '__main__':
    sys.exit(main())
