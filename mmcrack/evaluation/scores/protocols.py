"""How each community evaluates, as one name.

Not in the papers in this form: where a paper or its code leaves something
open, the reading is stated in the text, which is printed with the figures.
"""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True)
class Protocol:
    """What has to be fixed before two papers' figures can be compared.

    Attributes:
        name (str): Of the protocol.
        threshold (float): Crack where the probability is at least this, in
            figures of one threshold.
        empty (str): What an image without crack in its truth scores.
        metrics (tuple): Its scores, as :func:`build_scores` takes them.
        figures (tuple[str, ...]): Those that the community reports.
        source (str, optional): How the source is read from a name.
        text (str): Thresholds, comparison, tolerance, empty rule and
            averaging in words.
    """

    name: str
    threshold: float
    empty: str
    metrics: tuple
    figures: tuple
    text: str
    source: str | None = None


_CIRL = Protocol(
    name='cirl',
    threshold=0.5,
    empty='zero',
    metrics=('pixel', ),
    figures=('image_Precision', 'image_Recall', 'image_F1'),
    text='CIRL and JTFN (its evaluation code): crack where p >= 0.5; exact '
    'pixels; precision, recall and F1 of each image, then the mean over '
    'images; an image without crack in its truth scores 0; inside the '
    'field of view alone, where there is one')

_CBPRN = Protocol(
    name='cbprn',
    threshold=0.5,
    empty='skip',
    metrics=('pixel', 'mba', dict(type='mba', mode='iou')),
    figures=('mIoU', 'image_IoU', 'image_Dice', 'IoU', 'Dice', 'mBA',
             'mBA_floor', 'mBA_IoU'),
    text='CBPRN: crack where p >= 0.5; exact pixels; the paper does not say '
    'how it averages, and no one definition gives its pairs of IoU and '
    'Dice, so each reading is shown: two-class mIoU and pooled IoU and '
    "Dice of crack, and the mean over images of both; mBA as CascadePSP's "
    'code has it (accuracy in 5 bands, radii from 1 px) with the floor of '
    'an empty prediction, and as the IoU in the bands that the text names; '
    'an image without crack is left out of means')

_ZOU = Protocol(
    name='zou',
    threshold=0.5,
    empty='skip',
    metrics=(dict(type='curves', protocol='tolerance2'),
             dict(type='tolerance', tau=2)),
    figures=('ODS_tolerance2', 'OIS_tolerance2', 'AP_tolerance2'),
    text="Zou et al. 2018 (DeepCrack, CrackTree's sets): within 2 px, a "
    'disc, many to one; ODS from the counts of all images and OIS as the '
    'mean of the best F1 of each image over p >= t, t = 0.01, ..., 0.99 '
    '(grid and comparison are not in the paper); AP as a step integral; '
    'an image without crack is left out of OIS; precision, recall and F1 '
    'at p >= 0.5 with the same tolerance beside them')

_FPHB = Protocol(
    name='fphb',
    threshold=0.5,
    empty='zero',
    metrics=(dict(type='curves', protocol='bsds'), 'aiu'),
    figures=('ODS_bsds', 'OIS_aggregate_bsds', 'AP_bsds', 'AIU'),
    text='FPHB (Yang et al. 2020, after BSDS): p >= t for t = 0.01, ..., '
    '0.99; prediction and truth thinned, matched one to one within 0.0075 '
    'of the diagonal; ODS from the counts of all images, OIS from the '
    'counts at the best threshold of each, AP interpolated as in edgesEval; '
    'AIU of exact pixels, mean over thresholds and images; an image '
    'without crack scores 0; the suppression of non-maxima before is not '
    'done: give suppressed maps')

_OMNICRACK = Protocol(
    name='omnicrack',
    threshold=0.5,
    empty='skip',
    metrics=(dict(type='cliou', tau=4), ),
    figures=('clIoU_4px', ),
    source='^([^_]+)_',
    text='OmniCrack30k: IoU of centre lines within 4 px, a disc, pooled '
    'over the images of a subset (the name up to the first underscore); '
    'masks are thinned first (the released code reads centre lines of both: '
    'give those with the metric cliou:thin=false instead); in its files 0 '
    'is crack')

PROTOCOLS: dict[str, Protocol] = {
    p.name: p for p in (_CIRL, _CBPRN, _ZOU, _FPHB, _OMNICRACK)}


def find_protocol(name: str) -> Protocol:
    """Return a protocol.

    Args:
        name (str): A key of :data:`PROTOCOLS`.

    Returns:
        Protocol: It.

    Raises:
        ValueError: If there is none of that name.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    near = difflib.get_close_matches(str(name), PROTOCOLS, n=1)
    hint = f' Did you mean {near[0]!r}?' if near else ''
    raise ValueError(f'There is no protocol {name!r}; there are '
                     f'{", ".join(PROTOCOLS)}.{hint}')
