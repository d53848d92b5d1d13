"""Images that show the same piece of one photograph (15).

Not in the papers. SIFT keypoints find candidates. A mirror image has the
same descriptors with rows and angles in reverse, so mirrored pieces cost one
more comparison and no more detection. A candidate's matches must agree on
one affine map, and the pixels of the overlap must then agree too: pieces of
one photograph correlate above 0.7, different photographs of one wall below
0.4 (seen on DeepCrack).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from mmcrack.datasets.doctor.duplicates import even_detail
from mmcrack.datasets.images import read_image

MIN_CORRELATION = 0.7
LONG_EDGE = 1100
_MOST_KEYPOINTS, _FEWEST_KEYPOINTS, _ALL_KEYPOINTS = 150, 24, 120_000
_MIN_COSINE, _MIN_MATCHES, _MIN_OVERLAP = 0.9, 4, 3000
_BLOCK = 1024


class Keypoints(NamedTuple):
    """Keypoints of an image reduced to at most about 1100 pixels.

    Attributes:
        points: float32 (K, 2), x and y in pixels of the reduced image.
        descriptors: uint8 (K, 128).
    """

    points: np.ndarray
    descriptors: np.ndarray


class Overlap(NamedTuple):
    """A piece that two images share.

    Attributes:
        first: Index.
        second: Index.
        correlation: Of the shared pixels, at most 1.
        share: Part of the smaller image that is shared, 0 to 1.
        whole: Part of the larger image that is shared, 0 to 1.
    """

    first: int
    second: int
    correlation: float
    share: float
    whole: float


def keypoint_number(images: int) -> int:
    """Keypoints for each image, so that a set takes minutes, not hours.

    Args:
        images: Number of images in the set.

    Returns:
        150 for up to 800 images, then fewer, at least 24.
    """
    return int(np.clip(_ALL_KEYPOINTS // max(images, 1), _FEWEST_KEYPOINTS,
                       _MOST_KEYPOINTS))


def reduced_grey(grey: np.ndarray) -> np.ndarray:
    """Reduces a big image for this comparison.

    Args:
        grey: uint8 (H, W).

    Returns:
        uint8, longest edge at most about 1.5 * 1100 pixels.
    """
    factor = max(1, round(max(grey.shape) / LONG_EDGE))
    if factor == 1:
        return grey
    size = grey.shape[1] // factor, grey.shape[0] // factor
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def find_keypoints(grey: np.ndarray, number: int) -> Keypoints:
    """Finds an image's keypoints.

    Args:
        grey: uint8 (H, W), whole image.
        number: How many, at most.

    Returns:
        The strongest of them.
    """
    sift = cv2.SIFT_create(nfeatures=number, contrastThreshold=0.01)
    found, descriptors = sift.detectAndCompute(reduced_grey(grey), None)
    if descriptors is None:
        return Keypoints(
            np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8))
    # Several may share the last place's strength.
    points = np.array([k.pt for k in found[:number]], np.float32)
    return Keypoints(points, descriptors[:number].astype(np.uint8))


def find_overlaps(
    keypoints: Sequence[Keypoints],
    splits: Sequence[str],
    files: Sequence[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Overlap]:
    """Finds images that share pixels of one photograph.

    Args:
        keypoints: Of each image.
        splits: Of each image: the best partner is sought in each split, so
            that a nearer one in its own does not hide a leak.
        files: Of each image, read again for the final comparison.
        progress: Called with steps done and all steps.

    Returns:
        The pairs, each once, first < second.
    """
    matches = _matches(keypoints, splits, progress)

    @lru_cache(maxsize=64)
    def grey(index: int) -> np.ndarray:
        pixels = cv2.cvtColor(read_image(files[index]), cv2.COLOR_RGB2GRAY)
        return reduced_grey(pixels)

    best: dict[tuple[int, int], Overlap] = {}
    for (i, j, mirrored), rows in sorted(matches.items()):
        # Spots that several matches hit are one witness.
        here = len({tuple(keypoints[i].points[a]) for a, _ in rows})
        there = len({tuple(keypoints[j].points[b]) for _, b in rows})
        if min(here, there) < _MIN_MATCHES:
            continue
        chosen = np.array(sorted(rows))
        start = keypoints[i].points[chosen[:, 0]].copy()
        picture = grey(i)
        if mirrored:
            start[:, 0] = picture.shape[1] - 1 - start[:, 0]
            picture = np.ascontiguousarray(picture[:, ::-1])
        found = _agreement(
            picture, grey(j), start, keypoints[j].points[chosen[:, 1]])
        if found is not None and found[0] > max(
                MIN_CORRELATION, best[i, j].correlation
                if (i, j) in best else 0):
            best[i, j] = Overlap(i, j, *found)
    return [best[pair] for pair in sorted(best)]


def _matches(
    keypoints: Sequence[Keypoints],
    splits: Sequence[str],
    progress: Callable[[int, int], None],
) -> dict[tuple[int, int, bool], set[tuple[int, int]]]:
    """Matching keypoints of image pairs, plain and mirrored."""
    order = sorted(range(len(keypoints)), key=lambda i: splits[i])
    counts = [len(keypoints[i].points) for i in order]
    if sum(counts) == 0:
        return {}
    owner = np.repeat(order, counts)
    place = np.concatenate([np.arange(c) for c in counts])
    unit = np.concatenate(
        [keypoints[i].descriptors for i in order]).astype(np.float32)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-6)
    mirror = unit.reshape(-1, 4, 4, 8)[:, ::-1][..., -np.arange(8) % 8]
    mirror = mirror.reshape(unit.shape)
    names = np.array([splits[i] for i in order])[
        np.repeat(np.arange(len(order)), counts)]
    bounds = [(int(np.searchsorted(names, s)),
               int(np.searchsorted(names, s, side='right')))
              for s in sorted(set(splits))]
    starts = range(0, len(unit), _BLOCK)
    matches: dict[tuple[int, int, bool], set[tuple[int, int]]] = {}
    for step, start in enumerate(starts):
        progress(step, len(starts))
        stop = min(start + _BLOCK, len(unit))
        own = owner[start:stop]
        for mirrored, queries in ((False, unit), (True, mirror)):
            for low, high in bounds:
                if low == high:
                    continue
                alike = queries[start:stop] @ unit[low:high].T
                _forget_own(alike, own, owner[low:high])
                column = alike.argmax(axis=1)
                value = alike[np.arange(len(own)), column]
                for row in np.flatnonzero(value > _MIN_COSINE):
                    _note(matches, mirrored, owner, place, start + row,
                          low + column[row])
    progress(len(starts), len(starts))
    return matches


def _forget_own(
    alike: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> None:
    """No image is its own partner."""
    for image in np.unique(rows):
        where = np.flatnonzero(columns == image)
        if where.size:
            mine = np.flatnonzero(rows == image)
            alike[mine[0]:mine[-1] + 1, where[0]:where[-1] + 1] = -1


def _note(
    matches: dict, mirrored: bool, owner: np.ndarray, place: np.ndarray,
    query: int, answer: int,
) -> None:
    i, j = int(owner[query]), int(owner[answer])
    pair = int(place[query]), int(place[answer])
    if i > j:
        i, j, pair = j, i, pair[::-1]
    matches.setdefault((i, j, mirrored), set()).add(pair)


def _agreement(
    picture: np.ndarray, other: np.ndarray, start: np.ndarray,
    end: np.ndarray,
) -> tuple[float, float, float] | None:
    """Correlation and shares of the overlap under the best map."""
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.estimateAffinePartial2D(
        start, end, ransacReprojThreshold=3)
    if matrix is None or inliers.sum() < _MIN_MATCHES:
        return None
    if not _plausible(matrix):
        return None
    found = _correlation(picture, other, matrix)
    if MIN_CORRELATION >= found[0] > 0.15:
        # Photographs resized to one size may be stretched a little.
        kept = inliers.ravel() > 0
        matrix = _refined(picture, other, matrix, start[kept], end[kept])
        moved = start[kept] @ matrix[:, :2].T + matrix[:, 2]
        near = np.linalg.norm(moved - end[kept], axis=1) < 5
        if not _plausible(matrix) or near.sum() < _MIN_MATCHES:
            return None
        found = _correlation(picture, other, matrix)
    return found


def _plausible(matrix: np.ndarray) -> bool:
    """Not mirrored, at most 4 times larger or smaller, hardly sheared."""
    large, small = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(np.linalg.det(matrix[:, :2]) > 0 and small > 0.25
                and large < 4 and large < 1.25 * small)


def _refined(
    picture: np.ndarray, other: np.ndarray, matrix: np.ndarray,
    start: np.ndarray, end: np.ndarray,
) -> np.ndarray:
    """A full affine map that fits keypoints, then pixels."""
    if len(start) >= 8:
        ones = np.concatenate([start, np.ones((len(start), 1))], axis=1)
        matrix = np.linalg.lstsq(ones, end, rcond=None)[0].T
    back = cv2.invertAffineTransform(matrix).astype(np.float32)
    inside = cv2.warpAffine(
        np.full(picture.shape, 255, np.uint8), matrix,
        other.shape[::-1], flags=cv2.INTER_NEAREST)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    try:
        _, back = cv2.findTransformECC(
            other, picture, back, cv2.MOTION_AFFINE, stop, inside, 5)
    except cv2.error:
        return matrix
    return cv2.invertAffineTransform(back)


def _correlation(
    picture: np.ndarray, other: np.ndarray, matrix: np.ndarray
) -> tuple[float, float, float]:
    """Correlation of the detail in the overlap, and its shares."""
    height, width = other.shape
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    grey = picture.astype(np.float32)
    if scale < 1:
        grey = cv2.GaussianBlur(grey, (0, 0), 0.5 / max(scale, 0.1))
    moved = cv2.warpAffine(grey, matrix, (width, height))
    inside = cv2.warpAffine(
        np.ones(picture.shape, np.uint8), matrix, (width, height),
        flags=cv2.INTER_NEAREST)
    area = int(inside.sum())
    # Blurred edges of the moved picture are no witness.
    inside = cv2.erode(
        inside, np.ones((5, 5), np.uint8), borderValue=0) > 0
    # Counted in pixels of the coarser of the two.
    if area < _MIN_OVERLAP * max(1.0, scale) ** 2:
        return -1.0, 0.0, 0.0
    fine = 1.5 * max(1.0, scale)
    first = _detail(moved, inside, fine)
    second = _detail(other.astype(np.float32), inside, fine)
    areas = height * width, picture.size * scale ** 2
    return (float(first @ second), min(1.0, area / min(areas)),
            min(1.0, area / max(areas)))


def _detail(
    grey: np.ndarray, inside: np.ndarray, scale: float
) -> np.ndarray:
    """Detail between two scales, blurred inside the overlap only."""
    weight = inside.astype(np.float32)

    def blurred(sigma: float) -> np.ndarray:
        total = cv2.GaussianBlur(grey * weight, (0, 0), sigma)
        return total / (cv2.GaussianBlur(weight, (0, 0), sigma) + 1e-6)

    return even_detail((blurred(scale) - blurred(6 * scale))[inside])
