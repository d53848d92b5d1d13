"""Hook that compares a checkpoint with the model before it is used."""

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner

from mmcrack.engine.checkpoint import (
    CheckpointError,
    describe,
    load_weights,
    state_dict_of,
)
from mmcrack.registry import HOOKS


@HOOKS.register_module()
class CheckpointGuardHook(Hook):
    """Refuse a checkpoint of another model.

    Not in the papers: MMEngine loads what fits and only logs the rest, so
    that a test with the wrong file gives figures of a random network.

    Args:
        mode (str): 'complete': the checkpoint must hold every parameter of
            the model in the right shape (testing, resuming); 'partial': it
            must hold at least one, and what is missing is counted in a
            warning (fine-tuning).

    Raises:
        ValueError: For another ``mode``.
    """

    priority = 'LOWEST'

    def __init__(self, *, mode: str = 'complete') -> None:
        if mode not in ('complete', 'partial'):
            raise ValueError("mode must be 'complete' or 'partial', "
                             f'got {mode!r}.')
        self.mode = mode

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare, and raise or warn.

        Args:
            runner (Runner): Its model is filled with what fits.
            checkpoint (dict): As loaded.

        Raises:
            CheckpointError: If the checkpoint is not of this model.
        """
        model = runner.model
        while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
            model = model.module
        difference = load_weights(model, state_dict_of(checkpoint))
        total = (difference.matched + len(difference.missing)
                 + len(difference.misshapen))
        words = describe(difference)
        if difference.matched == 0:
            raise CheckpointError(
                f'The checkpoint is of another model: none of the {total} '
                f'parameters of this one fits ({words}); give the checkpoint '
                'that was trained with this config.')
        fits = not difference.missing and not difference.misshapen
        if self.mode == 'complete' and not fits:
            raise CheckpointError(
                'The checkpoint is not of this model: of its '
                f'{total} parameters {words}; give the config with which the '
                'checkpoint was trained (it lies beside it), or the '
                'checkpoint that was trained with this config.')
        if words:
            print_log(
                f'Of {total} parameters {difference.matched} were taken '
                f'from the checkpoint: {words}.',
                logger='current',
                level=30)
