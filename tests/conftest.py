"""Fixtures that every test folder may use."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# Pictures are drawn into files, never onto a screen.
os.environ.setdefault('MPLBACKEND', 'Agg')
# On a loaded machine a deadline fails what is only slow; the same examples
# every time keep a red run repeatable.
settings.register_profile('mmcrack', deadline=None, derandomize=True)
settings.load_profile('mmcrack')

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope='session', autouse=True)
def _one_thread_each():
    """Tests run in parallel processes: one thread each is fastest."""
    torch.set_num_threads(1)


@pytest.fixture(scope='session')
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture
def generator() -> torch.Generator:
    """Seeded random numbers."""
    return torch.Generator().manual_seed(0)


def real_data(name: str) -> Path:
    """Folder of a real data set below ``MMCRACK_DATA``; skips without it."""
    root = os.environ.get('MMCRACK_DATA')
    if not root:
        pytest.skip('MMCRACK_DATA is not set: no real data to test with')
    folder = Path(root) / name
    if not (folder / 'images').is_dir():
        pytest.skip(f'MMCRACK_DATA has no data set {name!r}')
    return folder.resolve()


@pytest.fixture
def deepcrack_root() -> Path:
    """Real DeepCrack images and masks."""
    return real_data('deepcrack')


@pytest.fixture
def cfd_root() -> Path:
    """Real CFD images and masks."""
    return real_data('cfd')


@pytest.fixture
def hr_concrete_root() -> Path:
    """Real photographs above 4K."""
    return real_data('hr_concrete')
