"""Seconds of a prediction: which are taken, and that nothing stays behind."""

import types

import pytest

from mmcrack.engine.hooks import prediction_timer_hook
from mmcrack.engine.hooks.prediction_timer_hook import PredictionTimerHook


class Model:
    """Predicts as many samples as it is given."""

    def test_step(self, data):
        return data


@pytest.mark.parametrize(('ends', 'sizes', 'wanted'), [
    # A first, slow batch is left out, and batches are divided.
    ([90, 1, 5, 4], [1, 1, 1, 2], 2.), ([3], [1], 3.), ([8, 6], [2, 2], 3.5)])
def test_the_median_without_the_first_is_told(monkeypatch, ends, sizes,
                                              wanted):
    clock = iter([t for end in ends for t in (100., 100. + end)])
    monkeypatch.setattr(prediction_timer_hook, '_now', lambda: next(clock))
    told = {}
    runner = types.SimpleNamespace(
        model=Model(),
        message_hub=types.SimpleNamespace(update_scalar=told.__setitem__))
    hook = PredictionTimerHook()
    hook.before_test(runner)
    for size in sizes:
        assert len(runner.model.test_step([0] * size)) == size
    hook.after_test_epoch(runner, {})
    hook.after_test(runner)
    assert told == {'test/seconds_per_image': wanted}
    assert 'test_step' not in vars(runner.model)
    assert runner.model.test_step([1]) == [1]
