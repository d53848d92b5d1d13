"""Wheel, requirements, contracts: what an installation is made of."""

import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from mmcrack.compatibility import FAMILIES, LITE_BUILDS, TORCH_RANGE
from mmcrack.version import __version__

BOTH_FAMILIES = {
    *FAMILIES['onedl'], *FAMILIES['openmmlab'], *LITE_BUILDS
}
SHIPPED = (
    'mmcrack', 'configs', 'tools', 'pyproject.toml', 'hatch_build.py',
    'model-index.yml', 'README.md', 'LICENSE', '.gitignore')


def run(*command, **options):
    """Run, and show what it said if it fails."""
    done = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True,
        timeout=300, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def requirement_lines(file: Path) -> list[Requirement]:
    """Requirements of a pip file."""
    lines = (line.partition('#')[0] for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line.strip()]


def build(repository, folder, *, editable=False) -> Path:
    """Build a wheel of a copy of the working tree; needs no network."""
    pytest.importorskip('hatchling')
    source = folder / 'source'
    source.mkdir()
    skip = shutil.ignore_patterns('__pycache__')
    for name in SHIPPED:
        origin = repository / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=skip)
        else:
            shutil.copy(origin, source / name)
    hook = 'build_editable' if editable else 'build_wheel'
    run(sys.executable, '-c',
        f'import hatchling.build as b; b.{hook}({str(folder)!r})',
        cwd=source)
    (wheel, ) = folder.glob('mmcrack-*.whl')
    return wheel


@pytest.fixture(scope='module')
def wheel(repository, tmp_path_factory):
    """The wheel of this working tree."""
    return build(repository, tmp_path_factory.mktemp('wheel'))


@pytest.fixture(scope='module')
def wheel_metadata(wheel):
    """Its METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(
            f'mmcrack-{__version__}.dist-info/METADATA').decode()
    return Parser().parsestr(text)


def files_below(folder: Path) -> set[str]:
    """What git would track of it, as far as a wheel is concerned."""
    return {
        p.relative_to(folder).as_posix()
        for p in folder.rglob('*')
        if p.is_file() and '__pycache__' not in p.parts
    }


def test_the_wheel_holds_configs_tools_and_index(repository, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for name in ('configs', 'tools'):
        prefix = f'mmcrack/.mim/{name}/'
        shipped = {
            n.removeprefix(prefix) for n in names if n.startswith(prefix)
        }
        assert shipped == files_below(repository / name)
    assert 'mmcrack/.mim/model-index.yml' in names
    modules = {
        n.removeprefix('mmcrack/') for n in names
        if n.startswith('mmcrack/') and not n.startswith('mmcrack/.mim/')
    }
    assert modules == files_below(repository / 'mmcrack')
    assert f'mmcrack-{__version__}.dist-info/licenses/LICENSE' in names
    assert all(n.startswith(('mmcrack/', 'mmcrack-')) for n in names)


@pytest.mark.slow
def test_config_path_works_from_an_installed_wheel(wheel, tmp_path):
    target = tmp_path / 'target'
    run(sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps',
        '--no-index', '--disable-pip-version-check', '--target', target,
        wheel)
    code = (
        'import sys; sys.path.insert(0, sys.argv[1])\n'
        'import mmcrack\n'
        'from mmengine.config import Config\n'
        "path = mmcrack.config_path('_base_/default_runtime')\n"
        'print(path)\n'
        'print(Config.fromfile(path).default_scope)\n')
    path, scope = run(
        sys.executable, '-c', code, target, cwd=tmp_path).split()
    expected = (
        target / 'mmcrack' / '.mim' / 'configs' / '_base_' /
        'default_runtime.py')
    assert Path(path) == expected.resolve()
    assert scope == 'mmseg'


def test_an_editable_wheel_holds_a_path_and_no_copies(repository, tmp_path):
    editable = build(repository, tmp_path, editable=True)
    with zipfile.ZipFile(editable) as archive:
        names = [n for n in archive.namelist() if '.dist-info/' not in n]
        assert names == ['_mmcrack.pth']
        line = archive.read('_mmcrack.pth').decode().strip()
    assert Path(line) == tmp_path / 'source'


def test_an_installation_replaces_neither_family(wheel_metadata):
    """Without an extra, no requirement names a package of a family."""
    assert wheel_metadata['Version'] == __version__
    required = [
        Requirement(line) for line in wheel_metadata.get_all('Requires-Dist')
    ]
    plain = {
        canonicalize_name(r.name)
        for r in required if not r.marker or r.marker.evaluate({'extra': ''})
    }
    assert {'torch', 'torchvision', 'numpy'} <= plain
    assert not plain & BOTH_FAMILIES
    assert not any('mmengine' in n or 'mmcv' in n for n in plain)


@pytest.mark.parametrize('family', FAMILIES)
def test_each_extra_names_its_family_alone(wheel_metadata, family):
    bounds = {}
    for line in wheel_metadata.get_all('Requires-Dist'):
        requirement = Requirement(line)
        if (requirement.marker
                and requirement.marker.evaluate({'extra': family})):
            bounds[requirement.name] = requirement.specifier
    ours = {n: s for n, s in bounds.items() if n in BOTH_FAMILIES}
    assert ours == {
        name: SpecifierSet(s) for name, s in FAMILIES[family].items()
    }


def test_requirements_constraints_and_guard_agree(
        repository, wheel_metadata):
    wanted = {
        canonicalize_name(r.name): r.specifier
        for r in requirement_lines(repository / 'requirements.txt')
    }
    for name, bounds in FAMILIES['onedl'].items():
        assert wanted[name] == SpecifierSet(bounds)
    assert wanted['torch'] == SpecifierSet(TORCH_RANGE)
    assert not set(wanted) & set(FAMILIES['openmmlab'])
    plain = {
        canonicalize_name(Requirement(line).name)
        for line in wheel_metadata.get_all('Requires-Dist')
        if not Requirement(line).marker
    }
    assert set(wanted) == plain | set(FAMILIES['onedl'])
    pinned = {
        canonicalize_name(r.name): r
        for r in requirement_lines(repository / 'constraints.txt')
    }
    assert set(wanted) <= set(pinned)
    for name, specifier in wanted.items():
        (pin, ) = pinned[name].specifier
        assert pin.operator == '=='
        assert specifier.contains(pin.version)


def test_constraints_hold_on_any_machine(repository):
    """Exact public versions: no local wheel, index, path or label."""
    text = (repository / 'constraints.txt').read_text()
    assert not re.search(r'://|@|\+|^-|/', text, re.MULTILINE)
    for requirement in requirement_lines(repository / 'constraints.txt'):
        assert requirement.url is None
        (pin, ) = requirement.specifier
        assert pin.operator == '=='


def test_citation_and_changelog_name_this_version(repository):
    citation = yaml.safe_load((repository / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    assert citation['license'] == 'Apache-2.0'
    changelog = (repository / 'CHANGELOG.md').read_text()
    assert re.search(
        rf'^## {re.escape(__version__)}\b', changelog, re.MULTILINE)


def test_the_model_index_leads_to_files(repository):
    index = yaml.safe_load((repository / 'model-index.yml').read_text())
    assert index['Import']
    for name in index['Import']:
        metafile = yaml.safe_load((repository / name).read_text())
        assert [c['Name'] for c in metafile['Collections']]
        for model in metafile['Models']:
            assert (repository / model['Config']).is_file()
    metafiles = {
        p.relative_to(repository).as_posix()
        for p in (repository / 'configs').rglob('metafile.yml')
    }
    assert metafiles == set(index['Import'])


@pytest.mark.parametrize(
    'room', ['functional', 'visualization', 'measurement'])
def test_the_pure_rooms_run_without_openmmlab(repository, room):
    """Every module of theirs imports while OpenMMLab is absent."""
    if not (repository / 'mmcrack' / room).is_dir():
        pytest.skip(f'mmcrack.{room} has no file yet')
    code = (
        'import importlib, pkgutil, sys\n'
        f'sys.path[:] = {sys.path!r}\n'
        "for name in ('mmengine', 'mmcv', 'mmseg', 'mmpretrain'):\n"
        '    sys.modules[name] = None\n'
        f'import mmcrack.{room} as room\n'
        'found = list(pkgutil.walk_packages(room.__path__,'
        " room.__name__ + '.'))\n"
        'for module in found:\n'
        '    importlib.import_module(module.name)\n'
        "print('imported', len(found))\n")
    said = run(sys.executable, '-c', code)
    assert int(said.split()[-1]) >= 1


def make_says(repository, *arguments, **environment):
    """What a failing make prints."""
    make = shutil.which('make')
    if make is None:
        pytest.skip('make is not installed')
    done = subprocess.run(
        [make, *arguments], cwd=repository, capture_output=True, text=True,
        timeout=60, check=False, **environment)
    assert done.returncode != 0
    return done.stderr


def fake_python(folder, version_info, name):
    """A python3 that only tells a version."""
    path = folder / 'python-of-old'
    path.write_text(
        '#!/bin/sh\n'
        f'if [ "$1" = -V ]; then echo "{name}"; exit 0; fi\n'
        f'exec "{sys.executable}" -c "import sys; '
        f'sys.version_info = {version_info}; exec(sys.argv[1])" "$2"\n')
    path.chmod(0o755)
    return path


def test_make_names_a_python_that_is_too_old(repository, tmp_path):
    old = fake_python(tmp_path, (3, 9, 18), 'Python 3.9.18')
    said = make_says(
        repository, 'setup', f'PYTHON={old}', f'VENV={tmp_path / "venv"}')
    assert (f"mmcrack needs Python 3.10 or newer, but '{old}' is Python "
            '3.9.18: name a newer one') in said
    assert not (tmp_path / 'venv').exists()


def test_make_names_a_python_that_is_not_there(repository, tmp_path):
    said = make_says(
        repository, 'setup', 'PYTHON=no-such-python',
        f'VENV={tmp_path / "venv"}')
    assert "there is no 'no-such-python'" in said
