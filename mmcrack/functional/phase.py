"""The two phases of CIRL's training: CIRL, 4.1."""


def phase_at(step: int, switch_at: int) -> int:
    """Return the phase of a training step.

    CIRL, "Implementation details": the first 1000 of 2000 epochs are phase
    I, the others phase II. It depends on the step alone, so that a run that
    was stopped is in the right phase when it is resumed.

    Args:
        step (int): Epochs (or iterations) that are finished, >= 0.
        switch_at (int): The first step of phase II.

    Returns:
        int: 1 or 2.
    """
    return 1 if step < switch_at else 2
