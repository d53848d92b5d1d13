"""Converts CRKWH100 from the folders of its download.

Reads ``CRKWH100/*.png`` and ``CRKWH100_gt/*.bmp``: 100 pairs, lines of one
pixel. Zou et al. test on all of them, so all are test unless ``--split`` says
otherwise. Usage::

    python tools/dataset_converters/crkwh100.py DeepCrack data/crkwh100
"""

import sys

from mmcrack.datasets.zou import CRKWH100, run


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: Arguments; None takes those of the process.

    Returns:
        Exit status.
    """
    return run(CRKWH100, argv)


if __name__ == '__main__':
    sys.exit(main())
