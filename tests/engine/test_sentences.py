"""Which errors become a sentence, and which keep their traceback."""

import linecache

import pytest
import torch
from mmengine.registry import Registry
from torch.utils.data import DataLoader

from mmcrack.engine.sentences import did_you_mean, explain, run_tool

MODELS = Registry('toy model')


@MODELS.register_module()
class Toy:

    def __init__(self, channels, depth=3):
        if depth < 0:
            raise RuntimeError('made in a test, no word to the user')


def caught(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except BaseException as error:
        return error
    raise AssertionError('nothing was raised')


def speaks(path, text):
    """Run a line as if it stood in a file of some package."""
    source = f'def call():\n    {text}\n'
    linecache.cache[path] = (
        len(source), None, source.splitlines(keepends=True), path)
    space = {}
    exec(compile(source, path, 'exec'), space)
    return caught(space['call'])


def test_exit_codes(capsys, monkeypatch):
    monkeypatch.delenv('MMCRACK_DEBUG', raising=False)

    def missing():
        open('/no/such/file')

    assert run_tool(lambda: None, 'a.py') == 0
    assert run_tool(missing, 'a.py') == 2
    said = capsys.readouterr().err
    assert said.startswith('a.py: error: ')
    assert said.count('\n') == 1
    with pytest.raises(ZeroDivisionError):
        run_tool(lambda: 1 // 0, 'a.py')
    with pytest.raises(KeyboardInterrupt):
        run_tool(_interrupt, 'a.py')
    monkeypatch.setenv('MMCRACK_DEBUG', '1')
    with pytest.raises(FileNotFoundError):
        run_tool(missing, 'a.py')
    monkeypatch.setenv('MMCRACK_DEBUG', '0')
    assert run_tool(missing, 'a.py') == 2


def _interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize('package', ['mmcrack', 'mmengine', 'mmcv', 'mmseg',
                                     'mmpretrain'])
def test_what_is_raised_on_purpose_is_handed_on(package):
    path = f'/lib/{package}/part/module.py'
    error = speaks(path, "raise ValueError('a must be\\n   1, got 2.')")
    # Over several lines in the message, one in the sentence.
    assert explain(error) == 'a must be 1, got 2.'
    assert explain(speaks(path, "raise KeyError('no key x')")) == 'no key x'


@pytest.mark.parametrize(('path', 'text'), [
    ('/lib/torch/nn/module.py', "raise ValueError('shape')"),
    ('/lib/mmcrack/a.py', '[][1]'),
    ('/lib/mmcrack/a.py', '{}["x"]'),
    ('/lib/mmcrack/a.py', 'None.x'),
    ('/lib/mmcrack/a.py', 'raise NotImplementedError("later")'),
    ('/lib/mmcrack/a.py', 'raise ValueError'),
    # A violated assertion outside the building of a part is a bug.
    ('/lib/mmengine/a.py', 'assert 1 == 2, "one"'),
    ('/lib/mmcrack_extra/a.py', "raise ValueError('not ours')"),
])
def test_what_looks_like_a_bug_keeps_its_traceback(path, text):
    assert explain(speaks(path, text)) is None


def test_unknown_type_and_arguments():
    build = MODELS.build
    assert explain(caught(build, dict(type='Toyy'))) == (
        "The config asks for type='Toyy', which is not a registered toy "
        "model. Did you mean 'Toy'?")
    assert explain(caught(build, dict(type='Toy', chanels=3))) == (
        "Toy has no argument 'chanels' (config key 'chanels' beside "
        "type='Toy'). Did you mean 'channels'?")
    assert explain(caught(build, dict(type='Toy'))) == (
        "Toy needs the argument(s) 'channels': give them in the config "
        "beside type='Toy'.")
    assert "lacks the key 'type': {'channels': 3}" in explain(
        caught(build, dict(channels=3)))


def test_an_error_inside_a_part_is_not_blamed_on_the_config():
    assert explain(
        caught(MODELS.build, dict(type='Toy', channels=1, depth=-1))) is None


def test_near_names():
    assert did_you_mean('chanels', ['channels', 'channel', 'x']) == (
        " Did you mean 'channels' or 'channel'?")
    assert did_you_mean('zzz', ['channels']) == ''


def test_files_that_are_not_there_or_not_files(tmp_path):
    missing = tmp_path / 'no' / 'file'
    sentence = explain(caught(open, missing))
    assert sentence.startswith(f"No such file or directory: '{missing}'; "
                               'check the paths')
    assert 'MMCRACK_DATA' in sentence
    assert str(tmp_path) in explain(caught(open, tmp_path))
    # An error without a path says nothing that a person could mend.
    assert explain(OSError('broken pipe')) is None


def test_a_full_gpu():
    error = torch.cuda.OutOfMemoryError(
        'CUDA out of memory. Tried to allocate 2 GiB. GPU 0 has ...')
    assert explain(error) == (
        'CUDA out of memory: use a smaller batch '
        '(train_dataloader.batch_size), a smaller crop, or --amp.')


class Broken(torch.utils.data.Dataset):

    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise self.error


@pytest.mark.parametrize(('error', 'wanted'), [
    (FileNotFoundError(2, 'No such file or directory', 'a.png'),
     "No such file or directory: 'a.png'; check the paths"),
    # Raised here, in a file that does not speak to users.
    (ValueError('a bug'), None),
])
def test_errors_of_worker_processes(error, wanted):
    found = explain(caught(
        next, iter(DataLoader(Broken(error), num_workers=1))))
    if wanted is None:
        assert found is None
    else:
        assert found.startswith(wanted)


def test_a_worker_that_died():
    error = RuntimeError(
        'DataLoader worker (pid 77) is killed by signal: Killed.\nmore')
    sentence = explain(error)
    assert sentence.startswith(
        'DataLoader worker (pid 77) is killed by signal: Killed; ')
    assert 'num_workers' in sentence


def test_words_put_before_the_same_message_are_undone():
    """As some registries do on the way out, once for each level."""

    def build():
        try:
            try:
                open('/no/file')
            except FileNotFoundError as error:
                raise FileNotFoundError(f'class `A`: {error}') from error
        except FileNotFoundError as error:
            raise FileNotFoundError(f'class `B`: {error}') from error

    assert explain(caught(build)).startswith(
        "No such file or directory: '/no/file'")
