"""mmcrack's registries: children of MMEngine's root, scope ``mmcrack``.

Configs keep ``default_scope='mmseg'`` and write ``type='mmcrack.X'``; that
resolves from any OpenMMLab library. Importing this module first checks that
the installed OpenMMLab packages are ones that mmcrack works with.
"""

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import INFERENCERS as MMENGINE_INFERENCERS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

DATASETS = Registry(
    'dataset',
    parent=MMENGINE_DATASETS,
    scope='mmcrack',
    locations=['mmcrack.datasets'])
TRANSFORMS = Registry(
    'transform',
    parent=MMENGINE_TRANSFORMS,
    scope='mmcrack',
    locations=['mmcrack.datasets.transforms'])
MODELS = Registry(
    'model',
    parent=MMENGINE_MODELS,
    scope='mmcrack',
    locations=['mmcrack.models'])
TASK_UTILS = Registry(
    'task util',
    parent=MMENGINE_TASK_UTILS,
    scope='mmcrack',
    locations=['mmcrack.models.task_modules'])
METRICS = Registry(
    'metric',
    parent=MMENGINE_METRICS,
    scope='mmcrack',
    locations=['mmcrack.evaluation.metrics'])
HOOKS = Registry(
    'hook',
    parent=MMENGINE_HOOKS,
    scope='mmcrack',
    locations=['mmcrack.engine.hooks'])
INFERENCERS = Registry(
    'inferencer', parent=MMENGINE_INFERENCERS, scope='mmcrack')
