"""Score five images in this process, alone or as one of several.

One of several: ``score_five_images.py OUT RANK WORLD_SIZE INIT_FILE``.
The main process writes the figures and rows to OUT as JSON.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch


def data_sample(index):
    """One of five images of unlike sizes, the third without crack."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    rng = np.random.default_rng(index)
    height, width = 40 + 7 * index, 60 - 3 * index
    truth = np.zeros((height, width), np.int64)
    if index != 2:
        truth[10 + index:14 + 2 * index, 5:40] = 1
    pred = np.where(rng.random(truth.shape) < .1, 1 - truth, truth)
    truth[rng.random(truth.shape) < .02] = 255
    prob = np.clip(.5 + (pred - .5) * rng.random(pred.shape), .01, .99)
    return SegDataSample(
        gt_sem_seg=PixelData(data=torch.from_numpy(truth)[None]),
        pred_sem_seg=PixelData(data=torch.from_numpy(pred)[None]),
        seg_logits=PixelData(data=torch.from_numpy(prob)[None]),
        variance=PixelData(data=torch.from_numpy(prob * (1 - prob))[None]),
        metainfo={'img_path': f'images/crack_{index}.jpg'})


def score(out, rank=0, world_size=1):
    """Deal the images to the processes as mmengine's loaders do."""
    from mmengine.dataset import DefaultSampler
    from mmengine.evaluator import Evaluator

    import mmcrack.registry  # noqa: F401

    evaluator = Evaluator([
        {'type': 'mmcrack.CrackMetric', 'per_image_csv': f'{out}.csv'},
        {'type': 'mmcrack.BoundaryAccuracyMetric'},
        {'type': 'mmcrack.BoundaryAccuracyMetric', 'mode': 'iou'},
        {'type': 'mmcrack.CrackMetric', 'prefix': 'more', 'metrics': [
            'tolerance', 'cldice', 'curves', 'calibration', 'distance',
            'variance'], 'intervals': True, 'resamples': 20},
    ])
    evaluator.dataset_meta = {'classes': ('background', 'crack')}
    dealt = list(DefaultSampler(range(5), shuffle=False))
    for index in dealt:
        evaluator.process([data_sample(index)])
    figures = evaluator.evaluate(5)
    if rank == 0:
        Path(out).write_text(
            json.dumps({
                'figures': figures,
                'dealt': len(dealt) * world_size,
                'rows': evaluator.metrics[0].per_image,
            }))
    else:
        assert figures, 'every process gets the figures'
        assert evaluator.metrics[0].per_image == []


if __name__ == '__main__':
    path, number, size, init = sys.argv[1:]
    torch.distributed.init_process_group(
        'gloo',
        init_method=f'file://{init}',
        rank=int(number),
        world_size=int(size))
    score(path, int(number), int(size))
    torch.distributed.destroy_process_group()
