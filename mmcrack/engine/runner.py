"""A runner whose checkpoints are whole or not there."""

import logging
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from mmengine.model import revert_sync_batchnorm
from mmengine.runner import Runner
from torch import nn


class CrackRunner(Runner):
    """MMEngine's runner, safe against a kill and at home on a CPU.

    Not in the papers: checkpoints are written beside and then moved. A run
    that is killed while it saves leaves the last checkpoint as it was and at
    most a ``*.part`` file, which the next save removes. And several
    processes without a GPU train networks with SyncBN, which MMEngine
    replaces by BN for one process only.
    """

    def wrap_model(self, model_wrapper_cfg: dict | None,
                   model: nn.Module) -> nn.Module:
        """Wrap the model; arguments as in MMEngine's runner."""
        if self.distributed and not torch.cuda.is_available():
            if any(isinstance(m, nn.SyncBatchNorm) for m in model.modules()):
                print_log(
                    'SyncBN works on a GPU only: without one each process '
                    'normalises by its own batch (BN).',
                    logger='current',
                    level=logging.WARNING)
            model = revert_sync_batchnorm(model)
        return super().wrap_model(model_wrapper_cfg, model)

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
