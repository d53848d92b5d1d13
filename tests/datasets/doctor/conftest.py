"""A clean small set to plant faults in: generated, and of real photographs."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmcrack.datasets.doctor.examination import examine
from mmcrack.datasets.doctor.sources import from_layout
from mmcrack.datasets.synthetic import SceneStyle, write_dataset

# Of CFD: clearly visible cracks, photographs that share no place.
REAL = {'train': ('001', '031', '073', '091'),
        'test': ('019', '026', '049', '055')}


class Planter:
    """A copy of a clean set that a test may spoil."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names = sorted(
            f'{p.parent.name}/{p.stem}' for p in root.glob('images/*/*'))
        self.train = [n for n in self.names if n.startswith('train/')]
        self.test = [n for n in self.names if n.startswith('test/')]

    def image_path(self, name: str) -> Path:
        split, stem = name.split('/')
        return next((self.root / 'images' / split).glob(f'{stem}.*'))

    def mask_path(self, name: str) -> Path:
        return self.root / 'masks' / f'{name}.png'

    def image(self, name: str) -> np.ndarray:
        return cv2.imread(str(self.image_path(name)))

    def mask(self, name: str) -> np.ndarray:
        return cv2.imread(str(self.mask_path(name)), cv2.IMREAD_UNCHANGED)

    def put_image(self, name: str, pixels: np.ndarray, *options) -> None:
        """Replaces or adds an image, as PNG unless it has an ending."""
        split, stem = name.split('/')
        for old in (self.root / 'images' / split).glob(
                f'{stem.split(".")[0]}.*'):
            old.unlink()
        ending = '' if '.' in stem else '.png'
        path = self.root / 'images' / f'{name}{ending}'
        assert cv2.imwrite(str(path), pixels, *options)

    def put_mask(self, name: str, mask: np.ndarray) -> None:
        assert cv2.imwrite(str(self.mask_path(name)), mask)

    def each_mask(self, change) -> None:
        for name in self.names:
            self.put_mask(name, change(self.mask(name)))

    def turn_by_exif(self, name: str) -> None:
        """Stores an image turned, with the mark that turns it back."""
        rgb = np.ascontiguousarray(np.rot90(self.image(name)[..., ::-1]))
        exif = Image.Exif()
        exif[274] = 6
        path = self.image_path(name)
        path.unlink()
        Image.fromarray(rgb).save(
            path.with_suffix('.jpg'), exif=exif, quality=95)

    def examine(self, crops: bool = False):
        return examine(from_layout(self.root), crops=crops)

    def found(self, key: str, crops: bool = False) -> dict[str, tuple]:
        """Files of a finding by severity."""
        return {f.severity: f.files for f in self.examine(crops).findings
                if f.key == key}


@pytest.fixture(scope='session')
def generated_root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('generated') / 'set'
    write_dataset(
        root, splits={'train': 5, 'test': 3}, size=(224, 288), seed=5,
        style=SceneStyle(pale_crack=0.0), progress=False,
        image_format='png')
    shutil.rmtree(root / 'truth')
    return root


@pytest.fixture(scope='session')
def real_root(tmp_path_factory) -> Path:
    data = os.environ.get('MMCRACK_DATA')
    if not data or not (Path(data) / 'cfd' / 'images').is_dir():
        pytest.skip('MMCRACK_DATA has no data set cfd')
    root = tmp_path_factory.mktemp('real') / 'set'
    for split, stems in REAL.items():
        for kind, ending in (('images', 'jpg'), ('masks', 'png')):
            (root / kind / split).mkdir(parents=True)
            for stem in stems:
                shutil.copyfile(
                    Path(data) / 'cfd' / kind / split / f'{stem}.{ending}',
                    root / kind / split / f'{stem}.{ending}')
    return root


@pytest.fixture(params=['generated', 'real'])
def planter(request, tmp_path) -> Planter:
    """A fresh copy of each clean set."""
    root = request.getfixturevalue(f'{request.param}_root')
    shutil.copytree(root, tmp_path / 'set')
    return Planter(tmp_path / 'set')
