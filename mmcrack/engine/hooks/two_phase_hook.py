"""Hook that tells CIRL heads in which phase they are."""

import copy
import functools
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import Tensor, nn

from mmcrack.functional.phase import phase_at
from mmcrack.registry import HOOKS

FROZEN_KEY = 'mmcrack_frozen'


@HOOKS.register_module()
class TwoPhaseHook(Hook):
    """Switch :class:`mmcrack.models.CIRLHead` from phase I to phase II.

    CIRL, 4.1: after 1000 of 2000 epochs. The phase is computed from the
    progress at every epoch (or iteration), never triggered, so that a run
    that was stopped goes on in the right phase.

    In phase II the attached std head is not trained (but for
    ``std_source='tracked'``). It stays part of the graph, for
    ``DistributedDataParallel``, but its gradients are taken away in front of
    the optimiser, whose weight decay would change it otherwise.
    A head with ``std_source='frozen'`` gets a copy of the whole network as
    it is at the switch: in evaluation mode, saved in checkpoints, outside
    optimiser and model wrapper.

    Args:
        switch_at (int | float): Number of the epoch (or iteration) that is
            the first of phase II, counted from 0; or a fraction of the
            schedule, in (0, 1).
        by_epoch (bool): Count epochs; False counts iterations.

    Raises:
        ValueError: If ``switch_at`` is negative or a fraction beyond 1.
    """

    priority = 'HIGH'

    def __init__(self, switch_at: int | float = 1000,
                 by_epoch: bool = True) -> None:
        fraction = isinstance(switch_at, float) and not switch_at.is_integer()
        if switch_at < 0 or (fraction and switch_at > 1):
            raise ValueError(
                'switch_at must be a number of epochs or iterations of at '
                f'least 0, or a fraction between 0 and 1, got {switch_at}.')
        self.switch_at = switch_at
        self.by_epoch = by_epoch
        self._fraction = fraction
        self._step = 0
        self._switch_iter = 0
        self._phase = 0
        self._heads: dict[str, nn.Module] = {}
        self._frozen: nn.Module | None = None
        self._frozen_state: dict | None = None
        self._images: Tensor | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the heads, work out the switch, guard the std heads.

        Args:
            runner (Runner): With the model and the schedule.

        Raises:
            ValueError: If no head is a CIRLHead, or the switch lies beyond
                the schedule or is counted in epochs that the schedule does
                not have.
        """
        model = _plain(runner.model)
        self._heads = {
            name: module
            for name, module in model.named_modules()
            if hasattr(module, 'frozen_log_var')
        }
        if not self._heads:
            raise ValueError(
                'TwoPhaseHook finds no mmcrack.CIRLHead in the model: wrap '
                "the decode head, decode_head=dict(type='mmcrack.CIRLHead', "
                'seg_head=...), or leave the hook out.')
        self._step = self._switch_step(runner)
        self._switch_iter = self._step
        if self.by_epoch:
            self._switch_iter *= len(runner.train_dataloader)
        self._phase = 0
        for optimizer in _optimizers(runner.optim_wrapper):
            optimizer.register_step_pre_hook(self._spare_std_heads)
        if not self.by_epoch:
            self._enter(runner, runner.iter)

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the phase of an epoch.

        Args:
            runner (Runner): Knows the epoch.
        """
        if self.by_epoch:
            self._enter(runner, runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: Any = None) -> None:
        """Set the phase of an iteration and how far phase II has come.

        Args:
            runner (Runner): Knows the iteration.
            batch_idx (int): Not used.
            data_batch: Not used.
        """
        if not self.by_epoch:
            self._enter(runner, runner.iter)
        if self._phase == 2:
            length = runner.max_iters - self._switch_iter
            for head in self._heads.values():
                head.progress = (runner.iter - self._switch_iter) / length

    def before_save_checkpoint(self, runner: Runner,
                               checkpoint: dict) -> None:
        """Save the frozen copy.

        Args:
            runner (Runner): Not used.
            checkpoint (dict): Gets its weights.
        """
        if self._frozen is not None:
            checkpoint[FROZEN_KEY] = self._frozen.state_dict()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keep the frozen copy's weights until the phase is known.

        Args:
            runner (Runner): Not used.
            checkpoint (dict): As loaded.
        """
        self._frozen_state = checkpoint.get(FROZEN_KEY)

    def _switch_step(self, runner: Runner) -> int:
        """Return the first step of phase II."""
        loop, unit = runner.train_loop, 'epochs'
        if not self.by_epoch:
            unit, total = 'iterations', loop.max_iters
        elif isinstance(loop, EpochBasedTrainLoop):
            total = loop.max_epochs
        else:
            raise ValueError(
                'TwoPhaseHook counts epochs but the schedule has '
                'iterations: give by_epoch=False and switch_at in '
                'iterations.')
        if self._fraction:
            return round(self.switch_at * total)
        if self.switch_at > total:
            raise ValueError(
                f'TwoPhaseHook.switch_at={self.switch_at} lies beyond the '
                f'schedule of {total} {unit}: phase II would never begin; '
                'give a smaller number, or a fraction such as 0.5.')
        return int(self.switch_at)

    def _enter(self, runner: Runner, progress: int) -> None:
        """Set the phase for a step."""
        phase = phase_at(progress, self._step)
        if phase == self._phase:
            return
        unit = 'epoch' if self.by_epoch else 'iteration'
        began = self._phase == 0
        if began and phase == 1:
            print_log(f'CIRL: phase I; phase II begins with {unit} '
                      f'{self._step + 1}.', logger='current')
        else:
            goes_on = 'goes on' if began and progress > self._step else \
                'begins'
            print_log(f'CIRL: phase II {goes_on} with {unit} '
                      f'{progress + 1}.', logger='current')
        self._phase = phase
        for head in self._heads.values():
            head.phase = phase
        if phase == 2:
            self._freeze(_plain(runner.model), resumed=progress > self._step)
            # The log would repeat phase I's last value to the end.
            hub = runner.message_hub
            gone = tuple(head.loss_aseg.loss_name
                         for head in self._heads.values())
            for key in [k for k in hub.log_scalars if k.endswith(gone)]:
                del hub.log_scalars[key]
                hub._resumed_keys.pop(key, None)

    def _spare_std_heads(self, *_: Any) -> None:
        """Take the std heads' gradients away in phase II."""
        if self._phase == 2:
            for head in self._heads.values():
                if head.std_source == 'tracked':
                    continue
                for parameter in head.std_head.parameters():
                    parameter.grad = None

    def _freeze(self, model: nn.Module, *, resumed: bool) -> None:
        """Make the copy that frozen heads ask for, or restore it."""
        wanted = {name: head for name, head in self._heads.items()
                  if head.std_source == 'frozen'}
        if not wanted or self._frozen is not None:
            return
        if resumed and self._frozen_state is None:
            raise ValueError(
                'The checkpoint is of phase II but holds no frozen copy, so '
                "std_source='frozen' cannot go on: resume a checkpoint of a "
                "run with std_source='frozen', or of phase I.")
        frozen = copy.deepcopy(model)
        frozen.eval()
        frozen.requires_grad_(False)
        if resumed:
            frozen.load_state_dict(self._frozen_state)
        self._frozen, self._frozen_state = frozen, None
        model.backbone.register_forward_pre_hook(self._see)
        for name, head in wanted.items():
            head.frozen_log_var = functools.partial(self._log_var, name)

    def _see(self, module: nn.Module, args: tuple) -> None:
        """Remember the images that the backbone is given in training."""
        if module.training:
            self._images = args[0]

    @torch.no_grad()
    def _log_var(self, name: str) -> Tensor:
        """Return the frozen log-variance, float32 (N, 1, h, w)."""
        inputs = self._frozen.extract_feat(self._images)
        head = self._frozen.get_submodule(name)
        return head.log_var(inputs, head.features(inputs))


def _plain(model: nn.Module) -> nn.Module:
    """Return the model inside its wrapper."""
    return model.module if is_model_wrapper(model) else model


def _optimizers(wrapper: Any) -> list[torch.optim.Optimizer]:
    """Return the optimiser, or all of a dict of wrappers."""
    if hasattr(wrapper, 'optimizer'):
        return [wrapper.optimizer]
    return [w.optimizer for w in wrapper.values()]
