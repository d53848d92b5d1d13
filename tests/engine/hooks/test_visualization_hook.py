"""What the pictures of a test show, pixel by pixel."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from mmcrack.engine.hooks import CrackVisualizationHook
from mmcrack.visualization import heat_picture

RENDERED = (0, 255, 255)
SIZE = 12, 16


class Head(nn.Module):
    """Leaves what a rendering head would leave."""

    def __init__(self):
        super().__init__()
        self.keep_rendering = False
        self.rendering = None


def sample(path='/d/images/a/x.png', size=SIZE, **meta):
    label = np.zeros(size, np.int64)
    label[3] = 1
    truth = np.zeros(size, np.int64)
    truth[3, :8] = 1
    truth[4, :8] = 1
    logits = torch.zeros(2, *size)
    logits[1, 0] = 4.
    return SegDataSample(
        pred_sem_seg=PixelData(data=torch.from_numpy(label)[None]),
        gt_sem_seg=PixelData(data=torch.from_numpy(truth)[None]),
        seg_logits=PixelData(data=logits),
        metainfo=dict(img_path=path, img_shape=size, **meta))


@pytest.fixture
def draw(tmp_path):
    """Draw batches; returns the panels of each picture by name."""

    def call(*batches, head=None, hook=None, pixels=None, before='test',
             panels=4):
        hook = hook or CrackVisualizationHook(
            draw=True, out_dir=str(tmp_path / 'out'))
        dataset = SimpleNamespace(data_prefix=dict(img_path='/d/images'))
        loader = SimpleNamespace(dataset=dataset)
        shown = []
        runner = SimpleNamespace(
            model=nn.Sequential(head or Head()), log_dir=str(tmp_path),
            iter=40, test_dataloader=loader, val_dataloader=loader,
            visualizer=SimpleNamespace(
                show=lambda picture, win_name, wait_time: shown.append(
                    (win_name, wait_time))))
        getattr(hook, f'before_{before}')(runner)
        asked = runner.model[0].keep_rendering
        for index, batch in enumerate(batches):
            inputs = pixels if pixels is not None else []
            getattr(hook, f'after_{before}_iter')(
                runner, index, dict(inputs=inputs), batch)
        getattr(hook, f'after_{before}')(runner)
        found = {}
        for path in sorted(tmp_path.rglob('*.png')):
            picture = cv2.imread(str(path))[..., ::-1]
            name = path.relative_to(tmp_path).as_posix()
            scale = (picture.shape[1] - 6 * (panels - 1)) // panels // SIZE[1]
            step = scale * SIZE[1] + 6
            found[name] = [
                picture[24::scale, k * step:k * step + scale * SIZE[1]:scale]
                for k in range(panels)]
        return SimpleNamespace(
            found=found, asked=asked, shown=shown, hook=hook,
            head=runner.model[0])

    return call


def test_errors_are_coloured_by_kind(draw):
    (panels, ) = draw([sample()]).found.values()
    errors = panels[2]
    assert (errors[3, :8] == (0, 200, 140)).all()  # hit
    assert (errors[3, 8:] == (230, 85, 0)).all()  # false alarm
    assert (errors[4, :8] == (70, 150, 255)).all()  # missed
    assert (errors[5:] == 0).all()
    assert (panels[1][3:5, :8] == (240, 228, 66)).all()


def test_without_rendering_the_probability_is_drawn(draw):
    (panels, ) = draw([sample()]).found.values()
    prob = np.full(SIZE, 0.5)
    prob[0] = 1 / (1 + np.exp(-4))
    np.testing.assert_array_equal(panels[3], heat_picture(prob))


def test_one_channel_holds_the_probability_itself(draw):
    one = sample()
    one.set_data(dict(seg_logits=PixelData(data=torch.full((1, *SIZE), .25))))
    (panels, ) = draw([one]).found.values()
    np.testing.assert_array_equal(
        panels[3], heat_picture(np.full(SIZE, .25)))


def rendering(size, place):
    rendered = torch.zeros(1, *size, dtype=torch.bool)
    rendered[0, place[0], place[1]] = True
    return dict(heat_map=torch.full((1, 1, *size), .5), rendered=rendered)


@pytest.mark.parametrize(('size', 'meta', 'place', 'seen'), [
    (SIZE, {}, (2, 5), (2, 5)),
    # Padded by 4 rows below and 8 columns on the right.
    ((16, 24), dict(padding_size=[0, 8, 0, 4]), (2, 5), (2, 5)),
    ((16, 24), dict(img_padding_size=[3, 5, 1, 3]), (3, 8), (2, 5)),
    (SIZE, dict(flip=True, flip_direction='horizontal'), (2, 5), (2, 10)),
    (SIZE, dict(flip=True, flip_direction='vertical'), (2, 5), (9, 5)),
], ids=['plain', 'padded', 'all round', 'mirrored', 'upside down'])
def test_rendered_pixels_are_where_they_were(draw, size, meta, place, seen):
    head = Head()
    head.rendering = rendering(size, place)
    drawn = draw([sample(**meta)], head=head)
    assert drawn.asked
    (panels, ) = drawn.found.values()
    marked = (panels[3] == RENDERED).all(-1)
    assert np.argwhere(marked).tolist() == [list(seen)]
    # Afterwards the head keeps nothing.
    assert not head.keep_rendering
    assert head.rendering is None


def test_rendered_pixels_survive_a_reduced_test_size(draw):
    """Tested at double size: single pixels stay in the small picture."""
    head = Head()
    head.rendering = rendering((24, 32), (4, 11))
    one = sample()
    one.set_metainfo(dict(img_shape=(24, 32)))
    (panels, ) = draw([one], head=head).found.values()
    marked = (panels[3] == RENDERED).all(-1)
    assert np.argwhere(marked).tolist() == [[2, 5]]


def test_a_window_of_slide_mode_is_not_taken_for_the_image(draw):
    head = Head()
    head.rendering = rendering((6, 8), (1, 1))
    (panels, ) = draw([sample()], head=head).found.values()
    assert not (panels[3] == RENDERED).all(-1).any()


def test_truth_of_another_size_is_resized(draw):
    one = sample()
    truth = torch.zeros(1, 24, 32, dtype=torch.long)
    truth[0, 6:10, :16] = 1
    one.set_data(dict(gt_sem_seg=PixelData(data=truth)))
    (panels, ) = draw([one]).found.values()
    yellow = (panels[1] == (240, 228, 66)).all(-1)
    assert yellow[3:5, :8].all()
    assert yellow.sum() == 16


def test_without_truth_there_are_three_panels(draw):
    one = sample()
    del one.gt_sem_seg
    (panels, ) = draw([one], panels=3).found.values()
    assert ((panels[1] == (240, 228, 66)).all(-1)).sum() == SIZE[1]


def test_loaded_pixels_are_shown_in_rgb(draw):
    pixels = torch.zeros(3, *SIZE, dtype=torch.uint8)
    pixels[0] = 200  # blue comes first, as OpenCV reads
    (panels, ) = draw([sample()], pixels=[pixels]).found.values()
    assert (panels[0] == (0, 0, 200)).all()


def test_names_interval_and_window(draw, tmp_path):
    hook = CrackVisualizationHook(
        draw=True, out_dir=str(tmp_path / 'p'), interval=2, show=True,
        wait_time=0.5)
    batches = [[sample(f'/d/images/a/{i}.jpg'), sample(f'/o/{i}.jpg')]
               for i in range(3)]
    batches[0].append(sample('/d/images/third.jpg'))
    drawn = draw(*batches, hook=hook)
    # Every second one, over the limits of batches.
    assert set(drawn.found) == {
        'p/a/0.png', 'p/third.png', 'p/1.png', 'p/2.png'}
    assert drawn.shown == [('a/0', .5), ('third', .5), ('1', .5), ('2', .5)]
    assert hook.written_to == tmp_path / 'p'


@pytest.mark.parametrize(('draw_val', 'count'), [(True, 1), (False, 0)])
def test_validation_only_if_asked(draw, draw_val, count):
    hook = CrackVisualizationHook(draw=True, draw_val=draw_val)
    drawn = draw([sample()], hook=hook, before='val')
    assert drawn.asked == draw_val
    assert list(drawn.found) == ['pictures/val_40/a/x.png'] * count


def test_nothing_unless_switched_on(draw):
    drawn = draw([sample()], hook=CrackVisualizationHook())
    assert drawn.found == {}
    assert not drawn.asked


def test_another_crack_class(draw, tmp_path):
    hook = CrackVisualizationHook(
        draw=True, out_dir=str(tmp_path / 'p'), crack_class=0)
    (panels, ) = draw([sample()], hook=hook).found.values()
    assert ((panels[1] == (240, 228, 66)).all(-1)).sum() == 12 * 16 - 16


@pytest.mark.parametrize('options', [
    dict(interval=0), dict(max_long_edge=8), dict(wait_time=-1.),
    dict(crack_class=-1)])
def test_numbers_out_of_range(options):
    (name, value), = options.items()
    with pytest.raises(ValueError, match=f'{name} must .*{value}'):
        CrackVisualizationHook(**options)
