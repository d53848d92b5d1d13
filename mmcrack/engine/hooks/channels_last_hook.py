"""Hook that lays a network out channels last."""

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmcrack.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Store weights (N, H, W, C): convolutions then compute in that layout.

    Results are the same but for the order of sums. It is faster wherever
    convolutions have kernels for it: oneDNN on a CPU, tensor cores under
    autocast. Checkpoints stay interchangeable.
    """

    def before_run(self, runner: Runner) -> None:
        """Change the layout.

        Args:
            runner (Runner): With the model.
        """
        runner.model.to(memory_format=torch.channels_last)
