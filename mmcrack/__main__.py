"""The command ``mmcrack``, also ``python -m mmcrack``."""

import sys
from importlib import import_module

COMMANDS = {'infer': 'mmcrack.inference.command'}
_USAGE = f'usage: mmcrack {{{",".join(COMMANDS)}}} ...'


def command() -> int:
    """Hand over to a command, which has its own ``--help``.

    Returns:
        int: Exit status.
    """
    name, *arguments = sys.argv[1:] or ['']
    if name in ('-h', '--help'):
        print(_USAGE)
        return 0
    if name not in COMMANDS:
        print(f'{_USAGE}\nmmcrack: error: there is no command {name!r}',
              file=sys.stderr)
        return 2
    return import_module(COMMANDS[name]).command(
        arguments, f'mmcrack {name}')


if __name__ == '__main__':
    sys.exit(command())
