"""Make a page of one run or of several: figures, diagrams, pictures.

``python tools/analysis/report.py RUN... --gt MASKS --out report/`` takes
folders of predictions and writes ``index.html``, which needs no network,
and ``report.json``, as ``tools/evaluate.py`` writes it. A RUN holds masks,
or folders ``prob`` or ``probabilities`` and ``masks`` or ``predictions``
(as ``tools/infer.py`` leaves them); where all runs have probability maps
these are scored. A work folder with its config finds the truth and the
photographs itself. The first run is compared with each other one.
"""

import argparse
import functools
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

if importlib.util.find_spec('mmcrack') is None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

MAPS = ('probabilities', 'prob')
MASKS = ('masks', 'predictions', 'pred')
MASK_METRICS = ('pixel', 'mba', 'tolerance', 'cldice')
PROB_METRICS = ('curves', 'calibration')
PICTURES = ('.png', '.tif', '.tiff', '.bmp')


class Run(NamedTuple):
    """A run: its title and where its predictions are, if they are."""

    title: str
    maps: Path | None
    masks: Path | None


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description='Make a page of one run or of several.')
    add = parser.add_argument
    add('runs', nargs='*', type=Path, metavar='RUN',
        help='folder of predictions, or one with such folders')
    add('--pred', nargs='+', type=Path, default=[], metavar='DIR',
        help='folders of predictions, as tools/evaluate.py takes them')
    add('--gt', type=Path, metavar='DIR',
        help="true masks (default: of the first run's config)")
    add('--images', type=Path, metavar='DIR',
        help="photographs (default: of the first run's config, or none)")
    add('--out', type=Path, required=True, metavar='DIR')
    add('--titles', nargs='+', help='one for each run')
    add('--prob', action='store_true',
        help='RUN itself or --pred holds probability maps')
    add('--threshold', type=float, default=0.5, metavar='P',
        help='of probabilities: crack where p >= P (default %(default)s)')
    add('--metrics', nargs='+', metavar='NAME[:KEY=VALUE,...]',
        help='more than the usual ones, see tools/evaluate.py')
    add('--empty', choices=('skip', 'zero', 'one'), default='skip',
        help='what an image without crack in its truth scores (default '
        '%(default)s)')
    add('--ignore-value', type=int, metavar='V',
        help='value of true masks that marks pixels without a label')
    add('--allow-missing', action='store_true',
        help='leave out what has no partner of its name')
    for name, what in (('pred', 'predictions'), ('gt', 'true masks'),
                       ('images', 'photographs')):
        add(f'--{name}-suffix', nargs='+', metavar='ENDING',
            help=f'endings of {what} behind the common name')
    add('--widths', nargs='+', type=float, metavar='PX',
        default=[2, 4, 6, 10, 16, 24],
        help='limits of the width classes (default 2 4 6 10 16 24)')
    add('--shown', type=int, default=4, metavar='N',
        help='worst and best images to show (default %(default)s each)')
    add('--resamples', type=int, default=2000,
        help='of the bootstrap (default %(default)s)')
    add('--seed', type=int, default=0,
        help='of the bootstrap (default %(default)s)')
    add('--workers', type=int, default=1,
        help='processes (default %(default)s)')
    return parser.parse_args(argv)


def find_runs(args: argparse.Namespace) -> list[Run]:
    """Find the predictions of all runs.

    Raises:
        FileNotFoundError: If a folder is not there.
        ValueError: If there are none, too many, or a title too few.
    """
    from mmcrack.evaluation.report_page import MOST_RUNS
    folders = [*args.runs, *args.pred]
    if not 1 <= len(folders) <= MOST_RUNS:
        raise ValueError(f'Give one to {MOST_RUNS} runs, got '
                         f'{len(folders)}.')
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(
                f'The run {str(folder)!r} is no folder: check the path.')
    titles = args.titles or unlike_names(folders)
    if len(set(titles)) != len(folders):
        raise ValueError(f'--titles wants {len(folders)} different titles, '
                         f'one for each run, got {len(set(titles))}.')
    runs = []
    for title, folder in zip(titles, folders, strict=True):
        maps = first_filled(folder, MAPS)
        masks = first_filled(folder, MASKS)
        if folder in args.pred or (maps is None and masks is None):
            maps, masks = (folder, None) if args.prob else (None, folder)
        runs.append(Run(title, maps, masks))
    return runs


def first_filled(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first of these folders that holds pictures."""
    for name in names:
        inner = folder / name
        if inner.is_dir() and any(
                p.suffix.lower() in PICTURES for p in inner.rglob('*')):
            return inner
    return None


def unlike_names(folders: Sequence[Path]) -> list[str]:
    """Name each folder by as much of the end of its path as is needed."""
    parts = [folder.resolve().parts for folder in folders]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ['/'.join(p[-depth:]) for p in parts]
        if len(set(names)) == len(names):
            break
    return names


def configured_data(folder: Path) -> tuple[Path | None, Path | None]:
    """Return the folders of images and masks that a run's config tests.

    Args:
        folder (Path): Of a run, with its config or none.
    """
    configs = sorted(folder.glob('*.py')) if folder.is_dir() else []
    if len(configs) != 1:
        return None, None
    from mmcrack.engine.launch import load_config
    data = load_config(str(configs[0]), None).get('test_dataloader') or {}
    data = data.get('dataset') or {}
    while 'dataset' in data:
        data = data['dataset']
    root, prefix = Path(data.get('data_root') or ''), data.get(
        'data_prefix') or {}
    return tuple(
        root / prefix[key] if prefix.get(key) else None
        for key in ('img_path', 'seg_map_path'))


def choose_folders(runs: Sequence[Run], args: argparse.Namespace) -> bool:
    """Return whether probability maps are scored rather than masks.

    Raises:
        ValueError: If the runs have no kind in common.
    """
    if all(run.maps for run in runs):
        return True
    lacking = [run.title for run in runs if not run.masks]
    if lacking:
        raise ValueError(
            f'{" and ".join(lacking)} has probability maps only and another '
            'run masks only: save one kind for all.')
    return False


def build_suite(args: argparse.Namespace, probabilities: bool) -> Any:
    """Return what is taken of each image, the diagrams' rows last."""
    from mmcrack.evaluation.scores import Suite, build_scores
    from mmcrack.evaluation.scores.detail import (
        BoundaryErrorScore,
        WidthScore,
    )
    names = [*MASK_METRICS, *(PROB_METRICS if probabilities else ()),
             *(args.metrics or ())]
    scores = build_scores(names, empty=args.empty)
    for score in scores:
        if not probabilities and 'prob' in score.needs:
            raise ValueError(f'The metric {score.name!r} needs more than '
                             'masks: give probability maps with --prob.')
        if 'variance' in score.needs:
            raise ValueError(f'The metric {score.name!r} needs variance '
                             'maps: tools/evaluate.py takes them.')
    details = [WidthScore(empty=args.empty, limits=args.widths, reach=2),
               BoundaryErrorScore(empty=args.empty, limit=10)]
    return Suite([*scores, *details])


def check_numbers(args: argparse.Namespace) -> None:
    """Raise ValueError on a number out of range, before any work."""
    for name, least in (('workers', 1), ('resamples', 1), ('shown', 0)):
        if getattr(args, name) < least:
            raise ValueError(f'--{name} must be at least {least}, got '
                             f'{getattr(args, name)}.')
    if not 0 <= args.threshold <= 1:
        raise ValueError('--threshold must be a probability from 0 to 1, '
                         f'got {args.threshold}.')


def match_runs(runs: Sequence[Run], probabilities: bool,
               args: argparse.Namespace) -> tuple[Any, dict[str, str]]:
    """Match predictions, truth and photographs by name.

    Returns:
        tuple: The matching, and the title of each role.
    """
    from mmcrack.datasets import predictions as files
    images, truth = configured_data(args.runs[0]) if args.runs else (
        None, None)
    truth, images = args.gt or truth, args.images or images
    if truth is None:
        raise ValueError('Give the true masks with --gt DIR; only a work '
                         'folder that holds its config knows them itself.')
    roles = {f'prediction of {run.title}': run.title for run in runs}
    folders = {files.TRUTH: truth, **{
        role: run.maps if probabilities else run.masks
        for role, run in zip(roles, runs, strict=True)}}
    suffixes = {files.TRUTH: args.gt_suffix, 'photograph': args.images_suffix,
                **dict.fromkeys(roles, args.pred_suffix)}
    if images is not None:
        folders['photograph'] = images
    matching = files.match_folders(
        folders, suffixes={k: v for k, v in suffixes.items() if v},
        two_way=tuple(roles), allow_missing=args.allow_missing)
    if probabilities:
        for role in roles:
            files.check_probabilities(matching.cases, role)
    return matching, roles


def what_was_done(args: argparse.Namespace, matching: Any,
                  roles: dict[str, str], probabilities: bool) -> dict:
    """Say how the figures were made, a line each."""
    from mmcrack.datasets.predictions import TRUTH
    case = matching.cases[0]
    depth = case.name.count('/')
    done = {title: str(case.files[role].parents[depth])
            for role, title in roles.items()}
    done['ground truth'] = str(case.files[TRUTH].parents[depth])
    done['crack where'] = (
        f'p >= {args.threshold:g}, where one threshold is meant'
        if probabilities else 'the masks say so')
    done['an image without crack in its truth is'] = dict(
        skip='left out of means over images', zero='counted as 0',
        one='counted as 100, or 0 after a false alarm')[args.empty]
    done['intervals'] = (f'95 %, bootstrap over images, {args.resamples} '
                         f'draws, seed {args.seed}')
    done['images'] = str(len(matching.cases))
    return done


def describe(args: argparse.Namespace, suite: Any, rows: dict) -> tuple:
    """Make figures, comparisons and the diagrams' numbers of all rows."""
    from mmcrack.evaluation import report
    from mmcrack.evaluation.report_page import Details
    from mmcrack.evaluation.scores import columns_of
    from mmcrack.evaluation.scores.curves import CurveScore
    from mmcrack.evaluation.scores.detail import (
        error_summary,
        width_summary,
    )
    chance = dict(seed=args.seed, resamples=args.resamples)
    first, *others = rows
    sets, details = {}, {}
    curves = [s for s in suite.scores if isinstance(s, CurveScore)]
    for title, found in rows.items():
        print(f'Summing up {title}', file=sys.stderr, flush=True)
        sets[title] = report.describe_set(suite, found, intervals=True,
                                          **chance)
        details[title] = Details(
            curves[0].pooled_curve(columns_of(found)) if curves else None,
            width_summary(found, args.widths, **chance),
            error_summary(found))
    comparisons = {
        title: report.describe_comparison(suite, rows[first], rows[title],
                                          **chance) for title in others}
    return sets, comparisons, details


def main(argv: Sequence[str] | None = None) -> Path:
    """Score and write the page; return its file.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.

    Returns:
        Path: ``index.html``.

    Raises:
        ValueError: If the input is not usable.
        FileNotFoundError: If a folder is missing.
    """
    from mmcrack.datasets import predictions as files
    from mmcrack.datasets.images import read_image
    from mmcrack.evaluation.folders import score_cases
    from mmcrack.evaluation.report_formats import check_writable, write_report
    from mmcrack.evaluation.report_page import Shown, report_page
    args = parse_args(argv)
    check_numbers(args)
    runs = find_runs(args)
    probabilities = choose_folders(runs, args)
    suite = build_suite(args, probabilities)
    target = args.out / 'index.html'
    check_writable(target)
    matching, roles = match_runs(runs, probabilities, args)
    reading = files.Reading(
        probabilities=probabilities, threshold=args.threshold,
        ignore_value=args.ignore_value, inverted=(), valid='', variance='',
        masks=(), predictions=tuple(roles))
    read = functools.partial(files.read_case, reading=reading)
    scored = score_cases(matching.cases, read, dict.fromkeys(roles, suite),
                         workers=args.workers)
    rows = {title: scored.rows[role] for role, title in roles.items()}
    sets, comparisons, details = describe(args, suite, rows)
    document = dict(
        done=what_was_done(args, matching, roles, probabilities),
        protocol=None, images=len(matching.cases),
        left_out=matching.missing, shown=[], sets=sets,
        comparisons=comparisons, by_width={
            title: one.widths for title, one in details.items()},
        boundary_errors={
            title: one.errors for title, one in details.items()})
    by_name = {case.name: case for case in matching.cases}

    def show(name: str) -> Shown:
        case = by_name[name]
        found = read(case)
        first = found[next(iter(roles))]
        photograph = case.files.get('photograph')
        return Shown(
            photograph and read_image(photograph), first['target'] == 1,
            first['valid'], {title: found[role]['pred'] == 1
                             for role, title in roles.items()},
            {title: found[role]['prob'] for role, title in roles.items()
             if found[role]['prob'] is not None})

    page = report_page(document, rows, details, show, shown=args.shown,
                       reach=2)
    target.write_text(page, encoding='utf-8')
    write_report(document, args.out / 'report.json')
    print(f'The page is {target} ({target.stat().st_size / 1e6:.1f} MB)')
    return target


def command() -> int:
    """Run :func:`main`; the user's errors end in one sentence."""
    from mmcrack.engine.sentences import run_tool
    return run_tool(main, 'report.py')


if __name__ == '__main__':
    sys.exit(command())
