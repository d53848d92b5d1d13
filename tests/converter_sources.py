"""Small data sets in the layout as distributed, and what became of them."""

import zlib

import cv2
import numpy as np
import scipy.io
from PIL import Image

HEIGHT, WIDTH = 8, 12
DEEPCRACK_TRAIN = [
    '11111', '11142-3', '11158', '11289-1', '11289-2', '11300-1']
DEEPCRACK_TEST = ['11142-1', '11216', '11289-1', '11400-1']


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


def write_deepcrack(root, *, train, test):
    for part, names in ('train', train), ('test', test):
        for seed, stem in enumerate(names):
            seed += 7000 if part == 'train' else 8000
            photograph(root / f'{part}_img/{stem}.jpg', seed=seed)
            mask(root / f'{part}_lab/{stem}.png')
    return root


def write_cracktree200(root, *, pairs=206, size=(24, 30)):
    """Photographs, and masks with one line of 20 pixels."""
    lines = np.zeros(size, np.uint8)
    lines[12, 5:25] = 255
    for number in range(pairs):
        stem = f'{6000 + number}'
        photograph(
            root / f'cracktree200rgb/{stem}.jpg', seed=number, size=size)
        mask(root / f'cracktree200_gt/{stem}.png', array=lines)
    return root


def gif(path, *, array, palette=False):
    """A GIF of {0, 255}; with ``palette`` of the indices {0, 1}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(array // 255 if palette else array)
    if palette:
        picture = picture.convert('P')
        picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(path)


def write_drive(root, *, train=range(21, 41), test=range(1, 21)):
    """DRIVE in small; the second observer saw the opposite of the first."""
    fov = np.zeros((HEIGHT, WIDTH), np.uint8)
    fov[1:7, 2:10] = 255
    for folder, numbers in ('training', train), ('test', test):
        for number in numbers:
            stem = f'{number:02d}'
            photograph(
                root / f'{folder}/images/{stem}_{folder}.tif', seed=number)
            vessels = np.zeros((HEIGHT, WIDTH), np.uint8)
            vessels[4, 2:2 + number % 8] = 255
            vessels[3, 3] = 255
            gif(root / f'{folder}/1st_manual/{stem}_manual1.gif',
                array=vessels)
            gif(root / f'{folder}/mask/{stem}_{folder}_mask.gif', array=fov)
            if folder == 'test':
                gif(root / f'test/2nd_manual/{stem}_manual2.gif',
                    array=255 - vessels, palette=True)
    return root


def write_zou(root, name, stems, *, kind='.jpg', gt='{}_gt', label=(24, 30)):
    """A set of Zou's page; labels hold one line of 20 pixels at the least.

    Stone331 has photographs of twice the size and a disc of stone.
    """
    lines = np.zeros(label, np.uint8)
    lines[12, 5:25] = 255
    stone = name == 'Stone331'
    for seed, stem in enumerate(stems):
        size = tuple(2 * n for n in label) if stone else label
        photograph(root / f'{name}/{stem}{kind}', seed=seed, size=size)
        mask(root / gt.format(name) / f'{stem}.bmp', array=lines)
        if stone:
            disc = cv2.circle(np.zeros(label, np.uint8), (15, 12), 8, 255, -1)
            mask(root / f'{name}_mask/{stem}.bmp', array=disc)
    return root


def write_pairs(images, masks, stems, *, kind='.png', value=255, **options):
    """Photographs and masks of one row, in two folders."""
    for stem in stems:
        seed = zlib.crc32(f'{images.name}/{stem}'.encode())
        photograph(images / f'{stem}{kind}', seed=seed)
        mask(masks / f'{stem}.png', value=value, **options)


def uav75_label(*, crack_row=2, planking_row=5):
    """RGBA, as distributed; the alpha channel means nothing."""
    label = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    label[crack_row], label[planking_row, :, :3] = 255, 204
    label[0, :, 3] = 255
    return label


def write_uav75(root, stems):
    for split, names in stems.items():
        for seed, stem in enumerate(names):
            seed += {'train': 100, 'val': 200, 'test': 300}[split]
            photograph(root / f'{split}_img/{stem}.jpg', seed=seed)
            path = root / f'{split}_lab/{stem}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(uav75_label()).save(path)
    return root


def write_nha12d(root, *, numbers=range(1, 21)):
    """Four parts; each paints its cracks in a colour of its own."""
    for part, (folder, colour) in enumerate({
            'Asphalt_pavement_FD': (84, 105, 77),
            'Asphalt_pavement_VD': (84, 105, 77),
            'Concrete_pavement_FD': (191, 156, 138),
            'Concrete_pavement_VD': (0, 0, 138)}.items()):
        short = f'{folder[0]}P{folder[-2:]}'
        array = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        array[3, 2:7] = colour[::-1]
        for number in numbers:
            stem = f'{short}_{number:02d}'
            photograph(root / f'NHA12D_dataset/{folder}/Raw_images/'
                       f'{stem}.jpg', seed=1000 * part + number)
            mask(root / f'NHA12D_dataset/{folder}/Masks/{stem}.png',
                 array=array)
    return root


def write_omnicrack(root, stems, *, names=('training', 'validation', 'test')):
    """Crack is 0; Stone331 has annotations of half the size."""
    for name, own in zip(names, stems, strict=True):
        for seed, stem in enumerate(own):
            array = np.full((HEIGHT, WIDTH), 255, np.uint8)
            array[2, :6] = 0
            size = (2 * HEIGHT, 2 * WIDTH) if 'Stone' in stem else (
                HEIGHT, WIDTH)
            seed += 1000 * names.index(name)
            photograph(root / f'images/{name}/{stem}.png', seed=seed,
                       size=size)
            mask(root / f'annotations/{name}/{stem}.png', array=array)
    return root
