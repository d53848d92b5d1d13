"""Orientation, spacing, classes, scale and tables."""

import csv
import json
import math

import numpy as np
import pytest
from PIL import ExifTags, Image

from mmcrack.measurement import (
    measure_cracks,
    read_scales,
    scale_from_camera,
    scale_from_exif,
    scale_from_row,
    to_geojson,
    write_csv,
    write_json,
)
from mmcrack.measurement.classes import class_index, class_names
from mmcrack.measurement.orientation import orientation
from mmcrack.measurement.spacing import nearest_other


@pytest.mark.parametrize('degrees', [0, 30, 90, 135, 179])
def test_orientation_of_a_line_walked_either_way(degrees):
    end = 10 * np.array([math.cos(math.radians(degrees)),
                         -math.sin(math.radians(degrees))])
    for line in ([[0, 0], end], [end, [0, 0]]):
        angle, agreement = orientation([np.array(line, float)])
        assert (angle - degrees + 90) % 180 - 90 == pytest.approx(0, abs=1e-9)
        assert 0 <= angle < 180
        assert agreement == pytest.approx(1)


def test_two_lines_at_right_angles_agree_on_nothing():
    cross = [np.array([[0.0, 5], [10, 5]]), np.array([[5.0, 0], [5, 10]])]
    assert orientation(cross)[1] == pytest.approx(0)
    assert math.isnan(orientation([np.zeros((1, 2))])[0])


def test_the_nearest_other_line_by_exhaustive_search():
    rng = np.random.default_rng(0)
    lines = [rng.uniform(0, 100, (rng.integers(1, 30), 2))
             for _ in range(13)]
    for index, (distance, which) in enumerate(nearest_other(lines)):
        for point, d, w in zip(lines[index], distance, which, strict=True):
            other = [np.inf if i == index else
                     np.hypot(*(line - point).T).min()
                     for i, line in enumerate(lines)]
            assert d == pytest.approx(min(other))
            assert other[w] == min(other)


def test_a_lone_line_has_no_neighbour():
    (distance, which), = nearest_other([np.zeros((3, 2))])
    assert np.isinf(distance).all()
    assert (which == -1).all()
    assert nearest_other([]) == []


def test_spacing_of_parallel_cracks_is_from_middle_to_middle():
    mask = np.zeros((100, 120), np.uint8)
    for top in (20, 45, 80):
        mask[top:top + 3, 10:110] = 1
    cracks = sorted(measure_cracks(mask).cracks, key=lambda c: c.box[1])
    assert [round(c.spacing, 2) for c in cracks] == [25, 25, 35]
    assert [round(c.gap, 2) for c in cracks] == [25, 25, 35]
    numbers = [c.number for c in cracks]
    assert [c.neighbour for c in cracks] == [
        numbers[1], numbers[0], numbers[1]]


def test_a_limit_belongs_to_the_class_below_it():
    limits = (0.1, 0.2, 0.3)
    assert [class_index(w, limits) for w in (0.05, 0.1, 0.11, 0.3, 4)] == [
        0, 0, 1, 2, 3]
    assert class_names((0.5,)) == ['<= 0.5 mm', '> 0.5 mm']
    assert class_names(()) == ['all']


def test_the_pinhole_camera():
    # 2 m, 50 mm, full frame, 7360 px: 0.1957 mm.
    scale = scale_from_camera(distance_mm=2000, focal_mm=50,
                              sensor_width_mm=36, width_px=7360)
    assert scale == pytest.approx(2000 * 36 / 50 / 7360)
    with pytest.raises(ValueError, match='focal_mm must be a positive'):
        scale_from_camera(distance_mm=2000, focal_mm=0, sensor_width_mm=36,
                          width_px=7360)


def photograph(path, **tags):
    """Write a picture of 600 x 400 with EXIF tags."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base[name]: value for name, value in tags.items()})
    Image.new('RGB', (600, 400)).save(path, exif=exif)
    return path


def test_scale_from_the_focal_plane(tmp_path):
    path = photograph(
        tmp_path / 'a.jpg', FocalLength=50.0, FocalPlaneXResolution=2540.0,
        FocalPlaneResolutionUnit=2, SubjectDistance=1.5)
    # 2540 px per inch are 0.01 mm per px on the sensor.
    assert scale_from_exif(path) == pytest.approx(1500 * 0.01 / 50)
    assert scale_from_exif(path, distance_mm=500) == pytest.approx(0.1)


def test_scale_from_the_film_equivalent(tmp_path):
    path = photograph(tmp_path / 'a.jpg', FocalLengthIn35mmFilm=50)
    # The diagonal of 600 x 400 px sees what 43.27 mm of film see.
    expected = 1000 * math.hypot(36, 24) / 50 / math.hypot(600, 400)
    assert scale_from_exif(path, distance_mm=1000) == pytest.approx(expected)
    assert scale_from_exif(path) is None
    plain = photograph(tmp_path / 'b.jpg')
    assert scale_from_exif(plain, distance_mm=1000) is None


def test_a_table_of_scales(tmp_path):
    path = tmp_path / 'scales.csv'
    path.write_text('image,mm_per_px,distance_mm,focal_mm,sensor_width_mm\n'
                    'a.jpg,0.25,,,\nb,,1000,50,36\n')
    scales = read_scales(path)
    assert scale_from_row(scales['a'], width_px=1) == 0.25
    assert scale_from_row(scales['b'], width_px=7200) == pytest.approx(0.1)


@pytest.mark.parametrize(('text', 'words'), [
    ('name,mm_per_px\na,1\n', 'must have the columns image and mm_per_px'),
    ('image,focal_mm\na,1\n', 'must have the columns'),
    ('image,mm_per_px\na,-1\n', 'line 2: mm_per_px must be a positive'),
    ('image,mm_per_px\na,\n', "line 2: 'a' lacks a name or a number"),
    ('image,mm_per_px\na,1\na.png,2\n', "line 3: 'a' stands there twice"),
])
def test_a_bad_table_of_scales_is_named(tmp_path, text, words):
    path = tmp_path / 'scales.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_scales(path)


def test_tables_are_read_back(tmp_path):
    mask = np.zeros((40, 60), np.uint8)
    mask[10:13, 5:50] = 1
    mask[30, 5:20] = 1
    result = measure_cracks(mask)
    write_csv(tmp_path / 'new' / 'cracks.csv', result.rows())
    with open(tmp_path / 'new' / 'cracks.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [float(r['length_px']) for r in rows] == [
        r['length_px'] for r in result.rows()]
    assert rows[0]['width_std_px'] == ''
    write_csv(tmp_path / 'none.csv', [])
    write_json(tmp_path / 'a.geojson', to_geojson(result))
    features = json.loads((tmp_path / 'a.geojson').read_text())['features']
    line, = features[1]['geometry']['coordinates']
    assert line[0][1] == line[-1][1] == 30
    assert features[0]['properties']['area_px'] == 135
