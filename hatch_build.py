"""Puts configs and tools into wheels, where OpenMMLab's tools expect them.

An editable installation reads both from the checkout: copies of them beside
it would only go stale.
"""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class MimFiles(BuildHookInterface):
    """Adds ``mmcrack/.mim`` to wheels that are no editable ones."""

    def initialize(self, version, build_data):
        """Register the files; ``version`` is ``standard`` or ``editable``."""
        if version != 'standard':
            return
        for name in ('configs', 'tools', 'model-index.yml'):
            build_data['force_include'][name] = f'mmcrack/.mim/{name}'
