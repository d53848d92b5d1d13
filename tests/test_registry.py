"""Our registries, seen from every OpenMMLab library's scope."""

import subprocess
import sys

import mmengine.registry
import mmpretrain.registry
import mmseg.registry
import pytest
from mmengine.registry import DefaultScope, Registry, init_default_scope

import mmcrack.registry

NAMES = [
    'DATASETS', 'TRANSFORMS', 'MODELS', 'TASK_UTILS', 'METRICS', 'HOOKS',
    'INFERENCERS'
]
LIBRARIES = {
    'mmengine': mmengine.registry,
    'mmseg': mmseg.registry,
    'mmpretrain': mmpretrain.registry,
}


@pytest.fixture
def probe():
    """Function that registers a throw-away class in one of ours."""
    added = []

    def register(name):
        registry = getattr(mmcrack.registry, name)

        @registry.register_module(name='ProbeOfTheTests')
        class Probe:

            def __init__(self, *, value):
                self.value = value

        added.append(registry)
        return Probe

    yield register
    for registry in added:
        registry._module_dict.pop('ProbeOfTheTests')


PAIRS = [
    (library, name) for library, module in LIBRARIES.items() for name in NAMES
    if hasattr(module, name)
]


@pytest.mark.parametrize(('library', 'name'), PAIRS)
def test_a_class_of_ours_is_built_from_any_library(probe, library, name):
    theirs = getattr(LIBRARIES[library], name)
    made = probe(name)
    assert theirs.get('mmcrack.ProbeOfTheTests') is made
    built = theirs.build(dict(type='mmcrack.ProbeOfTheTests', value=7))
    assert type(built) is made
    assert built.value == 7


@pytest.mark.parametrize('scope', ['mmengine', 'mmseg', 'mmpretrain'])
def test_a_class_of_ours_is_built_under_any_default_scope(probe, scope):
    made = probe('MODELS')
    init_default_scope(scope)
    assert DefaultScope.get_current_instance().scope_name == scope
    built = mmengine.registry.MODELS.build(
        dict(type='mmcrack.ProbeOfTheTests', value=1))
    assert type(built) is made


@pytest.mark.parametrize('library', LIBRARIES)
def test_ours_is_not_found_without_its_scope(probe, library):
    """Nothing of ours shadows a name of theirs."""
    probe('MODELS')
    assert LIBRARIES[library].MODELS.get('ProbeOfTheTests') is None


def test_ours_builds_theirs_by_scope():
    head = mmcrack.registry.MODELS.get('mmseg.FCNHead')
    assert head is mmseg.registry.MODELS.get('FCNHead')
    assert head.__name__ == 'FCNHead'


@pytest.mark.parametrize('name', NAMES)
def test_every_registry_hangs_under_mmengine_s(name):
    registry = getattr(mmcrack.registry, name)
    assert isinstance(registry, Registry)
    assert registry.scope == 'mmcrack'
    assert registry.parent is getattr(mmengine.registry, name)
    root = getattr(mmengine.registry, name)
    assert root.children['mmcrack'] is registry


@pytest.mark.parametrize('name', NAMES)
def test_the_locations_import(name):
    registry = getattr(mmcrack.registry, name)
    registry.import_from_location()
    for registered in registry.module_dict.values():
        assert registered.__module__.startswith('mmcrack.')


@pytest.mark.parametrize('library', ['mmengine', 'mmseg'])
def test_a_fresh_process_needs_no_import_of_ours(library):
    """``mmcrack.X`` alone makes MMEngine import our registry."""
    code = (f'from {library}.registry import MODELS, DATASETS\n'
            'import sys\n'
            "assert 'mmcrack' not in sys.modules\n"
            "MODELS.get('mmcrack.NoSuchThing')\n"
            "print('mmcrack.registry' in sys.modules)\n"
            "print('mmcrack.models' in sys.modules)\n")
    done = subprocess.run(
        [sys.executable, '-c', f'import sys; sys.path[:] = {sys.path!r}\n'
         f'{code}'],
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ['True', 'True']
