"""Score a folder of crack masks from any software.

``python tools/evaluate.py --pred masks --gt truth`` matches files by name and
prints precision, recall, F1 and IoU, pooled over all pixels and as the mean
over images, and mBA with its floor. Masks hold {0, 1} or {0, 255}; ``--prob``
takes probability maps of 8 or 16 bit (or float TIFF) and allows ODS, OIS, AP
and calibration. ``--protocol`` evaluates as a community does, and says how.
``--compare DIR2`` tells what changed from ``--pred`` to another run, image by
image; ``--second-annotator`` how well a person agrees with the truth.
``--list-metrics`` lists what there is.
"""

import argparse
import functools
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PREDICTION, COMPARED = 'prediction', 'compared'
SECOND, VALID, VARIANCE = 'second annotator', 'judged area', 'variance map'
DEFAULT_METRICS = ('pixel', 'mba')
SHOWN = ('Precision', 'Recall', 'F1', 'IoU', 'image_F1', 'image_IoU', 'mBA',
         'mBA_floor')
MAX_SHOWN = 8
EMPTY_WORDS = {
    'skip': 'left out of means over images',
    'zero': 'counted as 0 in means over images',
    'one': 'counted as 100 in means over images, or 0 after a false alarm'}


class _ListMetrics(argparse.Action):
    """Print all metrics and leave."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Print them."""
        from mmcrack.evaluation.scores import list_scores
        print(list_scores())
        parser.exit()


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Score a folder of crack masks from any software.')
    add = parser.add_argument
    add('--pred', type=Path, required=True, metavar='DIR',
        help='predicted masks, or with --prob probability maps')
    add('--gt', type=Path, required=True, metavar='DIR', help='true masks')
    add('--prob', action='store_true',
        help='predictions are probability maps: 8 bit, 16 bit or floats')
    add('--threshold', type=float, metavar='P',
        help='of --prob: crack where p >= P (default 0.5)')
    add('--metrics', nargs='+', metavar='NAME[:KEY=VALUE,...]',
        help="such as pixel tolerance:tau=5, or 'all' (default: pixel mba; "
        'with --protocol in addition to its own)')
    add('--list-metrics', action=_ListMetrics, nargs=0,
        help='list the metrics and leave')
    add('--protocol', metavar='NAME',
        help='cirl, cbprn, zou, fphb or omnicrack')
    add('--empty', choices=tuple(EMPTY_WORDS), help='what an image without '
        "crack in its truth scores (default: the protocol's, or skip)")
    add('--valid', type=Path, metavar='DIR',
        help='masks of the area that is judged, such as a field of view')
    add('--ignore-value', type=int, metavar='V',
        help='value of true masks that marks pixels without a label')
    add('--variance', type=Path, metavar='DIR',
        help='maps that are larger where the network is less certain')
    add('--crack-is-zero', choices=('gt', 'pred', 'both'),
        help='files in which 0 is crack (OmniCrack30k)')
    add('--second-annotator', type=Path, metavar='DIR',
        help="another person's masks, scored like predictions")
    add('--compare', type=Path, metavar='DIR',
        help='predictions of another run on the same images')
    add('--source', metavar='folder|REGEX', help='figures for each source '
        'too: its folder, or the first group of the expression in the name')
    add('--intervals', action='store_true',
        help='bootstrap 95 %% intervals over images')
    add('--resamples', type=int, default=2000,
        help='of the bootstrap (default %(default)s)')
    add('--seed', type=int, default=0,
        help='of the bootstrap (default %(default)s)')
    add('--allow-missing', action='store_true',
        help='leave out what has no partner of its name')
    for name, what in (('pred', 'predictions'), ('gt', 'true masks'),
                       ('valid', 'masks of --valid'),
                       ('second', 'masks of --second-annotator')):
        add(f'--{name}-suffix', nargs='+', metavar='ENDING',
            help=f'endings of {what} behind the common name, such as '
            '_mask.png (default: any usual picture)')
    add('--workers', type=int, default=1,
        help='processes (default %(default)s)')
    add('--out', type=Path, metavar='FILE',
        help='report, by its ending .json, .md or .csv')
    add('--per-image', type=Path, metavar='FILE.csv',
        help='figures of each image')
    return parser.parse_args(argv)


def folders_of(args: argparse.Namespace) -> tuple[dict, dict]:
    """Return the folders and the endings of their files, by role."""
    from mmcrack.datasets.predictions import TRUTH
    folders = {TRUTH: args.gt, PREDICTION: args.pred, COMPARED: args.compare,
               SECOND: args.second_annotator, VALID: args.valid,
               VARIANCE: args.variance}
    suffixes = {TRUTH: args.gt_suffix, PREDICTION: args.pred_suffix,
                COMPARED: args.pred_suffix, SECOND: args.second_suffix,
                VALID: args.valid_suffix}
    return ({k: v for k, v in folders.items() if v is not None},
            {k: v for k, v in suffixes.items() if v is not None})


def suites_of(args: argparse.Namespace, protocol: Any) -> dict:
    """Return what is taken of each scored folder.

    Args:
        args (argparse.Namespace): The command line.
        protocol (Protocol, optional): Of the command line.

    Returns:
        dict[str, Suite]: By role.

    Raises:
        ValueError: If a metric is unknown or needs what is not given.
    """
    from mmcrack.evaluation.scores import ALL_METRICS, Suite, build_scores
    wanted = [] if protocol is None else list(protocol.metrics)
    named = args.metrics or ([] if wanted else list(DEFAULT_METRICS))
    have = {'prob': args.prob, 'variance': args.variance is not None}
    missing = [need for need, given in have.items() if not given]
    everything = 'all' in named
    wanted += [x for x in named if x != 'all']
    if everything:
        wanted += [x for x in ALL_METRICS]
    empty = args.empty or (protocol.empty if protocol else 'skip')
    source = args.source or (protocol.source if protocol else None)
    suite = Suite(build_scores(wanted, empty=empty), source)
    if everything:
        suite = suite.without(*missing)
    cures = {'prob': 'give probability maps in --pred and add --prob',
             'variance': 'give variance maps with --variance DIR'}
    for score in suite.scores:
        for need in score.needs:
            if need in missing:
                raise ValueError(f'The metric {score.name!r} needs more than '
                                 f'masks: {cures[need]}.')
    out = {PREDICTION: suite}
    if args.compare:
        # The variance is that of the first run.
        out[PREDICTION] = out[COMPARED] = suite.without(
            *(['variance'] if args.variance is None else []))
    if args.second_annotator:
        out[SECOND] = suite.without('prob', 'variance')
        if not out[SECOND].scores:
            raise ValueError('Each of the metrics needs more than masks, so '
                             'a second annotator cannot be scored: add '
                             '--metrics pixel, or leave him out.')
    return out


def check_numbers(args: argparse.Namespace) -> None:
    """Refuse numbers outside their range, and files that cannot be written.

    Args:
        args (argparse.Namespace): The command line.

    Raises:
        ValueError: If there is one.
    """
    from mmcrack.evaluation.report_formats import ENDINGS, check_writable
    if args.threshold is not None:
        if not args.prob:
            raise ValueError('--threshold needs --prob: masks have been '
                             'thresholded already.')
        if not 0 <= args.threshold <= 1:
            raise ValueError('--threshold must be a probability from 0 to 1, '
                             f'got {args.threshold}.')
    for name in ('workers', 'resamples'):
        if getattr(args, name) < 1:
            raise ValueError(f'--{name} must be at least 1, got '
                             f'{getattr(args, name)}.')
    if args.compare and args.variance:
        raise ValueError('--variance belongs to one run, so it cannot stand '
                         'beside --compare: score that run by itself.')
    if args.out:
        check_writable(args.out, endings=ENDINGS)
    if args.per_image:
        check_writable(args.per_image, endings=('.csv', ))


def what_was_done(args: argparse.Namespace, protocol: Any, threshold: float,
                  empty: str, scored: Any, images: int) -> dict:
    """Say how the figures were made, a line each.

    Args:
        args (argparse.Namespace): The command line.
        protocol (Protocol, optional): Of the command line.
        threshold (float): Of probabilities.
        empty (str): Rule for images without crack.
        scored (Scored): With the times.
        images (int): How many were scored.

    Returns:
        dict[str, str]: Texts by title.
    """
    done = dict(predictions=str(args.pred))
    for title, folder in (('compared with', args.compare),
                          ('ground truth', args.gt),
                          ('second annotator', args.second_annotator),
                          ('judged area', args.valid),
                          ('variance maps', args.variance)):
        if folder is not None:
            done[title] = str(folder)
    done['protocol'] = 'none' if protocol is None else (
        f'{protocol.name}: {protocol.text}')
    done['crack where'] = (
        f'p >= {threshold:g}, where one threshold is meant' if args.prob else
        'the masks say so')
    done['an image without crack in its truth is'] = EMPTY_WORDS[empty]
    if args.crack_is_zero:
        done['0 is crack in'] = args.crack_is_zero
    if args.intervals or args.compare:
        done['intervals'] = (
            f'95 %, bootstrap over images, {args.resamples} draws, seed '
            f'{args.seed}')
    done['images'] = str(images)
    done["a processor's seconds for an image"] = (
        f'{scored.read_seconds:.3f} to read, {scored.score_seconds:.3f} to '
        'score')
    return done


def evaluate(args: argparse.Namespace) -> tuple[dict, dict]:
    """Score the folders of a command line.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        tuple[dict, dict]: The report and the rows by role.

    Raises:
        ValueError: If the input is not usable.
        FileNotFoundError: If a folder is missing.
    """
    from mmcrack.datasets import predictions as files
    from mmcrack.evaluation.folders import score_cases
    from mmcrack.evaluation.report import describe_comparison, describe_set
    from mmcrack.evaluation.scores import find_protocol
    check_numbers(args)
    protocol = find_protocol(args.protocol) if args.protocol else None
    suites = suites_of(args, protocol)
    folders, suffixes = folders_of(args)
    matching = files.match_folders(
        folders, suffixes=suffixes, two_way=(PREDICTION, COMPARED),
        allow_missing=args.allow_missing)
    if args.prob:
        for role in (PREDICTION, COMPARED):
            if role in folders:
                files.check_probabilities(matching.cases, role)
    threshold = args.threshold
    if threshold is None:
        threshold = protocol.threshold if protocol else 0.5
    inverted = {None: (), 'gt': (files.TRUTH, SECOND),
                'pred': (PREDICTION, COMPARED),
                'both': (files.TRUTH, SECOND, PREDICTION, COMPARED)}
    reading = files.Reading(
        probabilities=args.prob, threshold=threshold,
        ignore_value=args.ignore_value,
        inverted=inverted[args.crack_is_zero], valid=VALID,
        variance=VARIANCE, masks=(SECOND, ),
        predictions=(PREDICTION, COMPARED))
    scored = score_cases(
        matching.cases, functools.partial(files.read_case, reading=reading),
        suites, workers=args.workers)
    chance = dict(seed=args.seed, resamples=args.resamples)
    empty = args.empty or (protocol.empty if protocol else 'skip')
    document = dict(
        done=what_was_done(args, protocol, threshold, empty, scored,
                           len(matching.cases)),
        protocol=None if protocol is None else protocol.name,
        images=len(matching.cases), left_out=matching.missing,
        shown=shown_figures(suites[PREDICTION], protocol),
        sets={role: describe_set(suite, scored.rows[role],
                                 intervals=args.intervals, **chance)
              for role, suite in suites.items()})
    if args.compare:
        document['comparison'] = describe_comparison(
            suites[PREDICTION], scored.rows[PREDICTION],
            scored.rows[COMPARED], **chance)
    return document, scored.rows


def shown_figures(suite: Any, protocol: Any) -> list:
    """Return the figures for a table of sources."""
    there = [figure.name for figure in suite.figures]
    wanted = protocol.figures if protocol else SHOWN
    return [x for x in wanted if x in there] or there[:MAX_SHOWN]


def rows_for_table(rows: dict) -> list:
    """Return a row for each image and folder, for ``--per-image``."""
    from mmcrack.evaluation.scores import plain_rows
    if len(rows) == 1:
        return plain_rows(next(iter(rows.values())))
    titled = [dict(set=role, **row) for role in rows
              for row in plain_rows(rows[role])]
    keys = dict.fromkeys(key for row in titled for key in row)
    return [{key: row.get(key, '') for key in keys} for row in titled]


def main(argv: Sequence[str] | None = None) -> dict:
    """Score, print and write; return the report.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        dict: The report.

    Raises:
        ValueError: If the input is not usable.
        FileNotFoundError: If a folder is missing.
    """
    from mmcrack.evaluation.report_formats import (
        as_text,
        write_report,
        write_rows,
    )
    args = parse_args(argv)
    document, rows = evaluate(args)
    print(as_text(document), end='')
    if args.out:
        write_report(document, args.out)
        print(f'\nThe report is in {args.out}')
    if args.per_image:
        write_rows(rows_for_table(rows), args.per_image)
        print(f'\nThe figures of each image are in {args.per_image}')
    return document


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'evaluate.py')


if __name__ == '__main__':
    sys.exit(command())
