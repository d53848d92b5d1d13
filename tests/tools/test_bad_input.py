"""Each error of the user's ends in one sentence; a bug in a traceback."""

import pickle
import shutil

import cv2
import numpy as np
import pytest
import torch


class Evil:
    """Creates a file while it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, 'w')


@pytest.fixture
def fails(run, tmp_path):
    """Run a command that must fail, and return its one sentence."""

    def call(name, *arguments):
        code, said = run(name, *arguments, '--work-dir', tmp_path / 'work')
        assert code == 2
        lines = [line for line in said.splitlines()
                 if line.startswith(f'{name}.py: error: ')]
        assert len(lines) == 1
        assert said.rstrip().endswith(lines[0])
        assert 'Traceback' not in said
        return lines[0].removeprefix(f'{name}.py: error: ')

    return call


def test_config_that_does_not_exist(fails, trained):
    wrong = trained[0].replace('trained.py', 'trianed.py')
    sentence = fails('train', wrong)
    assert f'The config {wrong!r} does not exist.' in sentence
    assert 'Nearest: ' in sentence
    assert 'trained.py' in sentence


def test_config_with_a_syntax_error(fails, tmp_path):
    (tmp_path / 'broken.py').write_text('model = dict(\n')
    sentence = fails('train', tmp_path / 'broken.py')
    assert 'broken.py' in sentence
    assert 'cannot be read' in sentence


def test_config_whose_base_does_not_exist(fails, tmp_path):
    (tmp_path / 'child.py').write_text("_base_ = './no_such_parent.py'\n")
    assert 'no_such_parent.py' in fails('train', tmp_path / 'child.py')


@pytest.mark.parametrize(('option', 'words'), [
    ('model.decode_head.chanels=3',
     ["FCNHead has no argument 'chanels'", "Did you mean 'channels'"]),
    ('model.backbone.base_chanels=3',
     ["UNet has no argument 'base_chanels'", "'base_channels'"]),
    ('train_dataloader.batch_sise=3',
     ["DataLoader has no argument 'batch_sise'", "'batch_size'"]),
    ('optim_wrapper.optimizer.momentun=0.1',
     ["SGD has no argument 'momentun'", "'momentum'"]),
    ('default_hooks.logger.intervall=2',
     ["LoggerHook has no argument 'intervall'", "'interval'"]),
    ('model.decode_head.type=FCNHeat',
     ["type='FCNHeat', which is not a registered model", "'FCNHead'"]),
    ('model.decode_head.type=mmcrack.CBPRNHaed',
     ["type='mmcrack.CBPRNHaed'", "'mmcrack.CBPRNHead'"]),
    ('modle.decode_head.channels=3',
     ["no key 'modle'", "Did you mean 'model'"]),
    ('train_dataloader.dataset.pipeline.7.type=X',
     ['--cfg-options train_dataloader.dataset.pipeline.7.type']),
    ('first_stage.checkpont=a.pth',
     ["first_stage takes the keys 'checkpoint' and 'command'"]),
    ('load_from=nowhere.pth',
     ["The checkpoint 'nowhere.pth' of load_from does not exist"]),
])
def test_wrong_config_key(fails, trained, option, words):
    sentence = fails('train', trained[0], '--cfg-options', option)
    for word in words:
        assert word in sentence


def test_missing_argument(fails, vary):
    config = vary('lacking', "model['decode_head'].pop('channels')\n")
    sentence = fails('train', config)
    assert 'needs the argument' in sentence
    assert "'channels'" in sentence
    assert "type='FCNHead'" in sentence


def test_missing_data_root(fails, vary):
    config = vary('no_data', """
train_dataloader['dataset'].update(data_root='no/such/folder')
""")
    sentence = fails('train', config)
    assert 'no/such/folder' in sentence
    assert 'data_root' in sentence


def crack_data(tiny_data, tmp_path):
    """Copy the tiny data, for something to be broken in it."""
    root = tmp_path / 'data'
    shutil.copytree(tiny_data, root)
    return root


CRACK = """
pipeline = [dict(type='mmcrack.LoadCrackImage'),
            dict(type='mmcrack.LoadCrackAnnotations'),
            dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=2, num_workers={workers},
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='mmcrack.CrackDataset', data_root={root!r},
                 data_prefix=dict(img_path='images/train',
                                  seg_map_path='masks/train'),
                 pipeline=pipeline))
"""


@pytest.mark.parametrize('workers', [0, 1])
def test_corrupt_image_is_named(fails, vary, tiny_data, tmp_path, workers):
    root = crack_data(tiny_data, tmp_path)
    broken = root / 'images' / 'train' / 'train_3.png'
    broken.write_bytes(broken.read_bytes()[:300])
    config = vary('corrupt', CRACK.format(workers=workers, root=str(root)))
    sentence = fails('train', config)
    assert 'train_3.png' in sentence
    assert 'worker process' not in sentence


def replace_mask(root, array, suffix='.png'):
    (root / 'masks/train/train_3.png').unlink()
    cv2.imwrite(str(root / f'masks/train/train_3{suffix}'), array)


def another_size(root):
    replace_mask(root, np.zeros((48, 63), np.uint8))


def three_values(root):
    replace_mask(root, np.arange(48 * 64).reshape(48, 64) % 3)


def noisy_jpeg(root):
    noise = np.random.default_rng(0).integers(0, 256, (48, 64))
    replace_mask(root, noise.astype(np.uint8), '.jpg')


def no_files(root):
    for path in (root / 'images/train').iterdir():
        path.unlink()


def cut_jpeg(root):
    path = root / 'images/train/train_3.png'
    image = cv2.imread(str(path))
    path.unlink()
    cv2.imwrite(str(path.with_suffix('.jpg')), image)
    data = path.with_suffix('.jpg').read_bytes()
    path.with_suffix('.jpg').write_bytes(data[:len(data) // 2])


@pytest.mark.parametrize(('spoil', 'words'), [
    (another_size, ['train_3.png', '63 x 48', '64 x 48']),
    (three_values, ['train_3.png', '{0, 1, 2}']),
    (noisy_jpeg, ['train_3.jpg']),
    (no_files, ['images/train']),
    (cut_jpeg, ['train_3.jpg', 'copy it again']),
])
def test_wrong_data_is_named(fails, vary, tiny_data, tmp_path, spoil, words):
    root = crack_data(tiny_data, tmp_path)
    spoil(root)
    sentence = fails('train', vary(
        'spoilt', CRACK.format(workers=0, root=str(root))))
    for word in words:
        assert word in sentence


def test_an_unreadable_image_may_be_skipped(run, vary, tiny_data, tmp_path):
    root = crack_data(tiny_data, tmp_path)
    cut_jpeg(root)
    config = vary('skipping', CRACK.format(workers=0, root=str(root)))
    assert run('train', config, '--work-dir', tmp_path / 'skipped',
               '--cfg-options', 'train_cfg.max_epochs=1',
               'train_dataloader.dataset.skip_unreadable=True')[0] == 0
    assert (tmp_path / 'skipped' / 'epoch_1.pth').is_file()


def test_missing_crack_data(fails, vary):
    config = vary('nothing', CRACK.format(workers=0, root='no/such/root'))
    assert 'no/such/root' in fails('train', config)


def test_amp_with_another_wrapper(fails, vary):
    config = vary('apex', "optim_wrapper['type'] = 'ApexOptimWrapper'\n")
    assert "got 'ApexOptimWrapper'" in fails('train', config, '--amp')


def test_launcher_without_its_environment(fails, trained, monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    sentence = fails('train', trained[0], '--launcher', 'pytorch')
    assert 'torchrun' in sentence
    assert 'RANK' in sentence


def test_option_without_a_value(run, trained):
    with pytest.raises(SystemExit) as error:
        run('train', trained[0], '--cfg-options', 'model.decode_head')
    assert error.value.code == 2


def test_config_without_test_parts(fails, tmp_path):
    (tmp_path / 'only_model.py').write_text("model = dict(type='X')\n")
    sentence = fails('test', tmp_path / 'only_model.py', 'any.pth')
    assert 'it has no test_dataloader, no test_cfg, no test_evaluator' in (
        sentence)


def test_checkpoint_that_does_not_exist(fails, trained):
    sentence = fails('test', trained[0], 'no/such.pth')
    assert "The checkpoint 'no/such.pth' does not exist." in sentence


@pytest.mark.parametrize('content', [
    b'', b'no checkpoint', b'PK\x03\x04cut', b'\x80\x02', 'half'])
def test_unreadable_checkpoint(fails, trained, tmp_path, content):
    if content == 'half':
        content = trained[1].read_bytes()
        content = content[:len(content) // 2]
    path = tmp_path / 'bad.pth'
    path.write_bytes(content)
    sentence = fails('test', trained[0], path)
    assert 'bad.pth' in sentence
    assert 'damaged' in sentence


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('command', ['test', 'load_from', 'resume'])
def test_checkpoint_that_runs_code(fails, trained, tmp_path, command,
                                   legacy):
    victim, path = tmp_path / 'made_by_pickle', tmp_path / 'evil.pth'
    evil = dict(state_dict={'a': torch.ones(1)}, meta=Evil(victim))
    if legacy:
        path.write_bytes(pickle.dumps(evil))
    else:
        torch.save(evil, path)
    arguments = {
        'test': ['test', trained[0], path],
        'resume': ['train', trained[0], '--resume', path],
        'load_from': ['train', trained[0], '--cfg-options',
                      f'load_from={path}'],
    }[command]
    sentence = fails(*arguments)
    assert not victim.exists()
    assert 'could run code' in sentence
    assert 'MMCRACK_TRUST_CHECKPOINT=1' in sentence


def test_checkpoint_of_another_model(fails, trained, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'a': torch.ones(1)}, meta={}), path)
    words = 'The checkpoint is of another model: none of the'
    assert words in fails('test', trained[0], path)
    assert words in fails('train', trained[0], '--cfg-options',
                          f'load_from={path}')


def test_checkpoint_of_another_size(fails, trained, vary):
    wide = vary('wide', "model['backbone']['base_channels'] = 8\n"
                "model['decode_head']['in_channels'] = 8\n")
    sentence = fails('test', wide, trained[1])
    assert 'The checkpoint is not of this model' in sentence
    assert 'of another shape' in sentence
    assert 'wanted (8, 3, 3, 3), got (4, 3, 3, 3)' in sentence
    assert 'give the config with which' in sentence


def test_a_bug_shows_its_traceback(run, vary, tmp_path, monkeypatch):
    source = tmp_path / 'buggy_head.py'
    source.write_text(
        'from mmseg.models import FCNHead\n'
        'from mmseg.registry import MODELS\n'
        '@MODELS.register_module(force=True)\n'
        'class BuggyHead(FCNHead):\n'
        '    def forward(self, inputs):\n'
        '        return inputs[17]\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    config = vary('bug', "model['decode_head']['type'] = 'BuggyHead'\n"
                  "custom_imports = dict(imports=['buggy_head'])\n")
    with pytest.raises((IndexError, KeyError)):
        run('train', config, '--work-dir', tmp_path / 'bug')


def test_debug_shows_the_traceback(run, monkeypatch):
    monkeypatch.setenv('MMCRACK_DEBUG', '1')
    with pytest.raises(FileNotFoundError, match='does not exist'):
        run('train', 'no/such/config.py')
