"""The command that generates pictures."""

import json

import pytest


@pytest.fixture
def generate(tool, capsys):
    """Run the command: (exit code, stdout, stderr)."""
    main = tool('dataset_converters/synthetic').main

    def call(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return call


SMALL = ('--train', 1, '--val', 0, '--test', 2, '--size', 48, 64)


def test_it_writes_what_was_asked_and_prints_the_baselines(
        generate, tmp_path):
    code, out, err = generate(tmp_path / 'a', *SMALL, '--seed', 7,
                              '--baselines')
    assert code == 0
    assert 'crack IoU on 2 test pictures, best setting of each:' in out
    for name in ('otsu', 'adaptive', 'frangi'):
        line = next(x for x in out.splitlines() if x.strip().startswith(name))
        assert 0 <= float(line.split()[1]) <= 1
    assert out.endswith(f'3 pictures, masks and truths in {tmp_path / "a"}\n')
    assert '3 of 3 pictures' in err
    spec = json.loads((tmp_path / 'a' / 'manifest.json').read_text())['spec']
    assert spec['splits'] == {'train': 1, 'val': 0, 'test': 2}
    assert (spec['size'], spec['seed']) == ([48, 64], 7)
    assert len(list((tmp_path / 'a' / 'images' / 'test').iterdir())) == 2


def test_seed_and_format_are_obeyed(generate, tmp_path):
    for name, options in (('a', ('--seed', 1)), ('b', ('--seed', 1)),
                          ('c', ('--seed', 2, '--format', 'png'))):
        assert generate(tmp_path / name, *SMALL, *options)[0] == 0
    first, same, other = (
        (tmp_path / name / 'masks/test/test_00000.png').read_bytes()
        for name in 'abc')
    assert first == same != other
    assert (tmp_path / 'c/images/test/test_00000.png').is_file()


@pytest.mark.parametrize(('options', 'words'), [
    (('--size', 8, 64), 'size must be at least 16, got 8.'),
    (('--size', 64, 99999), 'size must be at most 65500 on each side'),
    (('--train', -1), "splits['train'] must be at least 0, got -1."),
    (('--train', 0, '--val', 0, '--test', 0), 'at least one picture.'),
    (('--seed', -5), 'seed must be at least 0, got -5.'),
    (('--workers', 0), 'workers must be at least 1, got 0.'),
    (('--test', 0, '--baselines'), 'needs test pictures: give --test.'),
])
def test_bad_options_end_in_one_sentence(generate, tmp_path, options, words):
    code, out, err = generate(tmp_path / 'a', *options)
    assert code == 2
    assert out == ''
    assert err.startswith('synthetic: ')
    assert err.count('\n') == 1
    assert words in err
    assert not (tmp_path / 'a').exists()


def test_foreign_folders_and_files_are_left_alone(generate, tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a' / 'thesis.tex').write_text('years of work')
    code, _, err = generate(tmp_path / 'a', *SMALL, '--overwrite')
    assert (code, err.count('\n')) == (2, 1)
    assert 'not written by this generator; choose another folder' in err
    (tmp_path / 'b').write_text('a file')
    code, _, err = generate(tmp_path / 'b', *SMALL)
    assert (code, err.count('\n')) == (2, 1)
    assert 'b is a file; name a folder' in err
    assert generate(tmp_path / 'c', *SMALL)[0] == 0
    code, _, err = generate(tmp_path / 'c', *SMALL, '--seed', 9)
    assert (code, err.count('\n')) == (2, 1)
    assert '--overwrite' in err
    assert generate(tmp_path / 'c', *SMALL, '--seed', 9, '--overwrite')[0] == 0
    assert (tmp_path / 'a' / 'thesis.tex').read_text() == 'years of work'
