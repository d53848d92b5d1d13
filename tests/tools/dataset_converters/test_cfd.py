"""CFD from its layout as distributed."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.io
from converter_sources import (
    HEIGHT,
    WIDTH,
    content,
    photograph,
    stems,
    stored_mask,
    truth,
    write_cfd,
)

from mmcrack.datasets.converted import read_manifest


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """CFD with all its pairs, in small."""
    return write_cfd(tmp_path_factory.mktemp('cfd'))


class TestCFD:
    def test_whole_set(self, whole, run, tmp_path):
        before = content(whole)
        status, text, _ = run('cfd', whole, tmp_path / 'a')
        assert status == 0
        assert read_manifest(tmp_path / 'a')['counts'] == {
            'train': 60,
            'val': 12,
            'test': 46,
        }
        # The blocks that the split is defined by.
        lists = stems(tmp_path / 'a')
        assert lists['val'] == [f'{n:03d}' for n in (*range(43, 49), *range(
            103, 109))]
        assert lists['train'][:7] == [f'{n:03d}' for n in range(1, 8)]
        assert lists['test'][0] == '019'
        assert 'no ground truth: 2 (image/201.jpg, image/301.jpg)' in text
        found = stored_mask(tmp_path / 'a', 'train', '001')
        wanted = np.zeros((HEIGHT, WIDTH), np.uint8)
        wanted[1] = 1
        wanted[5, :3] = 1
        np.testing.assert_array_equal(found, wanted)
        assert run('cfd', whole, tmp_path / 'b')[0] == 0
        assert content(tmp_path / 'a') == content(tmp_path / 'b')
        assert content(whole) == before

    def test_random_and_given_split(self, whole, run, tmp_path):
        options = '--split', 'random', '--seed', 5
        run('cfd', whole, tmp_path / 'a', *options)
        manifest = read_manifest(tmp_path / 'a')
        assert manifest['counts'] == {'train': 60, 'val': 12, 'test': 46}
        assert manifest['settings'] == {'split': 'random', 'seed': 5}
        assert 'neighbouring' in manifest['notes'][0]
        lists = tmp_path / 'a' / 'splits'
        run('cfd', whole, tmp_path / 'b', '--split-file', lists)
        assert stems(tmp_path / 'b') == stems(tmp_path / 'a')
        run('cfd', whole, tmp_path / 'c', '--split', 'random', '--seed', 6)
        assert stems(tmp_path / 'c') != stems(tmp_path / 'a')

    def test_part(self, tmp_path, run, fails):
        src, out = write_cfd(tmp_path / 'src', pairs=8), tmp_path / 'out'
        assert 'must have 118 pairs in all, got 8' in fails('cfd', src, out)
        assert not out.exists()
        status, text, _ = run('cfd', src, out, '--allow-partial')
        assert status == 0
        assert 'warning: CFD must have 118 pairs' in text

    def test_bad_input(self, tmp_path, fails):
        src, out = tmp_path / 'src', tmp_path / 'out'
        args = 'cfd', src, out, '--allow-partial'
        assert 'must have the folder' in fails(*args)
        write_cfd(src, pairs=3)
        file = src / 'groundTruth/002.mat'
        labels = np.ones((HEIGHT, WIDTH), np.uint8)
        truth(file, labels * 7)
        assert 'must be 1 to 4 (crack is 2 and 4), got [7]' in fails(*args)
        truth(file, labels[:, :5])
        assert 'must be of the size of the image, 12x8, got 5x8' in fails(
            *args)
        file.write_bytes(b'not a matrix')
        assert '002.mat must be a MATLAB file' in fails(*args)
        scipy.io.savemat(file, {'other': labels})
        assert '002.mat must be a MATLAB file' in fails(*args)
        truth(file, labels)
        truth(src / 'groundTruth/009.mat', labels)
        assert '009.mat has no image' in fails(*args)
        (src / 'groundTruth/009.mat').unlink()
        lists = tmp_path / 'lists.json'
        lists.write_text('{"train": ["001", "077"]}')
        assert "(first: '077')" in fails(*args, '--split-file', lists)
        photograph(src / 'image/a.jpg', seed=1)
        truth(src / 'groundTruth/a.mat', labels)
        assert 'must be called by number' in fails(*args)
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            'lists.json',
            'src',
        ]

    def test_unlisted_images_need_allow_partial(self, whole, fails, tmp_path):
        lists = tmp_path / 'lists.json'
        lists.write_text('{"train": ["001"]}')
        assert 'got 117 on no list' in fails(
            'cfd', whole, tmp_path / 'out', '--split-file', lists)

    def test_command(self, whole, repository, tmp_path):
        """As a person runs it, with the status of a process."""
        tools = repository / 'tools' / 'dataset_converters'
        done = subprocess.run(
            [sys.executable, tools / 'cfd.py', tmp_path, tmp_path / 'out'],
            capture_output=True,
            text=True,
            cwd=repository,
            env={'PYTHONPATH': str(repository), 'PATH': ''},
        )
        assert done.returncode == 2
        assert done.stderr.strip().endswith('image/ and groundTruth/')
        assert 'Traceback' not in done.stderr
