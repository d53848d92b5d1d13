"""mmcrack: crack segmentation on top of MMSegmentation.

Importing the package imports none of OpenMMLab, so that
``mmcrack.functional`` can be used with torch alone. ``mmcrack.registry``
(imported whenever a config names ``mmcrack.X``) checks the versions of the
OpenMMLab packages.
"""

from mmcrack.paths import config_path
from mmcrack.version import __version__

__all__ = ['__version__', 'config_path']
