"""Do the installed OpenMMLab packages fit mmcrack, and each other?

Two families install under the same import names (``mmcv``, ``mmengine``,
``mmseg``, ``mmpretrain``): the maintained ``onedl-*`` distributions and
OpenMMLab's originals. mmcrack works with either, never with a mixture.
:func:`check_versions` says in one sentence what is wrong and which command
mends it; ``mmcrack.registry`` calls it before it imports anything else.

The decision rests on the metadata of the installed distributions; none of
the packages is imported for it. ``torchvision`` alone is imported, and only
if its metadata make it suspect.
"""

import re
from collections.abc import Mapping
from importlib import import_module, metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from mmcrack.version import __version__

FAMILIES: dict[str, dict[str, str]] = {
    'onedl': {
        'onedl-mmcv': '>=2.3,<3',
        'onedl-mmengine': '>=0.10.8,<1',
        'onedl-mmsegmentation': '>=1.3,<2',
        'onedl-mmpretrain': '>=1.3,<2',
    },
    'openmmlab': {
        'mmcv': '>=2.1,<2.2',
        'mmengine': '>=0.10.7,<0.11',
        'mmsegmentation': '>=1.2.2,<1.3',
        'mmpretrain': '>=1.2,<1.3',
    },
}
"""Distribution -> the versions that mmcrack works with, per family."""

LITE_BUILDS: tuple[str, ...] = ('mmcv-lite', 'mmcv-full')
"""Other distributions that also install the package ``mmcv``."""

TORCH_RANGE = '>=2.4'
"""The versions of torch that mmcrack works with."""

PIP = 'python -m pip'


class IncompatibleVersionError(RuntimeError):
    """The installed packages do not fit mmcrack or each other.

    It is no ``ImportError`` on purpose: MMEngine's registries catch those
    while they import ``mmcrack.registry`` and go on with a misleading
    ``KeyError``, and its config loader replaces their message.
    """


def check_versions() -> None:
    """Raise unless mmcrack can work with the installed packages.

    Checks, in this order: two distributions that install the same package;
    packages of both families; a missing package; a version outside the
    bounds of :data:`FAMILIES` and :data:`TORCH_RANGE`; a torchvision that
    was not built for the installed torch.

    Raises:
        IncompatibleVersionError: With one sentence that names each package,
            the version found, the bounds, and the command that mends it.
    """
    found = installed_versions()
    problem = (
        _overlaid(found) or _mixed(found) or _missing(found)
        or _out_of_bounds(found) or _unfit_torchvision(found))
    if problem:
        raise IncompatibleVersionError(problem)


def installed_versions() -> dict[str, str]:
    """Return the distributions that :func:`check_versions` looks at.

    Returns:
        dict[str, str]: Name -> version of those that are installed, in a
        fixed order.
    """
    names = [*FAMILIES['onedl'], *FAMILIES['openmmlab'], *LITE_BUILDS]
    found = {}
    for name in [*names, 'torch', 'torchvision']:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if version:  # None: the rest of a broken uninstallation
            found[name] = version
    return found


def _package_of(distribution: str) -> str:
    """Package that a distribution installs: the key of an overlay."""
    if distribution in LITE_BUILDS:
        return 'mmcv'
    return distribution.removeprefix('onedl-')


def _members(found: Mapping[str, str], family: str) -> list[str]:
    """Installed distributions of one family, lite builds included."""
    extra = LITE_BUILDS if family == 'openmmlab' else ()
    return [d for d in (*FAMILIES[family], *extra) if d in found]


def _likely_family(found: Mapping[str, str]) -> str:
    """The family of which more is installed; on a tie, the default."""
    sizes = {f: len(_members(found, f)) for f in FAMILIES}
    return max(sizes, key=sizes.__getitem__)  # first of equals: onedl


def _listed(found: Mapping[str, str], names: list[str]) -> str:
    """``'a 1.0, b 2.0 and c 3.0'``."""
    items = [f'{name} {found[name]}' for name in names]
    return ' and '.join(filter(None, [', '.join(items[:-1]), items[-1]]))


def _install(names: list[str]) -> str:
    """Command that installs fitting versions of the distributions."""
    ranges = {**FAMILIES['onedl'], **FAMILIES['openmmlab']}
    wanted = ' '.join(f'"{n}{ranges[n]}"' for n in names)
    if 'mmsegmentation' in names:  # imports both, and declares neither
        wanted += ' ftfy regex'
    if 'mmcv' in names:  # its setup.py needs torch and pkg_resources
        return (f'`{PIP} install "setuptools<81" wheel ninja` and then '
                f'`{PIP} install --no-build-isolation {wanted}`')
    return f'`{PIP} install {wanted}`'


def _cure(found: Mapping[str, str], doomed: list[str]) -> str:
    """Remove what must go, then install one whole family."""
    family = _likely_family(found)
    return (f'run `{PIP} uninstall -y {" ".join(doomed)}` and then '
            f'{_install(list(FAMILIES[family]))}')


def _overlaid(found: Mapping[str, str]) -> str | None:
    """Two distributions that wrote the same files."""
    members = [d for f in FAMILIES for d in _members(found, f)]
    by_package: dict[str, list[str]] = {}
    for name in members:
        by_package.setdefault(_package_of(name), []).append(name)
    pairs = [names for names in by_package.values() if len(names) > 1]
    if not pairs:
        return None
    lying = '; '.join(_listed(found, names) for names in pairs)
    # What overwrote what cannot be known: all of it goes.
    return (f'mmcrack {__version__} needs one OpenMMLab family, but '
            'distributions that install the same packages lie over each '
            f'other ({lying}): {_cure(found, members)}.')


def _mixed(found: Mapping[str, str]) -> str | None:
    """Packages of both families side by side."""
    members = {f: _members(found, f) for f in FAMILIES}
    if not all(members.values()):
        return None
    keep = _likely_family(found)
    (other, ) = set(FAMILIES) - {keep}
    return (f'mmcrack {__version__} needs one OpenMMLab family, but two are '
            f'mixed ({_listed(found, members["onedl"])} beside '
            f'{_listed(found, members["openmmlab"])}): '
            f'{_cure(found, members[other])}.')


def _missing(found: Mapping[str, str]) -> str | None:
    """Packages of the installed family that are not there."""
    family = _likely_family(found)
    missing = [d for d in FAMILIES[family] if d not in found]
    if not missing:
        return None
    wanted = ', '.join(f'{d}{FAMILIES[family][d]}' for d in missing)
    lite = [d for d in LITE_BUILDS if d in found]
    if lite:
        return (f'mmcrack {__version__} needs {wanted}, but '
                f'{_listed(found, lite)} is installed, which mmsegmentation '
                f'cannot use: {_cure(found, lite)}.')
    hint = ('' if _members(found, family) else
            ' (or "mmcrack[openmmlab]", OpenMMLab\'s original packages, of '
            'which none is installed either)')
    return (f'mmcrack {__version__} needs {wanted}, which '
            f'{"is" if len(missing) == 1 else "are"} not installed{hint}: '
            f'run {_install(missing)}.')


def _out_of_bounds(found: Mapping[str, str]) -> str | None:
    """Versions that are too old or too new."""
    ranges = {**FAMILIES[_likely_family(found)], 'torch': TORCH_RANGE}
    wrong = [
        name for name, bounds in ranges.items()
        if name in found and not _inside(found[name], bounds)
    ]
    if not wrong:
        return None
    clauses = ' and '.join(
        f'{name}{ranges[name]} but found {name} {found[name]}'
        for name in wrong)
    packages = [name for name in wrong if name != 'torch']
    commands = [_install(packages)] if packages else []
    if 'torch' in wrong:
        commands.insert(
            0, f'`{PIP} install --upgrade "torch{TORCH_RANGE}" torchvision`')
    return (f'mmcrack {__version__} needs {clauses}: '
            f'run {" and then ".join(commands)}.')


def _inside(version: str, bounds: str) -> bool:
    """Whether a version lies in a range; a local label plays no part."""
    try:
        public = Version(version).public
    except InvalidVersion:
        return False
    return SpecifierSet(bounds).contains(public, prereleases=True)


def _unfit_torchvision(found: Mapping[str, str]) -> str | None:
    """A torchvision built for another torch than the installed one.

    ``mmseg.datasets`` and ``mmpretrain`` import torchvision, which then
    dies of ``operator torchvision::nms does not exist``.
    """
    if 'torch' not in found:
        return None  # mmengine's own ImportError says it best
    if 'torchvision' not in found:
        return (f'mmcrack {__version__} needs a torchvision that fits torch '
                f'{found["torch"]}, and none is installed: '
                f'run {_install_torch_pair(found["torch"])}.')
    if not _suspect(found['torch'], found['torchvision']):
        return None
    try:
        import_module('torchvision')
    except (ImportError, RuntimeError, OSError, AttributeError) as error:
        reason = str(error).strip().splitlines()[:1]
        return (f'mmcrack {__version__} needs a torchvision that fits torch '
                f'{found["torch"]}, but torchvision {found["torchvision"]} '
                f'does not ({"".join(reason)}): '
                f'run {_install_torch_pair(found["torch"])}.')
    return None


def _suspect(torch_version: str, torchvision_version: str) -> bool:
    """Whether metadata hint at a torchvision made for another torch."""
    def label(version: str) -> str:
        return version.partition('+')[2]

    if label(torch_version) != label(torchvision_version):
        return True  # often harmless (aarch64, vendors' builds): import it
    for line in metadata.requires('torchvision') or ():
        requirement = Requirement(line)
        if requirement.name == 'torch':
            public = torch_version.partition('+')[0]
            return not requirement.specifier.contains(
                public, prereleases=True)
    return False


def _install_torch_pair(torch_version: str) -> str:
    """Command that installs torch and torchvision from one index."""
    label = torch_version.partition('+')[2]
    command = f'{PIP} install --force-reinstall torch torchvision'
    if re.fullmatch(r'cpu|cu\d+|rocm[\d.]+', label):
        command += f' --index-url https://download.pytorch.org/whl/{label}'
    return f'`{command}`'
