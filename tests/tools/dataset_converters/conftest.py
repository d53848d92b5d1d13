"""The converters as functions."""

import importlib.util

import pytest


@pytest.fixture(scope='module')
def tool(repository):
    """Loads a converter by name."""

    def load(name):
        path = repository / 'tools' / 'dataset_converters' / f'{name}.py'
        spec = importlib.util.spec_from_file_location(f'tool_{name}', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def run(tool, capsys):
    """Runs a converter; returns status, output and errors."""

    def call(name, *args):
        status = tool(name).main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def fails(run):
    """Runs a converter on bad input; returns the one sentence it prints.

    Whoever calls it asserts on the sentence.
    """

    def call(name, *args):
        status, _, err = run(name, *args)
        lines = [x for x in err.split('\n') if x and not x.endswith('pairs')]
        assert status == 2, err
        assert len(lines) == 1, err
        assert lines[0].startswith('error: ')
        return lines[0]

    return call
