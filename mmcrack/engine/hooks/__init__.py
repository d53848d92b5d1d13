"""Registered hooks."""

from mmcrack.engine.hooks.channels_last_hook import ChannelsLastHook
from mmcrack.engine.hooks.checkpoint_guard_hook import CheckpointGuardHook
from mmcrack.engine.hooks.prediction_timer_hook import PredictionTimerHook
from mmcrack.engine.hooks.save_prediction_hook import SavePredictionHook
from mmcrack.engine.hooks.two_phase_hook import TwoPhaseHook
from mmcrack.engine.hooks.variance_hook import VarianceHook
from mmcrack.engine.hooks.visualization_hook import CrackVisualizationHook

__all__ = [
    'ChannelsLastHook', 'CheckpointGuardHook', 'CrackVisualizationHook',
    'PredictionTimerHook', 'SavePredictionHook', 'TwoPhaseHook',
    'VarianceHook'
]
