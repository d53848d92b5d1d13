"""A runner whose checkpoints are whole or not there."""

import os
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.runner import Runner


class CrackRunner(Runner):
    """MMEngine's runner, with checkpoints written beside and then moved.

    Not in the papers: a run that is killed while it saves leaves the last
    checkpoint as it was and at most a ``*.part`` file, which the next save
    removes.
    """

    def save_checkpoint(self, out_dir: str, filename: str, *args: Any,
                        **kwargs: Any) -> None:
        """Save a checkpoint; arguments as in MMEngine's runner."""
        if '://' in str(out_dir) or not Path(out_dir).is_dir():
            super().save_checkpoint(out_dir, filename, *args, **kwargs)
            return
        if is_main_process():
            for rest in Path(out_dir).glob('*.pth.part'):
                rest.unlink(missing_ok=True)
        super().save_checkpoint(out_dir, f'{filename}.part', *args, **kwargs)
        if is_main_process():
            target = Path(out_dir) / filename
            os.replace(f'{target}.part', target)
