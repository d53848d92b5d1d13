"""A toy network, a toy data set, and a runner of both."""

import pytest
import torch
from mmengine.model import BaseModel
from torch import nn

from mmcrack.engine.runner import CrackRunner


class Line(BaseModel):
    """Learns y = w x + b; x is a batch of numbers."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 1)
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        x = torch.as_tensor(inputs, dtype=torch.float32)[:, None]
        y = self.fc(x)
        self.seen.append(y.dtype)
        if mode == 'loss':
            return dict(loss=(y.float() - 2 * x).square().mean())
        return y


class Numbers(torch.utils.data.Dataset):
    metainfo = {}

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return dict(inputs=float(index))


@pytest.fixture
def toy(tmp_path):
    """Build a runner of the toy network."""
    count = iter(range(100))

    def build(*, work_dir=None, epochs=1, wrapper='OptimWrapper', **more):
        torch.manual_seed(0)
        return CrackRunner(
            model=Line(),
            work_dir=str(work_dir or tmp_path / 'toy'),
            train_dataloader=dict(
                dataset=Numbers(), batch_size=2, num_workers=0,
                sampler=dict(type='DefaultSampler', shuffle=False)),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            optim_wrapper=dict(
                type=wrapper, optimizer=dict(type='SGD', lr=0.1)),
            default_scope='mmengine',
            experiment_name=f'{tmp_path.name}_{next(count)}',
            **more)

    return build
