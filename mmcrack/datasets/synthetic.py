"""Synthetic photographs of cracked concrete with exact masks.

Not in the papers: the data that everything can be tried and tested with
where no real photographs are at hand. The pictures are concrete-like (grain,
aggregate, stains, shadow, formwork, pores, wires and joints that look like
cracks, blur, sensor and JPEG noise); the cracks branch, are 0.6 to 20 px
wide, and their masks follow exactly from the geometry (the rule is stated
in ``mmcrack.datasets.synthetic_cracks``).

A picture depends on its seed, its size and its style only. It is painted in
bands of rows, so that 16384 x 16384 pixels need the memory of the 8-bit
result and of one band.

Example:
    >>> scene = generate_scene(7, (320, 320))
    >>> scene.image.shape, scene.mask.max()
    ((320, 320, 3), 1)
"""

from mmcrack.datasets.synthetic_baselines import baseline_scores
from mmcrack.datasets.synthetic_cracks import CrackTruth
from mmcrack.datasets.synthetic_scene import (
                                              SceneBand,
                                              SyntheticScene,
                                              generate_scene,
                                              iter_scene_bands,
                                              scene_truth,
)
from mmcrack.datasets.synthetic_style import SceneStyle
from mmcrack.datasets.synthetic_writer import (
                                              read_truth,
                                              scene_seed,
                                              write_dataset,
)

__all__ = [
    'CrackTruth', 'SceneBand', 'SceneStyle', 'SyntheticScene',
    'baseline_scores', 'generate_scene', 'iter_scene_bands', 'read_truth',
    'scene_seed', 'scene_truth', 'write_dataset'
]
