"""Converts CrackLS315 from the folders of its download.

Reads ``CrackLS315/*.jpg`` and ``CrackLS315_gt/*.bmp``: 315 pairs, lines of one
pixel. Zou et al. test on all of them, so all are test unless ``--split`` says
otherwise; CrackFormer trains on a part. Usage::

    python tools/dataset_converters/crackls315.py DeepCrack data/crackls315
"""

import sys

from mmcrack.datasets.zou import CRACKLS315, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    return run(CRACKLS315, argv)


if __name__ == '__main__':
    sys.exit(main())
