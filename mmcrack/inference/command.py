"""The command ``mmcrack infer``, which is ``tools/infer.py`` too."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from mmcrack.engine.launch import KeyValues
from mmcrack.engine.sentences import run_tool
from mmcrack.inference.backend import PRECISIONS, Backend, TorchBackend
from mmcrack.inference.crack_page import ReportHook
from mmcrack.inference.folder import Outcome, infer_folder
from mmcrack.inference.inferencer import CrackInferencer
from mmcrack.inference.onnx_runtime import OnnxSegmentor
from mmcrack.inference.outputs import PhotographHook, RunHook, Wanted
from mmcrack.inference.processes import Processes
from mmcrack.measurement.scale import check_scale

#: Exit status: all is done; photographs failed; the command cannot run.
DONE, SOME_FAILED, UNUSABLE = 0, 1, 2


def _torch(args: argparse.Namespace, device: str | None) -> Backend:
    return TorchBackend(
        args.config, args.checkpoint, device=device,
        cfg_options=args.cfg_options, **_given(
            args, 'crack_class', 'precision', 'channels_last', 'compile'))


def _onnxruntime(args: argparse.Namespace, device: str | None) -> Backend:
    """Run a file of tools/export_onnx.py; the config says nothing new."""
    torch_only = _given(
        args, 'crack_class', 'precision', 'channels_last', 'compile')
    if args.cfg_options:
        torch_only['cfg_options'] = args.cfg_options
    if torch_only:
        option = next(iter(torch_only)).replace('_', '-')
        raise ValueError(
            f'--{option} is for --backend torch: an exported network is what '
            'it was when tools/export_onnx.py wrote it.')
    if args.config != '-' and not Path(args.config).is_file():
        raise FileNotFoundError(
            f'There is no config {args.config!r}: with --backend onnxruntime '
            "the config is not read, '-' will do.")
    providers = None
    if device is not None and device != 'cpu':
        providers = ['CUDAExecutionProvider', 'CPUExecutionProvider']
    return OnnxSegmentor(args.checkpoint, threads=torch.get_num_threads(),
                         providers=providers)


#: What can run the network: name -> function of the command line and the
#: device, see :class:`mmcrack.inference.backend.Backend`.
BACKENDS: dict[str, Callable[[argparse.Namespace, str | None], Backend]] = {
    'torch': _torch,
    'onnxruntime': _onnxruntime,
}


def hooks_of(args: argparse.Namespace
             ) -> tuple[list[PhotographHook], list[RunHook]]:
    """Return what else is done with each photograph and at the end.

    Measurements are added here, by their options.

    Args:
        args (argparse.Namespace): The command line.

    Returns:
        tuple[list, list]: Hooks of photographs and of the run.

    Raises:
        ValueError: If the report lacks what it needs.
    """
    scale = getattr(args, 'mm_per_px', None)
    if not getattr(args, 'report', False):
        if scale is not None:
            raise ValueError('--mm-per-px is for --report: add it.')
        return [], []
    if not getattr(args, 'mask', True):
        raise ValueError('--report needs the masks: leave out --no-mask.')
    if scale is None:
        return [], [ReportHook()]
    check_scale(scale, name='--mm-per-px')
    return [], [ReportHook(lambda record: scale)]


def parse_args(argv: Sequence[str] | None, program: str
               ) -> argparse.Namespace:
    """Read the command line; what is not given is left to the classes."""
    parser = argparse.ArgumentParser(
        prog=program, argument_default=argparse.SUPPRESS,
        description='Find cracks on photographs of any size. Exit status: 0 '
        'all done, 1 some photographs could not be read (summary.json says '
        'which), 2 the command could not run. Started again it goes on.')
    add = parser.add_argument
    add('config', help='config file, any of MMSegmentation')
    add('checkpoint', help='its weights')
    add('inputs', nargs='+', metavar='INPUT',
        help='photographs, folders or patterns')
    add('--out', required=True, metavar='DIR', help='folder for results')
    wanted = parser.add_argument_group('results')
    add = wanted.add_argument
    add('--no-mask', dest='mask', action='store_false',
        help='leave out masks (masks/NAME.png, 0 and 255)')
    add('--probability', choices=('uint8', 'float16'),
        help='write probabilities as PNG (255 is 1) or as .npy')
    add('--variance', action='store_true',
        help="write the network's variance, where it predicts one (CIRL)")
    add('--overlay', action='store_true',
        help='write small pictures with the cracks drawn on them')
    add('--overlay-edge', type=int, metavar='PIXELS',
        help='longest edge of these pictures (default '
        f'{Wanted._field_defaults["overlay_edge"]})')
    add('--polygons', action='store_true',
        help='write outlines: GeoJSON for each, COCO for all')
    add('--report', action='store_true',
        help='measure the cracks and write report/index.html, a page to '
        'look at; tools/analysis/crack_report.py has more options')
    add('--mm-per-px', type=float, metavar='MM',
        help='of --report: what a pixel measures on the surface')
    add('--overwrite', action='store_true',
        help='begin anew in a folder that holds results')
    network = parser.add_argument_group('network')
    add = network.add_argument
    add('--backend', choices=sorted(BACKENDS), default='torch',
        help="what runs the network (default %(default)s); 'onnxruntime' "
        'takes a file of tools/export_onnx.py for the checkpoint')
    add('--device', help='cpu, cuda, cuda:1 (default: a GPU if there is one)')
    add('--tile-size', type=int, metavar='PIXELS',
        help='greatest edge of a tile; 0: whole photographs')
    add('--overlap', type=int, metavar='PIXELS',
        help='least overlap of neighbouring tiles')
    add('--margin', type=int, metavar='PIXELS',
        help='inner edge of a tile that does not count (default: a quarter '
        'of the overlap)')
    add('--batch-size', type=int, metavar='TILES', help='tiles at a time')
    add('--threshold', type=float, help='a pixel above it is crack')
    add('--crack-class', type=int, help='channel of crack')
    add('--precision', choices=sorted(PRECISIONS), help='arithmetic')
    add('--channels-last', action='store_true', help='memory format')
    add('--compile', action='store_true', help='use torch.compile')
    add('--max-megapixels', type=float, metavar='N',
        help='larger photographs are refused, if they are no TIFF, which is '
        'read piece by piece')
    add('--cfg-options', nargs='+', action=KeyValues, default=None,
        metavar='KEY=VALUE', help='override settings of the config')
    add('--launcher', choices=('none', 'pytorch', 'slurm'), default='none',
        help='share the photographs among processes')
    add('--local_rank', '--local-rank', type=int, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _given(args: argparse.Namespace, *names: str) -> dict:
    """Return those options that stand on the command line."""
    return {name: getattr(args, name) for name in names if name in args}


def main(argv: Sequence[str] | None = None,
         program: str = 'mmcrack infer') -> int:
    """Predict photographs and write results.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.
        program (str): Name for the help.

    Returns:
        int: 0, or 1 if some photographs failed.
    """
    args = parse_args(argv, program)
    if getattr(args, 'tile_size', None) == 0:
        args.tile_size = None
    photograph_hooks, run_hooks = hooks_of(args)
    processes = Processes(args.launcher)
    backend = BACKENDS[args.backend](
        args, processes.device(getattr(args, 'device', None)))
    inferencer = CrackInferencer(
        backend=backend, with_variance=getattr(args, 'variance', False),
        **_given(args, 'tile_size', 'overlap', 'margin', 'batch_size',
                 'threshold', 'max_megapixels'))
    if getattr(args, 'variance', False) and not inferencer.with_variance:
        raise ValueError('--variance: this network predicts no variance; '
                         'leave it out, or use one trained with CIRLHead.')
    outcome = infer_folder(
        inferencer, args.inputs, args.out,
        wanted=Wanted(**_given(args, *Wanted._fields)),
        overwrite=getattr(args, 'overwrite', False), processes=processes,
        photograph_hooks=photograph_hooks, run_hooks=run_hooks)
    if processes.rank == 0:
        _tell(outcome, args.out)
    processes.leave()
    return SOME_FAILED if outcome.failed else DONE


def _tell(outcome: Outcome, out: str) -> None:
    """Say how the run ended."""
    words = [f'{outcome.done} photographs done']
    if outcome.kept:
        words.append(f'{outcome.kept} were done before')
    if outcome.failed:
        words.append(f'{len(outcome.failed)} failed (see summary.json)')
    print(f'{", ".join(words)}; results are in {out}')


def command(argv: Sequence[str] | None = None,
            program: str = 'mmcrack infer') -> int:
    """Run :func:`main`; the user's errors end in one sentence.

    Args:
        argv (Sequence[str], optional): Arguments; None reads the command
            line.
        program (str): Name for messages.

    Returns:
        int: Exit status, see ``--help``.
    """
    status = [DONE]

    def run() -> None:
        status[0] = main(argv, program)

    try:
        return run_tool(run, program) or status[0]
    except KeyboardInterrupt:
        print('interrupted; started again it goes on', file=sys.stderr)
        return 130
