"""The version guard, on simulated and on the real installation."""

import importlib
import re
import subprocess
import sys
from importlib import metadata

import pytest

from mmcrack import compatibility
from mmcrack.compatibility import (
    FAMILIES,
    IncompatibleVersionError,
    check_versions,
    installed_versions,
)
from mmcrack.version import __version__

ONEDL = {
    'onedl-mmcv': '2.3.6',
    'onedl-mmengine': '0.10.12',
    'onedl-mmsegmentation': '1.4.2',
    'onedl-mmpretrain': '1.3.6',
}
ORIGINALS = {
    'mmcv': '2.1.0',
    'mmengine': '0.10.7',
    'mmsegmentation': '1.2.2',
    'mmpretrain': '1.2.0',
}
TORCH = {'torch': '2.14.1', 'torchvision': '0.29.2'}


@pytest.fixture
def simulate(monkeypatch):
    """Function that makes exactly the named distributions installed."""

    def install(versions, torchvision_requires=('numpy', 'torch==2.14.1')):

        def version(name):
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(metadata, 'version', version)
        monkeypatch.setattr(
            metadata, 'requires', lambda _: list(torchvision_requires))

    return install


def sentence() -> str:
    """What the guard says; checks that it is one sentence."""
    with pytest.raises(IncompatibleVersionError) as caught:
        check_versions()
    text = str(caught.value)
    assert '\n' not in text
    assert text.startswith(f'mmcrack {__version__} needs ')
    assert text.endswith('`.')
    return text


@pytest.mark.parametrize('family', [ONEDL, ORIGINALS])
def test_either_family_is_accepted(simulate, family):
    simulate({**family, **TORCH})
    check_versions()
    assert installed_versions() == {**family, **TORCH}


def test_the_real_installation_is_accepted():
    check_versions()
    found = installed_versions()
    whole = [f for f in FAMILIES if set(FAMILIES[f]) <= set(found)]
    assert len(whole) == 1


LOWEST = {
    'onedl-mmcv': '2.3.0',
    'onedl-mmengine': '0.10.8',
    'onedl-mmsegmentation': '1.3.0',
    'onedl-mmpretrain': '1.3.0',
}


def test_the_lower_bounds_themselves_are_inside(simulate):
    simulate({**LOWEST, 'torch': '2.4.0', 'torchvision': '0.19.0'},
             torchvision_requires=['torch==2.4.0'])
    check_versions()


@pytest.mark.parametrize(
    ('name', 'version', 'bounds'),
    [
        ('onedl-mmcv', '2.2.9', '>=2.3,<3'),
        ('onedl-mmcv', '2.3.0rc1', '>=2.3,<3'),
        ('onedl-mmcv', '3.0.0', '>=2.3,<3'),
        ('onedl-mmengine', '0.10.7', '>=0.10.8,<1'),
        ('onedl-mmengine', '1.0.0', '>=0.10.8,<1'),
        ('onedl-mmsegmentation', '1.2.2', '>=1.3,<2'),
        ('onedl-mmsegmentation', '2.0.0', '>=1.3,<2'),
        ('onedl-mmpretrain', '1.2.0', '>=1.3,<2'),
        ('onedl-mmpretrain', '2.1', '>=1.3,<2'),
        ('mmcv', '1.7.2', '>=2.1,<2.2'),
        ('mmcv', '2.2.0', '>=2.1,<2.2'),
        ('mmengine', '0.10.6', '>=0.10.7,<0.11'),
        ('mmengine', '0.11.0', '>=0.10.7,<0.11'),
        ('mmsegmentation', '0.30.0', '>=1.2.2,<1.3'),
        ('mmsegmentation', '1.3.0', '>=1.2.2,<1.3'),
        ('mmpretrain', '1.1.1', '>=1.2,<1.3'),
        ('mmpretrain', '1.3.0', '>=1.2,<1.3'),
    ])
def test_too_old_and_too_new(simulate, name, version, bounds):
    family = ONEDL if name in ONEDL else ORIGINALS
    simulate({**family, **TORCH, name: version})
    said = sentence()
    assert f'needs {name}{bounds} but found {name} {version}: run' in said
    assert f'"{name}{bounds}"' in said.split('install')[-1]
    for other in set(family) - {name}:
        assert other not in said.replace(name, '')


def test_mmcv_s_cure_builds_it(simulate):
    simulate({**ORIGINALS, **TORCH, 'mmcv': '2.2.0'})
    assert sentence().endswith(
        'run `python -m pip install "setuptools<81" wheel ninja` and then '
        '`python -m pip install --no-build-isolation "mmcv>=2.1,<2.2"`.')


def test_what_mmsegmentation_forgot_is_installed_with_it(simulate):
    simulate({**ORIGINALS, **TORCH, 'mmsegmentation': '1.1.0'})
    assert sentence().endswith(
        'install "mmsegmentation>=1.2.2,<1.3" ftfy regex`.')


def test_two_unfit_packages_stand_in_one_sentence(simulate):
    simulate({
        **ONEDL, 'onedl-mmcv': '2.2.0', 'onedl-mmengine': '0.10.0',
        'torch': '2.1.0', 'torchvision': '0.16.0'})
    said = sentence()
    assert 'onedl-mmcv>=2.3,<3 but found onedl-mmcv 2.2.0' in said
    assert 'onedl-mmengine>=0.10.8,<1 but found onedl-mmengine 0.10.0' in said
    assert 'torch>=2.4 but found torch 2.1.0' in said
    assert said.index('"torch>=2.4" torchvision') < said.index(
        '"onedl-mmcv>=2.3,<3" "onedl-mmengine>=0.10.8,<1"`.')


@pytest.mark.parametrize('version', ['2.3.6+cu130', '2.3.6.post1'])
def test_labels_and_post_releases_do_not_matter(simulate, version):
    simulate({**ONEDL, **TORCH, 'onedl-mmcv': version})
    check_versions()


def test_a_version_that_is_none(simulate):
    simulate({**ONEDL, **TORCH, 'onedl-mmcv': 'unknown'})
    assert 'but found onedl-mmcv unknown' in sentence()


@pytest.mark.parametrize('family', [ONEDL, ORIGINALS])
@pytest.mark.parametrize('position', range(4))
def test_one_package_is_missing(simulate, family, position):
    missing = list(family)[position]
    simulate({
        k: v
        for k, v in {**family, **TORCH}.items() if k != missing
    })
    name = 'onedl' if family is ONEDL else 'openmmlab'
    bounds = FAMILIES[name][missing]
    said = sentence()
    assert f'needs {missing}{bounds}, which is not installed: run' in said
    assert f'"{missing}{bounds}"' in said.split('install')[-1]


def test_a_broken_uninstallation_counts_as_missing(simulate):
    simulate({**ONEDL, **TORCH, 'onedl-mmcv': None})
    assert 'needs onedl-mmcv>=2.3,<3, which is not installed' in sentence()


def test_neither_family_is_there(simulate):
    simulate(TORCH)
    said = sentence()
    for name, bounds in FAMILIES['onedl'].items():
        assert f'"{name}{bounds}"' in said
    assert 'mmcrack[openmmlab]' in said
    assert 'are not installed' in said


@pytest.mark.parametrize('lite', ['mmcv-lite', 'mmcv-full'])
def test_mmcv_without_compiled_ops_is_not_mmcv(simulate, lite):
    family = {k: v for k, v in ORIGINALS.items() if k != 'mmcv'}
    simulate({**family, **TORCH, lite: '2.1.0'})
    said = sentence()
    assert f'needs mmcv>=2.1,<2.2, but {lite} 2.1.0 is installed' in said
    assert f'`python -m pip uninstall -y {lite}`' in said


def test_both_families_lie_over_each_other(simulate):
    simulate({**ONEDL, **ORIGINALS, **TORCH})
    said = sentence()
    assert 'lie over each other' in said
    for new, old in zip(ONEDL, ORIGINALS, strict=True):
        assert f'{new} {ONEDL[new]} and {old} {ORIGINALS[old]}' in said
    removed = re.search(r'uninstall -y ([^`]*)`', said).group(1).split()
    assert set(removed) == {*ONEDL, *ORIGINALS}
    installed = said.split('and then')[-1]
    assert all(f'"{n}{b}"' in installed for n, b in FAMILIES['onedl'].items())
    assert '"mmcv' not in installed


def test_one_original_over_the_default_family(simulate):
    simulate({**ONEDL, 'mmcv': '2.1.0', **TORCH})
    said = sentence()
    assert '(onedl-mmcv 2.3.6 and mmcv 2.1.0)' in said
    assert 'uninstall -y onedl-mmcv onedl-mmengine' in said


def test_one_of_the_default_over_the_originals(simulate):
    simulate({**ORIGINALS, 'onedl-mmengine': '0.10.12', **TORCH})
    said = sentence()
    assert '(onedl-mmengine 0.10.12 and mmengine 0.10.7)' in said
    assert '"mmsegmentation>=1.2.2,<1.3"' in said.split('and then')[-1]


def test_two_builds_of_mmcv(simulate):
    simulate({**ORIGINALS, 'mmcv-lite': '2.1.0', **TORCH})
    assert '(mmcv 2.1.0 and mmcv-lite 2.1.0)' in sentence()


def test_families_are_mixed(simulate):
    simulate({
        'onedl-mmcv': '2.3.6', 'onedl-mmengine': '0.10.12',
        'mmsegmentation': '1.2.2', **TORCH})
    said = sentence()
    assert ('two are mixed (onedl-mmcv 2.3.6 and onedl-mmengine 0.10.12 '
            'beside mmsegmentation 1.2.2)') in said
    assert '`python -m pip uninstall -y mmsegmentation`' in said
    assert '"onedl-mmsegmentation>=1.3,<2"' in said


def test_the_larger_family_is_kept(simulate):
    simulate({
        'onedl-mmpretrain': '1.3.6', 'mmcv': '2.1.0', 'mmengine': '0.10.7',
        **TORCH})
    said = sentence()
    assert '`python -m pip uninstall -y onedl-mmpretrain`' in said
    assert '"mmpretrain>=1.2,<1.3"' in said


def test_overlay_is_named_before_versions(simulate):
    simulate({**ONEDL, **ORIGINALS, **TORCH, 'mmcv': '1.0'})
    assert 'lie over each other' in sentence()


def broken_torchvision(monkeypatch, error):
    """Make ``import torchvision`` die, as with another torch's build."""

    def fail(name):
        assert name == 'torchvision'
        raise error

    monkeypatch.setattr(compatibility, 'import_module', fail)


@pytest.mark.parametrize(
    ('torch', 'torchvision', 'index'),
    [
        ('2.14.1+cpu', '0.29.2', ' --index-url https://download.pytorch.org'
         '/whl/cpu'),
        ('2.14.1+cu126', '0.29.2+cpu', ' --index-url https://'
         'download.pytorch.org/whl/cu126'),
        ('2.13.0', '0.29.2', ''),
    ])
def test_torchvision_of_another_torch(
        simulate, monkeypatch, torch, torchvision, index):
    simulate({**ONEDL, 'torch': torch, 'torchvision': torchvision})
    broken_torchvision(
        monkeypatch,
        RuntimeError('operator torchvision::nms does not exist\nmore'))
    assert sentence() == (
        f'mmcrack {__version__} needs a torchvision that fits torch {torch}, '
        f'but torchvision {torchvision} does not (operator torchvision::nms '
        'does not exist): run `python -m pip install --force-reinstall torch '
        f'torchvision{index}`.')


@pytest.mark.parametrize(
    ('torch', 'torchvision'),
    [('2.6.0a0+nv25.1', '0.20.0a0'), ('2.14.1+cpu', '0.29.2')])
def test_a_suspect_torchvision_that_imports_is_fine(
        simulate, monkeypatch, torch, torchvision):
    simulate({**ONEDL, 'torch': torch, 'torchvision': torchvision})
    asked = []
    monkeypatch.setattr(compatibility, 'import_module', asked.append)
    check_versions()
    assert asked == ['torchvision']


@pytest.mark.parametrize('label', ['', '+cpu', '+cu130'])
def test_a_fitting_torchvision_is_not_even_imported(
        simulate, monkeypatch, label):
    simulate({
        **ONEDL, 'torch': f'2.14.1{label}', 'torchvision': f'0.29.2{label}'})
    broken_torchvision(monkeypatch, AssertionError('imported'))
    check_versions()


def test_torchvision_is_missing(simulate):
    simulate({**ONEDL, 'torch': '2.14.1+cpu'})
    said = sentence()
    assert 'fits torch 2.14.1+cpu, and none is installed' in said
    assert 'whl/cpu`' in said


def test_it_is_no_import_error():
    """MMEngine's registries swallow those."""
    assert not issubclass(
        IncompatibleVersionError, (ImportError, AttributeError))


USERS_SCRIPT = """
import sys
from mmengine.config import Config
config = Config.fromfile(sys.argv[1])
from mmengine.registry import MODELS
MODELS.build(config.model)
"""


def user_s_run(tmp_path, imports):
    """A user's process, in which a config names a component of ours.

    Metadata of the other family's mmcv stand first on its path, as if that
    one had been laid over the installed one.
    """
    other = 'onedl-mmcv' if 'mmcv' in installed_versions() else 'mmcv'
    site = tmp_path / 'site'
    information = site / f'{other.replace("-", "_")}-9.9.dist-info'
    information.mkdir(parents=True)
    (information / 'METADATA').write_text(
        f'Metadata-Version: 2.1\nName: {other}\nVersion: 9.9\n')
    config = tmp_path / 'config.py'
    config.write_text(
        "default_scope = 'mmseg'\n"
        f'custom_imports = dict(imports={imports!r}, '
        'allow_failed_imports=False)\n'
        "model = dict(type='mmcrack.CBPRNHead')\n")
    paths = [str(site), *sys.path]
    return subprocess.run(
        [sys.executable, '-c',
         f'import sys; sys.path[:] = {paths!r}\n{USERS_SCRIPT}',
         str(config)],
        capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize('imports', [['mmcrack'], ['mmcrack.registry']])
def test_the_sentence_reaches_the_user_of_a_config(tmp_path, imports):
    """Through ``custom_imports`` and through MMEngine's registry alike."""
    done = user_s_run(tmp_path, imports)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        'mmcrack.compatibility.IncompatibleVersionError: '
        f'mmcrack {__version__} needs one OpenMMLab family')
    assert 'lie over each other' in last
    assert 'mmcv 9.9' in last


def test_the_package_itself_needs_no_openmmlab():
    """``mmcrack.functional`` is usable with torch alone."""
    block = ('import sys\n'
             "for n in ('mmengine', 'mmcv', 'mmseg', 'mmpretrain'):\n"
             '    sys.modules[n] = None\n'
             'import mmcrack, mmcrack.functional, mmcrack.compatibility\n')
    done = subprocess.run(
        [sys.executable, '-c', f'import sys; sys.path[:] = {sys.path!r}\n'
         f'{block}'],
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_registry_runs_the_guard_first(simulate):
    simulate(TORCH)
    name = 'mmcrack.registry'
    kept = sys.modules.pop(name, None)
    try:
        with pytest.raises(IncompatibleVersionError, match='not installed'):
            importlib.import_module(name)
    finally:
        if kept is not None:
            sys.modules[name] = kept
