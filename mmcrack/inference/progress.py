"""Tells how far a run is."""

import sys
import time
from typing import TextIO

_LINE_EVERY = 60.  # seconds between lines where no line can be rewritten


class Progress:
    """One line on a terminal; elsewhere a line for each photograph.

    Args:
        total (int): Photographs of this process.
        show (bool): False says nothing.
        stream (TextIO, optional): None: the error stream.
    """

    def __init__(self, total: int, *, show: bool = True,
                 stream: TextIO | None = None) -> None:
        self.total = total
        self.show = show
        self.stream = stream or sys.stderr
        self._live = show and self.stream.isatty()
        self._started = self._last = time.monotonic()
        self._done = 0
        self._name = ''

    def start(self, name: str) -> None:
        """Begin a photograph."""
        self._name = name

    def tiles(self, done: int, total: int) -> None:
        """Count tiles of the photograph."""
        now = time.monotonic()
        if self._live or now - self._last > _LINE_EVERY:
            self._say(done / total, f'{self._name}: tile {done} of {total}')

    def finish(self, note: str) -> None:
        """End a photograph."""
        self._done += 1
        self._say(0., f'{self._name}: {note}', final=True)

    def _say(self, part: float, text: str, *, final: bool = False) -> None:
        if not self.show:
            return
        self._last = now = time.monotonic()
        share = (self._done + part) / max(1, self.total)
        left = (now - self._started) / share * (1 - share) if share else 0.
        filled = round(20 * share)
        line = (f'[{"#" * filled}{"." * (20 - filled)}] {self._done} of '
                f'{self.total}, {_time(left)} left; {text}')
        if self._live:
            line = f'\r\033[K{line}'
        self.stream.write(line + ('\n' if final or not self._live else ''))
        self.stream.flush()


def _time(seconds: float) -> str:
    """Write a time as hours, minutes and seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f'{hours} h {minutes} min'
    return f'{minutes} min {seconds} s' if minutes else f'{seconds} s'
