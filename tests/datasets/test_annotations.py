"""Files of COCO, labelme and CVAT, and the masks that they become."""

import base64
import json

import cv2
import numpy as np
import pytest

from mmcrack.datasets.annotated import (
    check_labels,
    format_of,
    match_images,
    read_annotations,
)
from mmcrack.datasets.annotations import (
    AnnotatedImage,
    Shape,
    labels_of,
    polygon_shapes,
    render,
)
from mmcrack.datasets.coco import coco_text, read_coco
from mmcrack.datasets.cvat import cvat_text, read_cvat
from mmcrack.datasets.labelme import labelme_text, read_labelme
from mmcrack.datasets.rle import encode_runs, pack_runs

SIZE = (10, 14)
SQUARE = [[2, 1], [6, 1], [6, 4], [2, 4]]


def blob():
    mask = np.zeros(SIZE, bool)
    mask[5:9, 3:11], mask[6, 5] = True, False
    return mask


def square():
    mask = np.zeros(SIZE, bool)
    mask[1:4, 2:6] = True
    return mask


def drawn(image, **options):
    options = {'crack_labels': ['crack'], 'ignore_labels': [],
               'line_width': None} | options
    return render(image, SIZE, **options)


def coco(path, annotations, *, images=None, categories=None):
    categories = categories or {1: 'crack', 7: 'joint'}
    path.write_text(json.dumps({
        'images': images or [dict(
            id=4, file_name='walls\\a.jpg', width=14, height=10)],
        'annotations': [
            dict(dict(id=n, image_id=4, category_id=1), **a)
            for n, a in enumerate(annotations, 1)],
        'categories': [
            dict(id=k, name=v) for k, v in categories.items()]}))
    return path


def labelme(path, shapes, **more):
    path.write_text(json.dumps(dict(dict(
        version='5.0.1', flags={}, imagePath='..\\photos\\a.jpg',
        imageData=None, imageHeight=10, imageWidth=14, shapes=[
            dict(dict(label='crack', group_id=None, flags={}), **s)
            for s in shapes]), **more)))
    return path


def cvat(path, shapes, head='<image id="0" name="walls/a.jpg" width="14" '
         'height="10">'):
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1'
        f'</version><meta><task/></meta>{head}{"".join(shapes)}</image>'
        '</annotations>')
    return path


class TestCOCO:
    def test_polygons_and_run_lengths(self, tmp_path):
        runs = encode_runs(blob(), by_column=True)
        flat = np.ravel(SQUARE).tolist()
        for counts in (runs, pack_runs(runs)):
            path = coco(tmp_path / 'a.json', [
                dict(segmentation=[flat]),
                dict(segmentation=dict(counts=counts, size=SIZE), iscrowd=1),
                dict(segmentation=[[0, 0, 14, 0, 14, 10]], category_id=7)])
            (image, ) = read_coco(path)
            assert (image.name, image.size) == ('walls/a.jpg', SIZE)
            assert labels_of([image]) == {'crack': 2, 'joint': 1}
            np.testing.assert_array_equal(drawn(image), square() | blob())

    def test_parts_of_an_object_add_up(self, tmp_path):
        flat = np.ravel(SQUARE).tolist()
        path = coco(tmp_path / 'a.json', [dict(segmentation=[flat, flat])])
        np.testing.assert_array_equal(drawn(read_coco(path)[0]), square())

    def test_an_image_without_annotations_is_empty(self, tmp_path):
        (image, ) = read_coco(coco(tmp_path / 'a.json', []))
        assert not drawn(image).any()

    @pytest.mark.parametrize(('annotation', 'words'), [
        (dict(image_id=5), 'annotation 1 must have a known image_id, got 5'),
        (dict(category_id=0), 'known category_id, got 0'),
        (dict(segmentation=[[1, 2, 3]]), 'points of two numbers each'),
        (dict(segmentation=[[1, 2, 3, 4]]), 'at least 3 points'),
        (dict(segmentation=[[1, 2, 3, 4, 5, float('nan')]]), 'finite'),
        (dict(segmentation=dict(counts=[3], size=[10, 14])),
         'add up to the 140 pixels'),
        (dict(segmentation=dict(size=[10, 14])), "run lengths ('counts')"),
    ])
    def test_bad_annotations(self, tmp_path, annotation, words):
        path = coco(tmp_path / 'a.json', [annotation])
        with pytest.raises(ValueError, match='^[^\n]*$') as caught:
            read_coco(path)
        assert words in str(caught.value)

    def test_a_box_alone_is_no_crack(self, tmp_path):
        path = coco(tmp_path / 'a.json', [dict(bbox=[1, 1, 3, 3])])
        (image, ) = read_coco(path)
        with pytest.raises(ValueError, match="holds a box labelled 'crack'"):
            drawn(image)

    def test_bad_file(self, tmp_path):
        (tmp_path / 'a.json').write_text('{"images": [{"id": 1}]}')
        with pytest.raises(ValueError, match="KeyError: 'categories'"):
            read_coco(tmp_path / 'a.json')


class TestLabelme:
    def test_each_kind(self, tmp_path):
        data = cv2.imencode('.png', 255 * blob()[5:9, 3:11].astype('u1'))[1]
        path = labelme(tmp_path / 'a.json', [
            dict(shape_type='polygon', points=SQUARE),
            dict(shape_type='mask', points=[[3, 5], [10, 8]],
                 mask=base64.b64encode(data.tobytes()).decode()),
            dict(shape_type='rectangle', points=[[13, 9], [11, 8]])])
        image = read_labelme(path)
        assert (image.name, image.size) == ('a.jpg', SIZE)
        wanted = square() | blob()
        wanted[8, 11:13] = True
        np.testing.assert_array_equal(drawn(image), wanted)

    @pytest.mark.parametrize('kind', ['linestrip', 'line'])
    def test_lines_have_the_width_asked_for(self, tmp_path, kind):
        path = labelme(tmp_path / 'a.json', [
            dict(shape_type=kind, points=[[-3, 4], [20, 4]])])
        image = read_labelme(path)
        with pytest.raises(ValueError, match='how wide a crack is with '
                           '--line-width'):
            drawn(image)
        for width in (2, 4):
            found = drawn(image, line_width=width)
            assert found.sum() == 14 * width
            assert found[4 - width // 2:4 + width // 2].all()

    def test_a_bent_line(self, tmp_path):
        path = labelme(tmp_path / 'a.json', [
            dict(shape_type='linestrip', points=[[2, 2], [2, 8], [9, 8]])])
        found = drawn(read_labelme(path), line_width=1.5)
        assert found[2:8, 1:3].all()
        assert found[7:9, 3:9].all()
        # Round ends add a pixel pair each, the round joint three pixels.
        assert 12 + 14 <= found.sum() <= 12 + 14 + 5

    def test_a_circle_counts_only_if_it_is_asked_for(self, tmp_path):
        path = labelme(tmp_path / 'a.json', [
            dict(shape_type='circle', points=[[3, 3], [4, 4]]),
            dict(shape_type='polygon', points=SQUARE, label='joint')])
        image = read_labelme(path)
        assert drawn(image, crack_labels=['JOINT']).sum() == 12
        with pytest.raises(ValueError, match="a circle labelled 'crack'"):
            drawn(image)

    @pytest.mark.parametrize(('shape', 'words'), [
        (dict(points=[[1, 2], [3, 4]]), 'shape 1 must have at least 3 points'),
        (dict(points=[[1, 2], [3], [4, 5]]), 'points of two numbers each'),
        (dict(shape_type='mask', points=[[0, 0], [1, 1]]), 'in base 64'),
        (dict(shape_type='mask', points=[[0, 0], [1, 1]], mask='AAAA'),
         'cannot be decoded'),
        (dict(shape_type='mask', points=[[0, 0], [1, 1]],
              mask=base64.b64encode(cv2.imencode('.png', np.ones(
                  (3, 3), 'u1'))[1].tobytes()).decode()),
         'a mask of 2x2 between its corners, got 3x3'),
    ])
    def test_bad_shapes(self, tmp_path, shape, words):
        path = labelme(tmp_path / 'a.json', [shape])
        with pytest.raises(ValueError, match='^[^\n]*$') as caught:
            read_labelme(path)
        assert words in str(caught.value)

    def test_bad_file(self, tmp_path):
        for text in ('{', '[]', '{"shapes": []}'):
            (tmp_path / 'a.json').write_text(text)
            with pytest.raises(ValueError, match='must be a labelme file'):
                read_labelme(tmp_path / 'a.json')


class TestCVAT:
    def test_each_kind(self, tmp_path):
        runs = encode_runs(blob()[5:9, 3:11], by_column=False)
        path = cvat(tmp_path / 'a.xml', [
            '<tag label="wall"/>',
            '<polygon label="crack" points="2,1;6,1;6,4;2,4" z_order="0">'
            '<attribute name="sure">yes</attribute></polygon>',
            f'<mask label="crack" rle="{", ".join(map(str, runs))}" left="3" '
            'top="5" width="8" height="4"/>',
            '<box label="crack" xtl="11" ytl="8" xbr="13" ybr="9"/>'])
        (image, ) = read_cvat(path)
        assert (image.name, image.size) == ('walls/a.jpg', SIZE)
        wanted = square() | blob()
        wanted[8, 11:13] = True
        np.testing.assert_array_equal(drawn(image), wanted)

    def test_polylines(self, tmp_path):
        path = cvat(tmp_path / 'a.xml', [
            '<polyline label="crack" points="-3.0,4.0;20.0,4.0"/>'])
        (image, ) = read_cvat(path)
        assert drawn(image, line_width=4).sum() == 14 * 4

    @pytest.mark.parametrize(('shape', 'words'), [
        ('<polygon label="crack" points="1,2;3,4"/>', 'at least 3 points'),
        ('<polygon label="crack" points=""/>', 'points of two numbers each'),
        ('<polygon label="crack" points="1,2;3,x;4,5"/>', 'of two numbers'),
        ('<mask label="crack" rle="1,2" left="0" top="0" width="2" '
         'height="2"/>', 'add up to the 4 pixels'),
        ('<mask label="crack" left="0"/>', "run lengths ('top')"),
        ('<box label="crack" xtl="1"/>', 'a box labelled'),
    ])
    def test_bad_shapes(self, tmp_path, shape, words):
        with pytest.raises(ValueError, match='^[^\n]*$') as caught:
            read_cvat(cvat(tmp_path / 'a.xml', [shape]))
        assert words in str(caught.value)

    def test_what_has_no_area(self, tmp_path):
        for shape, kind in (
                ('<points label="crack" points="1,2"/>', 'points'),
                ('<box label="crack" xtl="1" ytl="1" xbr="3" ybr="3" '
                 'rotation="30.0"/>', 'turned box')):
            (image, ) = read_cvat(cvat(tmp_path / 'a.xml', [shape]))
            with pytest.raises(ValueError, match=f'a {kind} labelled'):
                drawn(image)

    def test_a_mask_that_leaves_the_image(self, tmp_path):
        path = cvat(tmp_path / 'a.xml', [
            '<mask label="crack" rle="0,4" left="13" top="0" width="2" '
            'height="2"/>'])
        with pytest.raises(ValueError, match='2x2 at 13, 0, which leaves'):
            drawn(read_cvat(path)[0])

    @pytest.mark.parametrize(('text', 'words'), [
        ('<annotations>', 'an XML file of CVAT'),
        ('<annotation/>', 'got <annotation>'),
        ('<annotations><track/></annotations>', 'got tracks of a video'),
        ('<annotations><image name="a.jpg"/></annotations>',
         'must have name, width and height'),
    ])
    def test_bad_file(self, tmp_path, text, words):
        (tmp_path / 'a.xml').write_text(text)
        with pytest.raises(ValueError, match=words):
            read_cvat(tmp_path / 'a.xml')


class TestRender:
    def test_ignored_wins_over_crack(self):
        image = AnnotatedImage(name='a.jpg', size=SIZE, source='f', shapes=(
            Shape(label='unsure', kind='polygon',
                  points=np.array([[4, 0], [9, 0], [9, 9], [4, 9]])),
            Shape(label='Crack', kind='polygon', points=np.array(SQUARE))))
        found = drawn(image, ignore_labels=['UNSURE'])
        wanted = square().astype(np.uint8)
        wanted[:9, 4:9] = 255
        np.testing.assert_array_equal(found, wanted)

    def test_shapes_may_leave_the_image(self):
        far = np.array([[-50, -50], [-40, -50], [-40, -40]])
        image = AnnotatedImage(name='a', size=None, source='f', shapes=(
            Shape(label='crack', kind='polygon', points=far),
            Shape(label='crack', kind='line', points=far),
            Shape(label='crack', kind='polygon', points=np.array(
                [[-5, -5], [3, -5], [3, 2], [-5, 2]])),
            Shape(label='crack', kind='polygon', points=np.array(
                [[12, 8], [99, 8], [99, 99], [12, 99]]))))
        found = drawn(image, line_width=2)
        assert found[:2, :3].all()
        assert found[8:, 12:].all()
        assert found.sum() == 6 + 4

    @pytest.mark.parametrize(('size', 'words'), [
        ((14, 10), 'got 10x14; the tool did not turn the photograph'),
        ((5, 7), 'got 7x5; give the images that were annotated'),
    ])
    def test_another_size(self, size, words):
        image = AnnotatedImage(name='a', size=size, source='f', shapes=())
        with pytest.raises(ValueError, match=f'of its image, 14x10, {words}'):
            drawn(image)


class TestWriters:
    def images(self):
        return [
            AnnotatedImage(name='walls/a.jpg', size=SIZE, source='', shapes=(
                *polygon_shapes([np.array(SQUARE), np.array(
                    [[.5, .5], [3, .5], [3, 3.25]])], label='crack'),
                *polygon_shapes([np.array(SQUARE) + 4], label='un<sure'))),
            AnnotatedImage(name='b.jpg', size=(7, 5), source='', shapes=()),
        ]

    def same(self, found, wanted):
        assert [(i.name, i.size) for i in found] == [
            (i.name, i.size) for i in wanted]
        for one, two in zip(found, wanted, strict=True):
            assert [s.label for s in one.shapes] == [
                s.label for s in two.shapes]
            for a, b in zip(one.shapes, two.shapes, strict=True):
                np.testing.assert_array_equal(a.points, b.points)

    def test_coco(self, tmp_path):
        text = coco_text(self.images())
        (tmp_path / 'a.json').write_text(text)
        self.same(read_coco(tmp_path / 'a.json'), self.images())
        first, second, _ = json.loads(text)['annotations']
        assert (first['area'], first['bbox']) == (12, [2, 1, 4, 3])
        assert second['segmentation'] == [[0.5, 0.5, 3, 0.5, 3, 3.25]]
        assert second['area'] == round(2.5 * 2.75 / 2, 3)

    def test_cvat(self, tmp_path):
        text = cvat_text(self.images())
        (tmp_path / 'a.xml').write_text(text)
        self.same(read_cvat(tmp_path / 'a.xml'), self.images())
        assert 'points="2,1;6,1;6,4;2,4"' in text

    def test_labelme(self, tmp_path):
        image = self.images()[0]
        text = labelme_text(image, image_path='../photos/walls/a.jpg')
        (tmp_path / 'a.json').write_text(text)
        found = read_labelme(tmp_path / 'a.json')
        assert found.name == 'a.jpg'
        assert json.loads(text)['imagePath'] == '../photos/walls/a.jpg'
        self.same([found], [AnnotatedImage(
            name='a.jpg', size=SIZE, source='', shapes=image.shapes)])


class TestFinding:
    def test_formats(self, tmp_path):
        files = {'coco': coco(tmp_path / 'c.json', []),
                 'cvat': cvat(tmp_path / 'v.xml', [])}
        (tmp_path / 'l').mkdir()
        files['labelme'] = labelme(tmp_path / 'l/a.json', [])
        for kind, path in files.items():
            assert format_of(path) == kind
            assert len(read_annotations(path)[0]) == 1
        assert read_annotations(tmp_path / 'l')[1] == 'labelme'

    @pytest.mark.parametrize(('name', 'text', 'words'), [
        ('a.json', '{', 'got a file that is neither'),
        ('a.json', '{"boxes": []}', r"got \['boxes'\]"),
        ('a.json', '[]', r'got \[\]'),
    ])
    def test_no_format(self, tmp_path, name, text, words):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=words):
            format_of(tmp_path / name)

    def test_nothing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='there are no annotat'):
            read_annotations(tmp_path / 'a.json')
        with pytest.raises(FileNotFoundError, match='JSON files of labelme'):
            read_annotations(tmp_path)

    def test_images_by_path_and_by_name(self, tmp_path):
        for name in ('a.jpg', 'walls/b.jpg', 'x/c.jpg', 'y/c.jpg', 'd.png'):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b'x')
        names = ['walls/b.jpg', 'elsewhere/a.jpg', 'y/c.jpg', 'e.jpg']
        images = [AnnotatedImage(name=n, size=None, shapes=(), source=n)
                  for n in names]
        found, missing, bare = match_images(images, tmp_path)
        assert {k: v.name for k, v in found.items()} == {
            'walls/b.jpg': 'walls/b.jpg', 'a.jpg': 'elsewhere/a.jpg',
            'y/c.jpg': 'y/c.jpg'}
        assert (missing, bare) == (['e.jpg'], ['d.png', 'x/c.jpg'])
        lone = AnnotatedImage(name='c.jpg', size=None, shapes=(), source='f')
        with pytest.raises(ValueError, match='got x/c.jpg and y/c.jpg'):
            match_images([lone], tmp_path)
        with pytest.raises(ValueError, match='must be annotated once'):
            match_images([images[1], images[1]], tmp_path)
        with pytest.raises(FileNotFoundError, match='no folder of images'):
            match_images([lone], tmp_path / 'z')

    def test_labels(self):
        shapes = tuple(
            Shape(label=label, kind='polygon', points=np.array(SQUARE))
            for label in ('Crack', 'joint', 'joint', 'unsure'))
        images = {'a': AnnotatedImage(
            name='a', size=SIZE, shapes=shapes, source='f')}
        crack = dict(crack_labels=['crack'])
        (note, ) = check_labels(images, **crack, ignore_labels=['unsure'])
        assert note.endswith("label: 2 shapes 'joint'")
        with pytest.raises(ValueError, match="no shape is labelled 'crak'; "
                           r"the labels are 'Crack' \(1\), 'joint' \(2\)"):
            check_labels(images, crack_labels=['crak'], ignore_labels=[])
        with pytest.raises(ValueError, match="no shape is labelled 'shade'"):
            check_labels(images, **crack, ignore_labels=['shade'])
        with pytest.raises(ValueError, match='got both for crack'):
            check_labels(images, **crack, ignore_labels=['CRACK'])
