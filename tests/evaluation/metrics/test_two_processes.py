import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name('score_five_images.py')


def score_here(out):
    """Run the script's work in this process."""
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.score(str(out))


@pytest.mark.slow
def test_two_processes_get_the_figures_of_one(tmp_path, repository):
    alone, together = tmp_path / 'one.json', tmp_path / 'two.json'
    paths = [str(repository), os.environ.get('PYTHONPATH')]
    environment = {
        **os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))
    }
    running = [
        subprocess.Popen(
            [sys.executable, SCRIPT, together,
             str(rank), '2', tmp_path / 'init'],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True) for rank in range(2)
    ]
    score_here(alone)
    for process in running:
        text = process.communicate(timeout=300)[0]
        assert process.returncode == 0, text
    one, two = (json.loads(x.read_text()) for x in (alone, together))
    # The sampler fills the last round up: the sixth is the first again.
    assert (one['dealt'], two['dealt']) == (5, 6)
    assert two['figures'] == one['figures']
    assert one['figures']['crack/images'] == 5
    assert one['figures']['crack/images_without_crack'] == 1
    assert one['figures']['crack/mBA_images'] == 4
    assert one['figures']['crack/mBA_IoU_images_without_boundary'] == 1
    assert not any(map(math.isnan, one['figures'].values()))
    names = [row['image'] for row in two['rows']]
    assert names == [f'images/crack_{i}.jpg' for i in range(5)]
    tables = [Path(f'{x}.csv').read_text() for x in (alone, together)]
    assert tables[0] == tables[1]
    assert tables[0].count('\n') == 6
