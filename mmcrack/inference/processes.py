"""Sharing a list of photographs among processes and machines."""

import datetime
import os
import subprocess
from collections.abc import Callable
from typing import Any

import torch
from torch import distributed

_LAUNCHERS = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID'),
}
_STARTERS = {'pytorch': 'torchrun', 'slurm': 'srun'}
# A process waits for others that still predict.
_PATIENCE = datetime.timedelta(days=7)


class LostWorkerError(RuntimeError):
    """Another process of the run is gone."""


class Processes:
    """The processes of a run; alone without a launcher.

    Only lists of names and figures go between them, so that any backend of
    torch will do and none needs a GPU.

    Args:
        launcher (str): 'none', 'pytorch' (torchrun) or 'slurm' (srun).

    Raises:
        ValueError: If the launcher did not start this process.
    """

    def __init__(self, launcher: str) -> None:
        self.rank, self.count, self.local_rank = 0, 1, 0
        if launcher == 'none':
            return
        names = _LAUNCHERS[launcher]
        missing = [name for name in names if name not in os.environ]
        if missing:
            raise ValueError(
                f'--launcher {launcher} needs {_STARTERS[launcher]} to start '
                'the command: the environment variable '
                f'{missing[0]} is not set.')
        self.rank, self.count, self.local_rank = (
            int(os.environ[name]) for name in names)
        if self.count == 1:
            return
        os.environ.setdefault('MASTER_ADDR', _first_host())
        os.environ.setdefault('MASTER_PORT', '29500')
        distributed.init_process_group(
            'gloo', rank=self.rank, world_size=self.count,
            timeout=_PATIENCE)

    def device(self, wanted: str | None) -> str | None:
        """Return the GPU of this process, if GPUs are used and many."""
        if self.count > 1 and wanted in (None, 'cuda') \
                and torch.cuda.is_available():
            return f'cuda:{self.local_rank % torch.cuda.device_count()}'
        return wanted

    def from_first(self, make: Callable[[], Any]) -> Any:
        """Return what the first process makes.

        Args:
            make (Callable): Called by the first process alone.

        Returns:
            The same in all.

        Raises:
            SystemExit: In the others, if it failed in the first, which
                says why.
            LostWorkerError: If a process is gone.
        """
        if self.count == 1:
            return make()
        box: list = [None]
        try:
            if self.rank == 0:
                box = [(make(), )]
        finally:
            self._together(lambda: distributed.broadcast_object_list(box, 0))
        if box[0] is None:
            raise SystemExit(2)
        return box[0][0]

    def gather(self, value: list) -> list:
        """Return the lists of all processes, one after the other.

        Args:
            value (list): Of this process.

        Returns:
            list: The same in all.

        Raises:
            LostWorkerError: If a process is gone.
        """
        if self.count == 1:
            return value
        box: list = [None] * self.count
        self._together(lambda: distributed.all_gather_object(box, value))
        return [entry for part in box for entry in part]

    def _together(self, step: Callable[[], Any]) -> None:
        try:
            step()
        except RuntimeError as error:
            raise LostWorkerError(
                'Another process of this run is gone; what is done is kept. '
                'Start the same command again: it takes up what is '
                'missing.') from error

    def leave(self) -> None:
        """Part from the others; call it only when all come here."""
        if self.count > 1 and distributed.is_initialized():
            distributed.barrier()
            distributed.destroy_process_group()


def _first_host() -> str:
    """Return the machine of the first process, as Slurm tells it."""
    nodes = os.environ.get('SLURM_STEP_NODELIST') or os.environ.get(
        'SLURM_NODELIST')
    if nodes:
        try:
            done = subprocess.run(
                ['scontrol', 'show', 'hostnames', nodes], check=True,
                capture_output=True, text=True)
            return done.stdout.split()[0]
        except (OSError, subprocess.CalledProcessError, IndexError):
            pass
    return '127.0.0.1'
