"""DeepCrack from its layout as distributed."""

import numpy as np
import pytest
from converter_sources import (
    DEEPCRACK_TEST,
    DEEPCRACK_TRAIN,
    HEIGHT,
    WIDTH,
    mask,
    stems,
    write_deepcrack,
)

from mmcrack.datasets.converted import read_manifest


class TestDeepCrack:
    @pytest.fixture
    def src(self, tmp_path):
        root = tmp_path / 'src'
        return write_deepcrack(
            root, train=DEEPCRACK_TRAIN, test=DEEPCRACK_TEST)

    def test_whole_set(self, run, tmp_path):
        src = write_deepcrack(
            tmp_path / 'src',
            train=[f'{p}-{i}' for p in range(75) for i in range(4)],
            test=[f'{p}' for p in range(1000, 1237)],
        )
        args = 'deepcrack', src, tmp_path / 'a', '--val-share', 0.1
        assert run(*args)[0] == 0
        manifest = read_manifest(tmp_path / 'a')
        assert sum(manifest['counts'].values()) == 537
        assert manifest['counts']['test'] == 237
        assert 28 <= manifest['counts']['val'] <= 32
        photographs = {
            split: {stem.split('-')[0] for stem in names}
            for split, names in stems(tmp_path / 'a').items()
        }
        assert not photographs['val'] & photographs['train']
        assert run('deepcrack', src, tmp_path / 'b')[0] == 0
        counts = read_manifest(tmp_path / 'b')['counts']
        assert counts == {'train': 300, 'test': 237}

    def test_leaks_of_the_official_split(self, src, run, tmp_path):
        args = 'deepcrack', src, tmp_path / 'out', '--allow-partial'
        _, text, _ = run(*args)
        assert '(11142, 11158, 11289): 11142-1, 11216, 11289-1_test' in text
        lists = stems(tmp_path / 'out')
        assert lists['train'] == DEEPCRACK_TRAIN
        assert lists['test'] == ['11142-1', '11216', '11289-1_test', '11400-1']
        run(*args, '--overwrite', '--drop-leaks')
        assert stems(tmp_path / 'out')['test'] == ['11400-1']
        left = read_manifest(tmp_path / 'out')['left_out']
        assert [entry['source_id'] for entry in left] == [
            'test_img/11142-1.jpg',
            'test_img/11216.jpg',
            'test_img/11289-1.jpg',
        ]

    def test_leaks_of_the_real_split(self, deepcrack_root, run, tmp_path):
        """The crops that the data set's README names, by name alone."""
        names = {
            part: [p.stem for p in (deepcrack_root / f'images/{part}').glob(
                '*.jpg')]
            for part in ('train', 'test')
        }
        src = write_deepcrack(tmp_path / 'src', **names)
        options = '--allow-partial', '--drop-leaks'
        run('deepcrack', src, tmp_path / 'out', *options)
        left = read_manifest(tmp_path / 'out')['left_out']
        leaking = '11142-', '11289-', 'IMG_6536-', '11216'
        assert {entry['source_id'] for entry in left} == {
            f'test_img/{stem}.jpg'
            for stem in names['test']
            if stem.startswith(leaking)
        }

    def test_duplicates_are_refused(self, src, run, fails, tmp_path):
        copy = (src / 'train_img/11111.jpg').read_bytes()
        (src / 'test_img/11400-1.jpg').write_bytes(copy)
        args = 'deepcrack', src, tmp_path / 'out', '--allow-partial'
        assert 'train/11111 and test/11400-1' in fails(*args)
        status, text, _ = run(*args, '--drop-duplicates')
        assert status == 0
        assert 'in another split: 1 (train_img/11111.jpg)' in text

    def test_stored_split_is_given_back(self, src, run, tmp_path):
        options = '--allow-partial', '--val-share', 0.3
        run('deepcrack', src, tmp_path / 'a', *options)
        lists = tmp_path / 'a' / 'splits'
        options = '--allow-partial', '--split-file', lists
        run('deepcrack', src, tmp_path / 'b', *options)
        assert stems(tmp_path / 'a') == stems(tmp_path / 'b')
        assert len(stems(tmp_path / 'a')['val']) == 2

    def test_bad_input(self, src, fails, tmp_path):
        args = 'deepcrack', src, tmp_path / 'out'
        assert 'must have 300/237 pairs in train/test, got 6/4' in fails(*args)
        args = *args, '--allow-partial'
        assert '--val-share must be in [0, 1), got 1.0' in fails(
            *args, '--val-share=1')
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[2], labels[3] = 1, 2
        mask(src / 'train_lab/11111.png', array=labels)
        assert '11111.png' in fails(*args)
        mask(src / 'train_lab/11111.png', size=(HEIGHT, WIDTH - 1))
        assert '11 x 8 pixels (w x h)' in fails(*args)
        (src / 'train_lab/11111.png').unlink()
        assert '11111.jpg has no partner' in fails(*args)
        (src / 'train_img/11111.jpg').unlink()
        mask(src / 'test_lab/9.png')
        assert '9.png has no partner' in fails(*args)
        assert 'There is no image folder' in fails(
            *args[:1], tmp_path, *args[2:])
