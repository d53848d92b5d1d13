"""Every converter on small data in the layout as distributed."""

import importlib.util
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import scipy.io
from PIL import Image

from mmcrack.datasets.converted import read_manifest

HEIGHT, WIDTH = 8, 12


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
    """Runs a converter that must end with one sentence and status 2."""

    def call(sentence, name, *args):
        status, _, err = run(name, *args)
        lines = [x for x in err.split('\n') if x and not x.endswith('pairs')]
        assert status == 2, err
        assert len(lines) == 1
        assert lines[0].startswith('error: ')
        assert sentence in lines[0]

    return call


def photograph(path, *, seed, size=(HEIGHT, WIDTH), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, **options)


def mask(path, *, value=255, size=(HEIGHT, WIDTH), array=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    if array is None:
        array = np.zeros(size, np.uint8)
        array[2] = value
    cv2.imwrite(str(path), array)


def stored_mask(out, split, stem):
    return cv2.imread(str(out / 'masks' / split / f'{stem}.png'), -1)


def stems(out):
    return {
        path.stem: path.read_text().split()
        for path in sorted((out / 'splits').iterdir())
    }


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def truth(path, labels):
    """Ground truth as CFD stores it: a 1x1 struct with two fields."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {'Segmentation': labels, 'Boundaries': labels > 1}
    scipy.io.savemat(path, {'groundTruth': fields})


def write_cfd(root, *, pairs=118, without=(201, 301)):
    labels = np.ones((HEIGHT, WIDTH), np.uint8)
    labels[1], labels[3, :2], labels[5, :3] = 2, 3, 4
    for number in [*range(1, pairs + 1), *without]:
        photograph(root / f'image/{number:03d}.jpg', seed=number)
        if number <= pairs:
            truth(root / f'groundTruth/{number:03d}.mat', labels)
    return root


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
        fails('must have 118 pairs in all, got 8', 'cfd', src, out)
        assert not out.exists()
        status, text, _ = run('cfd', src, out, '--allow-partial')
        assert status == 0
        assert 'warning: CFD must have 118 pairs' in text

    def test_bad_input(self, tmp_path, fails):
        src, out = tmp_path / 'src', tmp_path / 'out'
        args = 'cfd', src, out, '--allow-partial'
        fails('must have the folder', *args)
        write_cfd(src, pairs=3)
        file = src / 'groundTruth/002.mat'
        labels = np.ones((HEIGHT, WIDTH), np.uint8)
        truth(file, labels * 7)
        fails('must be 1 to 4 (crack is 2 and 4), got [7]', *args)
        truth(file, labels[:, :5])
        fails('must be of the size of the image, 12x8, got 5x8', *args)
        file.write_bytes(b'not a matrix')
        fails('002.mat must be a MATLAB file', *args)
        scipy.io.savemat(file, {'other': labels})
        fails('002.mat must be a MATLAB file', *args)
        truth(file, labels)
        truth(src / 'groundTruth/009.mat', labels)
        fails('009.mat has no image', *args)
        (src / 'groundTruth/009.mat').unlink()
        lists = tmp_path / 'lists.json'
        lists.write_text('{"train": ["001", "077"]}')
        fails("(first: '077')", *args, '--split-file', lists)
        photograph(src / 'image/a.jpg', seed=1)
        truth(src / 'groundTruth/a.mat', labels)
        fails('must be called by number', *args)
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            'lists.json',
            'src',
        ]

    def test_unlisted_images_need_allow_partial(self, whole, fails, tmp_path):
        lists = tmp_path / 'lists.json'
        lists.write_text('{"train": ["001"]}')
        fails(
            'got 117 on no list',
            *('cfd', whole, tmp_path / 'out', '--split-file', lists),
        )

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


def write_crack500(root):
    """Four photographs, one of them upright and one from another camera."""
    crops = {
        'train': ['20160222_081011_1_361', '20160222_081011_641_361'],
        'val': ['20160223_1_1'],
        'test': ['IMG_1_649_1', '20160301_1_1'],
    }
    sizes = {'20160223_1_1': (12, 8), 'IMG_1_649_1': (9, 13)}
    seed = 5000
    for split, names in crops.items():
        lines = []
        for stem in names:
            size = sizes.get(stem, (HEIGHT, WIDTH))
            name = f'{split}crop/{stem}'
            seed += 1
            photograph(root / f'{name}.jpg', seed=seed, size=size)
            mask(root / f'{name}.png', size=size)
            lines.append(f'{name}.jpg {name}.png\n')
        (root / f'{split}.txt').write_text(''.join(lines))
    return root


class TestCrack500:
    @pytest.fixture
    def src(self, tmp_path):
        return write_crack500(tmp_path / 'src')

    def test_published_counts(self, tool, src, tmp_path, fails):
        module = tool('crack500')
        assert module.COUNTS == {'train': 1896, 'val': 348, 'test': 1124}
        assert sum(module.COUNTS.values()) == 3368
        fails(
            'must have 1896/348/1124 pairs in train/val/test, got 2/1/2',
            *('crack500', src, tmp_path / 'out'),
        )

    def test_crops(self, src, run, tmp_path):
        photograph(src / 'traincrop/extra_1_1.jpg', seed=99)
        out = tmp_path / 'out'
        status, text, _ = run('crack500', src, out, '--allow-partial')
        assert status == 0
        manifest = read_manifest(out)
        assert manifest['sizes'] == {'12x8': 3, '13x9': 1, '8x12': 1}
        assert 'sizes (w x h): 12x8 (3), 13x9 (1), 8x12 (1)' in text
        assert 'on no list: 1 (traincrop/extra_1_1.jpg)' in text
        groups = {r['stem']: r['group'] for r in manifest['images']}
        assert groups['20160222_081011_641_361'] == '20160222_081011'
        assert stored_mask(out, 'train', '20160222_081011_1_361').sum() == 12

    def test_resaved_masks(self, src, run, fails, tmp_path):
        path = src / 'traincrop/20160222_081011_1_361.png'
        grey = np.full((HEIGHT, WIDTH), 3, np.uint8)
        grey[2] = 250
        grey[2, :2] = 128, 127
        mask(path, array=grey)
        out = tmp_path / 'out'
        args = 'crack500', src, out, '--allow-partial'
        fails('20160222_081011_1_361.png', *args)
        assert run(*args, '--lossy')[0] == 0
        found = stored_mask(out, 'train', '20160222_081011_1_361')
        np.testing.assert_array_equal(found, grey > 127)

    def test_photographs_in_two_splits(self, src, run, fails, tmp_path):
        name = 'testcrop/20160222_081011_1281_1'
        photograph(src / f'{name}.jpg', seed=50)
        mask(src / f'{name}.png')
        with open(src / 'test.txt', 'a') as lists:
            lists.write(f'{name}.jpg {name}.png\n')
        args = 'crack500', src, tmp_path / 'out', '--allow-partial'
        fails('(first: 20160222_081011, in test/20160222_081011_1281', *args)
        _, text, _ = run(*args, '--keep-leaks')
        assert 'warning: 1 photographs gave crops to two splits' in text
        _, text, _ = run(*args, '--drop-leaks', '--overwrite')
        assert f'in an earlier split: 1 ({name}.jpg)' in text
        assert read_manifest(tmp_path / 'out')['counts']['test'] == 2

    def test_full_photographs(self, run, fails, tmp_path):
        src, out = tmp_path / 'src', tmp_path / 'out'
        for number, split in enumerate(('train', 'val', 'test')):
            photograph(src / f'{split}data/p{number}.jpg', seed=number)
            mask(src / f'{split}data/p{number}_mask.png')
        photograph(src / 'traindata/q.jpg', seed=9)
        mask(src / 'valdata/r_mask.png')
        args = 'crack500', src, out, '--layout', 'full'
        fails('must have 250/50/200 pairs', *args)
        status, text, _ = run(*args, '--allow-partial')
        assert status == 0
        assert 'no mask: 1 (traindata/q.jpg)' in text
        assert 'no image: 1 (valdata/r_mask.png)' in text
        assert stems(out) == {'test': ['p2'], 'train': ['p0'], 'val': ['p1']}

    def test_bad_lists(self, src, fails, tmp_path):
        args = 'crack500', src, tmp_path / 'out', '--allow-partial'
        good = (src / 'val.txt').read_text()
        (src / 'val.txt').write_text(good + 'valcrop/x.jpg valcrop/x.png\n')
        fails('line 2 of', *args)
        fails('names valcrop/x.jpg, which is not in', *args)
        (src / 'val.txt').write_text('valcrop/x.jpg\n')
        fails('must name an image and a mask', *args)
        (src / 'val.txt').unlink()
        fails('must have the list', *args)
        args = 'crack500', tmp_path / 'none', tmp_path / 'out'
        fails('there is no source folder', *args)

    def test_corrupt_jpeg_is_named(self, src, fails, tmp_path):
        path = src / 'valcrop/20160223_1_1.jpg'
        path.write_bytes(path.read_bytes()[:200])
        args = 'crack500', src, tmp_path / 'out', '--allow-partial'
        fails('20160223_1_1.jpg', *args)
        assert sorted(p.name for p in tmp_path.iterdir()) == ['src']


def write_deepcrack(root, *, train, test):
    for part, names in ('train', train), ('test', test):
        for seed, stem in enumerate(names):
            seed += 7000 if part == 'train' else 8000
            photograph(root / f'{part}_img/{stem}.jpg', seed=seed)
            mask(root / f'{part}_lab/{stem}.png')
    return root


class TestDeepCrack:
    TRAIN = ['11111', '11142-3', '11158', '11289-1', '11289-2', '11300-1']
    TEST = ['11142-1', '11216', '11289-1', '11400-1']

    @pytest.fixture
    def src(self, tmp_path):
        root = tmp_path / 'src'
        return write_deepcrack(root, train=self.TRAIN, test=self.TEST)

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
        assert lists['train'] == self.TRAIN
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
        fails('train/11111 and test/11400-1', *args)
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
        fails('must have 300/237 pairs in train/test, got 6/4', *args)
        args = *args, '--allow-partial'
        fails('--val-share must be in [0, 1), got 1.0', *args, '--val-share=1')
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[2], labels[3] = 1, 2
        mask(src / 'train_lab/11111.png', array=labels)
        fails('11111.png', *args)
        mask(src / 'train_lab/11111.png', size=(HEIGHT, WIDTH - 1))
        fails('11 x 8 pixels (w x h)', *args)
        (src / 'train_lab/11111.png').unlink()
        fails('11111.jpg has no partner', *args)
        (src / 'train_img/11111.jpg').unlink()
        mask(src / 'test_lab/9.png')
        fails('9.png has no partner', *args)
        fails('There is no image folder', *args[:1], tmp_path, *args[2:])


class TestFolder:
    @pytest.fixture
    def folders(self, tmp_path):
        for number in range(20):
            stem = f'wall{number // 2:02d}_crop{number % 2}'
            photograph(tmp_path / f'photos/{stem}.jpg', seed=number)
            mask(tmp_path / f'masks/{stem}.png')
        return tmp_path / 'photos', tmp_path / 'masks', tmp_path / 'out'

    def test_split_by_photograph(self, folders, run, tmp_path):
        photos, masks, out = folders
        options = '--group-by', r'^(.*)_crop', '--split', 0.6, 0.2, 0.2
        assert run('folder', *folders, *options)[0] == 0
        lists = stems(out)
        assert {k: len(v) for k, v in lists.items()} == {
            'train': 12,
            'val': 4,
            'test': 4,
        }
        for names in lists.values():
            walls = [stem[:6] for stem in names]
            assert all(walls.count(wall) == 2 for wall in walls)
        run('folder', photos, masks, tmp_path / 'again', *options)
        assert content(out) == content(tmp_path / 'again')
        run('folder', photos, masks, tmp_path / 'c', *options, '--seed', 1)
        assert stems(tmp_path / 'c') != lists

    def test_two_splits_and_subfolders(self, folders, run):
        photos, masks, out = folders
        photograph(photos / 'north/a.PNG', seed=77)
        mask(masks / 'north/a.png')
        assert run('folder', *folders, '--split', 0, 0, 1)[0] == 0
        assert list(stems(out)) == ['test']
        record = read_manifest(out)['images'][0]
        assert record['source_id'] == 'north/a.PNG'
        assert record['image'] == 'images/test/north_a.png'

    def test_crack_and_ignore_value(self, folders, run, fails):
        photos, masks, out = folders
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[0], labels[1], labels[2], labels[3] = 1, 2, 38, 7
        mask(masks / 'wall00_crop0.png', array=labels)
        fails('{0, 1, 2, 7, 38}', 'folder', *folders)
        options = '--crack-value', 38, 255, '--ignore-value', 7
        assert run('folder', *folders, *options, '--split', 0, 0, 1)[0] == 0
        found = stored_mask(out, 'test', 'wall00_crop0')
        np.testing.assert_array_equal(found == 1, labels == 38)
        np.testing.assert_array_equal(found == 255, labels == 7)
        assert stored_mask(out, 'test', 'wall00_crop1').sum() == WIDTH
        record = read_manifest(out)['images'][0]
        assert record['ignored_share'] == 0.125

    def test_inverted_masks(self, folders, run):
        args = 'folder', *folders, '--crack-value', 0, '--split', 1, 0, 0
        assert run(*args)[0] == 0
        record = read_manifest(folders[2])['images'][0]
        assert record['crack_share'] == 0.875

    def test_same_folder_and_mask_suffix(self, tmp_path, run):
        both = tmp_path / 'both'
        for number in range(4):
            photograph(both / f'{number}.png', seed=number)
            mask(both / f'{number}_mask.png')
        args = 'folder', both, both, tmp_path / 'out'
        args = *args, '--mask-suffix', '_mask.png', '--split', 0.5, 0, 0.5
        assert run(*args)[0] == 0
        counts = read_manifest(tmp_path / 'out')['counts']
        assert counts == {'train': 2, 'test': 2}

    @pytest.mark.parametrize('orientation', [2, 3, 4, 5, 6, 7, 8])
    def test_masks_drawn_before_exif_turned(self, tmp_path, run, orientation):
        """Crack pixels follow the photograph's own turn."""
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        labels[:3, :5] = 255
        labels[0, 0] = 0
        bright = np.repeat(labels[..., None], 3, axis=2)
        exif = Image.Exif()
        exif[274] = orientation
        (tmp_path / 'photos').mkdir()
        Image.fromarray(bright).save(tmp_path / 'photos/a.png', exif=exif)
        mask(tmp_path / 'masks/a.png', array=labels)
        args = 'folder', tmp_path / 'photos', tmp_path / 'masks'
        args = *args, tmp_path / 'out', '--masks-as-stored'
        assert run(*args, '--split', 1, 0, 0)[0] == 0
        image = cv2.imread(str(tmp_path / 'out/images/train/a.png'))
        found = stored_mask(tmp_path / 'out', 'train', 'a')
        np.testing.assert_array_equal(found, image[..., 0] // 255)
        assert found.sum() == 14

    def test_bad_input(self, folders, fails):
        photos, masks, _ = folders
        args = 'folder', *folders
        fails('add up to 1', *args, '--split', 0.5, 0.5, 0.5)
        fails('give one of them', *args, '--crack-value', 1, '--lossy')
        fails('a pixel is one', *args, '--crack-value=3', '--ignore-value=3')
        fails('must be a regular expression', *args, '--group-by', '(')
        fails('must match every image', *args, '--group-by', '^bridge')
        fails('must take part', *args, '--group-by', '(x)?wall')
        fails('has a mask of its name', *args, '--mask-suffix', '.bmp')
        lists = photos.parent / 'lists.json'
        names = [path.stem for path in sorted(photos.iterdir())]
        lists.write_text(json.dumps({'train': names[1:], 'test': names[:1]}))
        options = '--split-file', lists, '--group-by', '^wall..'
        fails("one split, got 'wall00'", *args, *options)
        coloured = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        coloured[1, :, 2] = 255
        mask(masks / 'wall00_crop0.png', array=coloured)
        fails('is coloured', *args, '--crack-value', 255)
        mask(masks / 'wall00_crop0.png', size=(4, 4))
        fails('4x4 but its image is 12x8', *args, '--crack-value', 255)
        mask(masks / 'wall00_crop0.png')
        fails('is a --crack', *args, '--crack-value=0', '--ignore-value=0')
        path = photos / 'wall00_crop0.jpg'
        path.write_bytes(path.read_bytes()[:150])
        fails('wall00_crop0.jpg', *args)
        path.unlink()
        fails('1 masks without image', *args)
        folders[2].mkdir()
        (folders[2] / 'x').write_text('x')
        fails('must be new or empty', *args, '--allow-partial')
        fails('must lie apart', *args[:3], photos / 'out', '--allow-partial')

    def test_unpaired_are_reported(self, folders, run):
        photos, masks, out = folders
        (photos / 'wall00_crop0.jpg').unlink()
        (masks / 'wall00_crop1.png').unlink()
        status, text, _ = run('folder', *folders, '--allow-partial')
        assert status == 0
        assert 'no mask: 1 (wall00_crop1.jpg)' in text
        assert 'no image: 1 (wall00_crop0.png)' in text

    def test_real_photographs(self, cfd_root, run, tmp_path):
        """Real pairs keep their bytes and their masks."""
        photos, masks = tmp_path / 'photos', tmp_path / 'masks'
        for kind, folder in ('images', photos), ('masks', masks):
            folder.mkdir()
            for path in sorted((cfd_root / kind / 'val').iterdir())[:6]:
                (folder / path.name).write_bytes(path.read_bytes())
        out = tmp_path / 'out'
        args = 'folder', photos, masks, out, '--split', 0.5, 0, 0.5
        assert run(*args)[0] == 0
        records = read_manifest(out)['images']
        assert len(records) == 6
        for record in records:
            source = photos / record['source_id']
            assert (out / record['image']).read_bytes() == source.read_bytes()
            wanted = cv2.imread(str(masks / f'{record["stem"]}.png'), -1)
            found = cv2.imread(str(out / record['mask']), -1)
            np.testing.assert_array_equal(found, wanted)
            assert (record['width'], record['height']) == (480, 320)
            assert 0.003 < record['crack_share'] < 0.07


class TestMixed1200:
    def test_the_numbers_of_the_paper(self, tool):
        """1200 = 118 + 545 + 537, exact, group-safe, the same each time."""
        module = tool('mixed1200')
        assert module.COUNTS == {'cfd': 118, 'crack500': 545, 'deepcrack': 537}
        assert module.SPLIT_COUNTS == {'train': 900, 'val': 150, 'test': 150}
        groups = {
            'cfd': {f'{n:03d}': f'block{(n - 1) // 6}' for n in range(1, 119)},
            'crack500': {f'{p}_{i}': f'{p}' for p in range(500) for i in range(
                p % 9 + 3)},
            'deepcrack': {f'{n}': f'{n // 9}' for n in range(400)}
            | {f'x{n}': f'x{n}' for n in range(137)},
        }
        options = dict(
            counts=module.COUNTS, split_counts=module.SPLIT_COUNTS, seed=0
        )
        chosen = module.choose(groups, **options)
        totals = dict.fromkeys(module.SPLIT_COUNTS, 0)
        for name, lists in chosen.items():
            taken = [stem for stems in lists.values() for stem in stems]
            assert len(taken) == len(set(taken)) == module.COUNTS[name]
            where = {}
            for split, names in lists.items():
                totals[split] += len(names)
                share = len(names) / module.COUNTS[name]
                wanted = 0.75 if split == 'train' else 0.125
                assert abs(share - wanted) < 0.06
                for stem in names:
                    where.setdefault(groups[name][stem], set()).add(split)
            assert all(len(splits) == 1 for splits in where.values())
        assert totals == module.SPLIT_COUNTS
        assert module.choose(groups, **options) == chosen

    @pytest.fixture
    def sets(self, tmp_path, run):
        """The three sets, small, as the converters write them."""
        write_cfd(tmp_path / 'src/cfd', pairs=18)
        write_crack500(tmp_path / 'src/crack500')
        write_deepcrack(
            tmp_path / 'src/deepcrack',
            train=[*TestDeepCrack.TRAIN, '7', '8', '9'],
            test=TestDeepCrack.TEST,
        )
        roots = {}
        for name in ('cfd', 'crack500', 'deepcrack'):
            roots[name] = tmp_path / 'data' / name
            args = name, tmp_path / 'src' / name, roots[name]
            assert run(*args, '--allow-partial')[0] == 0
        return [f'--{name}={root}' for name, root in roots.items()]

    COUNTS = '--counts', 'cfd=18', 'crack500=3', 'deepcrack=13'

    def test_mix(self, sets, run, tmp_path):
        args = 'mixed1200', *sets
        options = *self.COUNTS, '--split-counts', 20, 7, 7
        status, text, err = run(*args, tmp_path / 'a', *options)
        assert status == 0, err
        assert 'must have 900/150/150 pairs' in text
        manifest = read_manifest(tmp_path / 'a')
        assert manifest['counts'] == {'train': 20, 'val': 7, 'test': 7}
        assert manifest['sizes'] == {'256x256': 34}
        groups = {}
        for record in manifest['images']:
            groups.setdefault(record['group'], set()).add(record['split'])
        assert all(len(splits) == 1 for splits in groups.values())
        stem_groups = {r['stem']: r['group'] for r in manifest['images']}
        assert stem_groups['deepcrack_11216'] == 'deepcrack_11158'
        assert stem_groups['deepcrack_11289-1_test'] == 'deepcrack_11289'
        run(*args, tmp_path / 'b', *options)
        assert content(tmp_path / 'a') == content(tmp_path / 'b')
        lists = tmp_path / 'a' / 'splits'
        given = '--split-file', lists, '--allow-partial'
        run(*args, tmp_path / 'c', *given)
        assert stems(tmp_path / 'c') == stems(tmp_path / 'a')

    def test_mask_modes(self, sets, run, tmp_path):
        """Shrunk to 4x2, a row of 8 survives 'area' only."""
        options = *self.COUNTS, '--size', 4, 2, '--split-counts', 20, 7, 7
        shares = {}
        for mode in ('area', 'nearest'):
            out = tmp_path / mode
            args = 'mixed1200', *sets, out, *options, '--mask-mode', mode
            status, _, err = run(*args)
            assert status == 0, err
            shares[mode] = {
                record['stem']: record['crack_share']
                for record in read_manifest(out)['images']
            }
        assert shares['area']['deepcrack_7'] == 0.5
        assert shares['nearest']['deepcrack_7'] == 0

    def test_bad_input(self, sets, fails, tmp_path):
        out = tmp_path / 'out'
        args = 'mixed1200', *sets, out
        fails('118 images of cfd are wanted, got 18', *args)
        fails('like cfd=118 crack500=545', *args, '--counts', 'cfd=0')
        fails("got 'drive=3'", *args, '--counts', 'drive=3')
        fails('must add up to', *args, *self.COUNTS, '--split-counts', 1, 1, 1)
        options = *self.COUNTS, '--size', 0, 2
        fails('--size must be two pixels', *args, *options)
        fails('a folder must be given for each', 'mixed1200', sets[0], out)
        swapped = f'--cfd={sets[1].partition("=")[2]}'
        fails('got crack500 in', 'mixed1200', swapped, out)
        fails(
            'cannot be met without cutting a photograph',
            *('mixed1200', sets[0], out, '--counts', 'cfd=18'),
            *('--split-counts', 16, 1, 1),
        )
        lists = tmp_path / 'lists.json'
        lists.write_text('{"train": ["cfd_001"]}')
        fails('must have 900/150/150', *args, '--split-file', lists)
        fails('no folder images', 'mixed1200', f'--cfd={tmp_path}', out)
