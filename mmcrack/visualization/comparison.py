"""Systems beside each other: image, truth and what each one found.

CIRL, Figure 5; CBPRN, Figure 7. Not in the papers: colours and zoom boxes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from mmcrack.visualization.ambiguity import densest_window
from mmcrack.visualization.drawing import (
    CRACK,
    FALSE_ALARM,
    HIT,
    IGNORED,
    MISS,
    Color,
    Mask,
    Picture,
    enlarge,
    paint,
    paint_errors,
    reduce_max,
    reduce_picture,
    reduction_factor,
)
from mmcrack.visualization.panels import (
    GAP,
    caption,
    caption_width,
    contact_sheet,
    panel_row,
)

STYLES = ('errors', 'masks')
# Colours that stand for nothing else here.
BOX_COLORS: tuple[Color, ...] = ((204, 121, 167), (140, 80, 220),
                                 (255, 255, 255))
_BLACK: Color = (0, 0, 0)
_MIN_BOX = 16


class Found(NamedTuple):
    """What one system found on an image.

    Attributes:
        name (str): The system.
        mask (array): bool, (H, W), predicted crack.
    """

    name: str
    mask: Mask


class Box(NamedTuple):
    """A place to enlarge, in pixels of the whole image."""

    left: int
    top: int
    width: int
    height: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return (slice(self.top, self.top + self.height),
                slice(self.left, self.left + self.width))


class Scene(NamedTuple):
    """One image with its truth and all systems' masks.

    Attributes:
        name (str): Of the image.
        image (array): uint8, (H, W, 3), RGB.
        target (array): bool, (H, W), true crack.
        ignored (array): bool, (H, W), without truth.
        found (Sequence[Found]): At least one.
    """

    name: str
    image: Picture
    target: Mask
    ignored: Mask
    found: Sequence[Found]


def crack_iou(pred: Mask, target: Mask, ignored: Mask) -> float:
    """Return the IoU of the crack on one image, in percent.

    Args:
        pred (array): bool, (H, W).
        target (array): bool, (H, W).
        ignored (array): bool, (H, W), left out.

    Returns:
        float: NaN where neither has a crack.
    """
    union = ((pred | target) & ~ignored).sum()
    return float(100 * (pred & target & ~ignored).sum() / union) if union \
        else float('nan')


def disagreement(scene: Scene) -> np.ndarray:
    """Count for each pixel the pairs that disagree on it.

    Args:
        scene (Scene): S systems.

    Returns:
        array: Float, (H, W): k (S + 1 - k), where k of the systems and the
        truth say crack; 0 where there is no truth.
    """
    votes = scene.target.astype(np.float64)
    for found in scene.found:
        votes += found.mask
    pairs = votes * (len(scene.found) + 1 - votes)
    pairs[scene.ignored] = 0
    return pairs


def choose_boxes(scene: Scene, count: int, *,
                 size: Sequence[int]) -> list[Box]:
    """Find the places where systems disagree most.

    Args:
        scene (Scene): S systems.
        count (int): How many; fewer where no disagreement is left.
        size (Sequence[int]): (height, width) of each, in pixels.

    Returns:
        list[Box]: They do not overlap, but for the first where nothing
        disagrees: the middle.
    """
    weight, boxes = disagreement(scene), []
    size = tuple(min(s, full) for s, full in zip(size, weight.shape,
                                                 strict=True))
    while len(boxes) < count and (weight.any() or not boxes):
        top, left = densest_window(weight, size)
        box = Box(left, top, size[1], size[0])
        boxes.append(box)
        # A window that touches this one would overlap it.
        weight[max(0, top - size[0] // 2):top + size[0] * 3 // 2,
               max(0, left - size[1] // 2):left + size[1] * 3 // 2] = 0
    return boxes


def comparison_picture(scenes: Sequence[Scene],
                       *,
                       boxes: int | Sequence[Sequence[Box]] = 1,
                       zoom: int | None = None,
                       max_long_edge: int = 360,
                       style: str = 'errors') -> Picture:
    """Draw image | truth | each system, one row for each image.

    Below each panel stands each box, enlarged from full resolution, and
    below that the system's name with its IoU on this image.

    Args:
        scenes (Sequence[Scene]): Images, all with the same systems.
        boxes (int | Sequence[Sequence[Box]]): So many for each image where
            systems disagree most, or those of each image.
        zoom (int, optional): How many times a chosen place is enlarged;
            None: 3, and 2 on images that are reduced more than fourfold.
        max_long_edge (int): Of a panel, in pixels; longer images are
            reduced, masks by the greatest value of a block.
        style (str): 'errors': hits, misses and false alarms in colours;
            'masks': white on black, as in the papers.

    Returns:
        array: uint8, (H, W, 3).

    Raises:
        ValueError: If ``style`` is unknown, the systems differ, a box lies
            outside its image or there is nothing to draw.
    """
    if style not in STYLES:
        raise ValueError(f'style must be one of {", ".join(STYLES)}, got '
                         f'{style!r}.')
    if not scenes or not scenes[0].found:
        raise ValueError('scenes must hold an image with a system.')
    names = [found.name for found in scenes[0].found]
    if any([f.name for f in s.found] != names for s in scenes):
        raise ValueError(f'all images must have the systems {names}.')
    rows = []
    for number, scene in enumerate(scenes):
        factor = reduction_factor(scene.image.shape[:2], max_long_edge)
        small = [-(-side // factor) for side in scene.image.shape[:2]]
        wanted = max(caption_width(words) for words in _words(scene))
        scale = max(1, -(-wanted // small[1]))
        times = zoom or (3 if factor <= 4 else 2)
        size = [max(_MIN_BOX, side * scale // times) for side in small]
        chosen = choose_boxes(scene, boxes, size=size) \
            if isinstance(boxes, int) else list(boxes[number])
        for box in chosen:
            _check_box(box, scene)
        rows.append(_row(scene, chosen, factor, scale, style))
    sheet = contact_sheet(rows, columns=1)
    return _legend(sheet) if style == 'errors' else sheet


def _check_box(box: Box, scene: Scene) -> None:
    height, width = scene.image.shape[:2]
    if min(box) < 0 or 0 in box[2:] or box.left + box.width > width \
            or box.top + box.height > height:
        raise ValueError(
            f'the box {tuple(box)} (left, top, width, height) does not lie '
            f'in the image {scene.name!r} of {width} x {height} pixels.')


def _words(scene: Scene) -> list[list[tuple[str, Color]]]:
    """Return what stands below each panel."""
    height, width = scene.image.shape[:2]
    words = [[(f'{scene.name}, {width} x {height}', _BLACK)],
             [('truth', _BLACK)]]
    for found in scene.found:
        iou = crack_iou(found.mask, scene.target, scene.ignored)
        text = f'{found.name}: no crack' if np.isnan(iou) else \
            f'{found.name}: IoU {iou:.1f}'
        words.append([(text, _BLACK)])
    return words


def _row(scene: Scene, boxes: Sequence[Box], factor: int, scale: int,
         style: str) -> Picture:
    """Draw the panels of one image."""
    whole = _pictures(scene, (slice(None), slice(None)), factor, style)
    width = whole[0].shape[1] * scale
    columns = []
    for column, picture in enumerate(whole):
        parts = [_framed(enlarge(picture, scale), boxes, scale / factor)]
        for number, box in enumerate(boxes):
            crop = _pictures(scene, box.place, 1, style)[column]
            parts.append(_enlarged(crop, width, _color(number)))
        columns.append(np.concatenate(
            [part for p in parts for part in (p, _gap(width))][:-1]))
    return panel_row([_below(picture, words) for picture, words in zip(
        columns, _words(scene), strict=True)])


def _pictures(scene: Scene, place: tuple[slice, slice], factor: int,
              style: str) -> list[Picture]:
    """Draw image, truth and each system at a place."""
    image = reduce_picture(scene.image[place], factor)
    target, ignored = scene.target[place], scene.ignored[place]
    masks = [found.mask[place] for found in scene.found]
    if style == 'masks':
        drawn = []
        for mask in (target, *masks):
            white = paint(np.zeros_like(image), reduce_max(mask, factor),
                          (255, 255, 255), opacity=1)
            drawn.append(paint(white, reduce_max(ignored, factor), IGNORED,
                               opacity=1))
        return [image, *drawn]
    truth = paint(image, reduce_max(target, factor), CRACK, opacity=1)
    truth = paint(truth, reduce_max(ignored, factor), IGNORED, opacity=0.7)
    return [image, truth, *(
        paint_errors(image, mask, target, ignored=ignored, factor=factor)
        for mask in masks)]


def _color(number: int) -> Color:
    return BOX_COLORS[number % len(BOX_COLORS)]


def _gap(width: int) -> Picture:
    return np.full((GAP // 2, width, 3), 255, np.uint8)


def _framed(picture: Picture, boxes: Sequence[Box], scale: float) -> Picture:
    """Draw the outlines of boxes, each with a dark line around it."""
    framed = picture.copy()
    for number, box in enumerate(boxes):
        corners = [round(scale * n) for n in (
            box.left, box.top, box.left + box.width, box.top + box.height)]
        for grow, color in ((2, _BLACK), (1, _color(number)),
                            (0, _color(number))):
            cv2.rectangle(framed, (corners[0] - grow, corners[1] - grow),
                          (corners[2] - 1 + grow, corners[3] - 1 + grow),
                          color, 1)
    return framed


def _enlarged(crop: Picture, width: int, color: Color) -> Picture:
    """Bring a crop to a width, pixels whole; frame it."""
    height = max(1, round(crop.shape[0] * width / crop.shape[1]))
    how = cv2.INTER_NEAREST if width >= crop.shape[1] else cv2.INTER_AREA
    drawn = cv2.resize(crop, (width, height), interpolation=how)
    cv2.rectangle(drawn, (0, 0), (width - 1, height - 1), color, 2)
    return drawn


def _below(picture: Picture, words: list[tuple[str, Color]]) -> Picture:
    """Put words below a picture."""
    nothing = np.zeros((0, picture.shape[1], 3), np.uint8)
    return np.concatenate([picture, caption(nothing, words)])


def _legend(sheet: Picture) -> Picture:
    """Say below all what the colours mean."""
    return _below(sheet, [('hit', HIT), ('missed', MISS),
                          ('false alarm', FALSE_ALARM),
                          ('truth', CRACK)])
