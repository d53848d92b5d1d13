"""mmcrack's registries: children of MMEngine's root, scope ``mmcrack``.

Configs keep ``default_scope='mmseg'`` and write ``type='mmcrack.X'``; that
resolves from any OpenMMLab library. Importing this module first checks that
the installed OpenMMLab packages are ones that mmcrack works with, and each
registry imports the modules of its ``locations`` when it is first asked.
"""

from mmcrack.compatibility import check_versions

check_versions()

from mmengine import registry as root  # noqa: E402
from mmengine.registry import Registry  # noqa: E402

DATASETS = Registry(
    'dataset',
    parent=root.DATASETS,
    scope='mmcrack',
    locations=['mmcrack.datasets.crack_dataset'])
TRANSFORMS = Registry(
    'transform',
    parent=root.TRANSFORMS,
    scope='mmcrack',
    locations=['mmcrack.datasets.transforms'])
MODELS = Registry(
    'model',
    parent=root.MODELS,
    scope='mmcrack',
    locations=['mmcrack.models'])
TASK_UTILS = Registry(
    'task util',
    parent=root.TASK_UTILS,
    scope='mmcrack',
    locations=['mmcrack.models.task_modules'])
METRICS = Registry(
    'metric',
    parent=root.METRICS,
    scope='mmcrack',
    locations=['mmcrack.evaluation.metrics'])
HOOKS = Registry(
    'hook',
    parent=root.HOOKS,
    scope='mmcrack',
    locations=['mmcrack.engine.hooks'])
INFERENCERS = Registry(
    'inferencer', parent=root.INFERENCERS, scope='mmcrack')
