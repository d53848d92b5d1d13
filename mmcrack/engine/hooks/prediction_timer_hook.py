"""Hook that says how long a test took for an image."""

import statistics
import time
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcrack.registry import HOOKS

KEY = 'seconds_per_image'


@HOOKS.register_module()
class PredictionTimerHook(Hook):
    """Add ``seconds_per_image`` to the figures of a test.

    The median over the batches, without the first of more than two, of the
    seconds from the decoded image to the predicted mask: normalising,
    network (all passes of a test-time augmentation) and resizing; not
    reading and not scoring, which MMEngine's ``time`` holds too.
    """

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def before_test(self, runner: Runner) -> None:
        """Time the model's ``test_step`` from now on.

        Args:
            runner (Runner): With the model.
        """
        model, self._seconds = runner.model, []
        step = model.test_step

        def timed(data: Any) -> list:
            start = _now()
            samples = step(data)
            self._seconds.append((_now() - start) / max(1, len(samples)))
            return samples

        model.test_step = timed

    def after_test_epoch(self, runner: Runner,
                         metrics: dict | None = None) -> None:
        """Hand the figure to the log.

        Args:
            runner (Runner): With the log.
            metrics (dict, optional): Not used.
        """
        if self._seconds:
            # Of two, both count: they may be of different sizes.
            kept = self._seconds[len(self._seconds) > 2:]
            runner.message_hub.update_scalar(f'test/{KEY}',
                                             statistics.median(kept))

    def after_test(self, runner: Runner) -> None:
        """Stop timing.

        Args:
            runner (Runner): With the model.
        """
        vars(runner.model).pop('test_step', None)


def _now() -> float:
    """Return seconds; work that a GPU still has to do is waited for."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
