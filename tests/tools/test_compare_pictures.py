"""Pictures of systems: from networks and from folders of masks."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def masks(tiny_data, tmp_path):
    """A folder with the truth as masks, in 0 and 255."""
    folder = tmp_path / 'masks'
    folder.mkdir()
    for path in (tiny_data / 'masks/test').glob('*.png'):
        cv2.imwrite(str(folder / path.name), cv2.imread(str(path), 0) * 255)
    return folder


def test_a_network_beside_its_own_masks_and_the_truth(
        trained, masks, tool, run, tmp_path, capsys):
    config, checkpoint, _ = trained
    out = tmp_path / 'predicted'
    assert run('test', config, checkpoint, '--out', out, '--work-dir',
               tmp_path / 'w')[0] == 0
    capsys.readouterr()
    files = tool('analysis/compare_pictures').main([
        '--system', 'network', config, str(checkpoint), '--system', 'saved',
        str(out), '--system', 'truth', str(masks), '--images', '2', '--out',
        str(tmp_path / 'drawn')])
    said = capsys.readouterr().out
    lines = {line.partition(':')[0]: line.partition(':')[2]
             for line in said.splitlines() if ': IoU' in line}
    # What the network predicts here is what the test saved.
    assert lines['network'] == lines['saved']
    assert lines['truth'].count('100.0') == 2
    assert [path.name for path in files][-1] == 'all.png'
    assert len(files) == 3
    pictures = [cv2.imread(str(path)) for path in files]
    assert pictures[2].shape[0] > pictures[0].shape[0]
    assert len(np.unique(pictures[0].reshape(-1, 3), axis=0)) > 50


def test_given_boxes_and_named_images(trained, masks, tool, tmp_path):
    compare = tool('analysis/compare_pictures')
    options = ['--data', trained[0], '--system', 'truth', str(masks),
               '--images', 'test_1.png', '--out', str(tmp_path / 'd')]
    files = compare.main([*options, '--box', 'test_1:4,4,20,16'])
    assert [path.name for path in files] == ['test_1.png', 'all.png']
    with pytest.raises(ValueError, match=r"--box names 'other'"):
        compare.main([*options, '--box', 'other.png:4,4,20,16'])
    with pytest.raises(ValueError, match='does not lie in the image'):
        compare.main([*options, '--box', '60,4,20,16'])


def test_masks_that_do_not_fit(tool, tmp_path):
    compare = tool('analysis/compare_pictures')
    with pytest.raises(FileNotFoundError, match='no mask'):
        compare.folder_mask(tmp_path, 'a', (4, 6))
    cv2.imwrite(str(tmp_path / 'a.png'), np.eye(6, dtype=np.uint8)[:4])
    assert compare.folder_mask(tmp_path, 'a', (4, 6)).sum() == 4
    with pytest.raises(ValueError, match=r'of 4 x 4 pixels, got 6 x 4'):
        compare.folder_mask(tmp_path, 'a', (4, 4))


@pytest.mark.parametrize(('options', 'words'), [
    (['--system', 'a'], 'NAME CONFIG CHECKPOINT or NAME FOLDER'),
    (['--system', 'a', 'b'], 'folders of masks need --data'),
    (['--system', 'a', 'b', 'c', '--system', 'a', 'd'], 'may stand once'),
    (['--system', 'a', 'b', 'c', '--box', '1,2,3'], 'LEFT,TOP,WIDTH,HEIGHT'),
    (['--system', 'a', 'b', 'c', '--zoom', '0'], 'at least 1')])
def test_wrong_options(tool, capsys, options, words):
    with pytest.raises(SystemExit):
        tool('analysis/compare_pictures').main(options)
    assert words in capsys.readouterr().err
