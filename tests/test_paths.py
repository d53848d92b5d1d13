"""Where configs are found."""

from pathlib import Path

import pytest
from mmengine.config import Config

import mmcrack
from mmcrack import paths


def test_every_config_is_found_with_and_without_suffix(repository):
    configs = repository / 'configs'
    files = sorted(configs.rglob('*.py'))
    assert len(files) >= 1
    for file in files:
        name = file.relative_to(configs).as_posix()
        assert mmcrack.config_path(name) == str(file)
        assert mmcrack.config_path(name.removesuffix('.py')) == str(file)


def test_another_config_can_inherit_through_the_path(tmp_path):
    base = mmcrack.config_path('_base_/default_runtime')
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(f'_base_ = [{base!r}]\nlog_level = "ERROR"\n')
    config = Config.fromfile(leaf)
    assert config.default_scope == 'mmseg'
    assert config.log_level == 'ERROR'


def test_an_unknown_name_lists_the_nearest():
    with pytest.raises(
            FileNotFoundError,
            match=r"no config '_base_/default_runtme.py'.*"
            r'nearest.*_base_/default_runtime\.py'):
        mmcrack.config_path('_base_/default_runtme')


def test_a_name_far_from_all_still_lists_some():
    with pytest.raises(FileNotFoundError, match=r'nearest names are \S+\.py'):
        mmcrack.config_path('%%%')


@pytest.mark.parametrize('name', ['../pyproject', '../tests/conftest', ''])
def test_nothing_outside_the_configs_is_returned(name):
    with pytest.raises(FileNotFoundError, match='mmcrack has no config'):
        mmcrack.config_path(name)


@pytest.mark.parametrize('name', [None, 3, Path('_base_/default_runtime')])
def test_a_name_that_is_no_string(name):
    with pytest.raises(TypeError, match='wants the name of a config'):
        mmcrack.config_path(name)


def test_the_wheel_s_own_configs_come_first(tmp_path, monkeypatch):
    package = tmp_path / 'mmcrack'
    for root in (package / '.mim' / 'configs', tmp_path / 'configs'):
        (root / '_base_').mkdir(parents=True)
        (root / '_base_' / 'x.py').write_text('')
    monkeypatch.setattr(paths, '__file__', str(package / 'paths.py'))
    expected = package / '.mim' / 'configs' / '_base_' / 'x.py'
    assert mmcrack.config_path('_base_/x') == str(expected)


def test_a_package_without_configs_says_where_it_looked(
        tmp_path, monkeypatch):
    monkeypatch.setattr(paths, '__file__', str(tmp_path / 'm' / 'paths.py'))
    with pytest.raises(
            FileNotFoundError, match=r'\.mim.configs nor .*reinstall'):
        mmcrack.config_path('_base_/x')
