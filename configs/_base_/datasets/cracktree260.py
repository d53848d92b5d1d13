# Zou et al. 2019: train on CrackTree260 (800 x 600 and 960 x 720), test on
# CRKWH100; for CrackLS315 and Stone331 set
# test_dataloader.dataset.data_root. All four label by lines of one pixel:
# score with a tolerance of 2 pixels. There is no val: `val` looks at twenty
# training photographs again, to show whether training goes on.
_base_ = './cfd.py'
train_data_root = '{{$MMCRACK_DATA:data}}/cracktree260'
test_data_root = '{{$MMCRACK_DATA:data}}/crkwh100'
train_dataloader = dict(
    dataset=dict(
        type='mmcrack.CrackDataset',
        data_root=train_data_root,
        prepare='python tools/dataset_converters/cracktree260.py SOURCE OUT'))
val_dataloader = dict(
    dataset=dict(
        type='mmcrack.CrackDataset',
        data_root=train_data_root,
        data_prefix=dict(
            img_path='images/train', seg_map_path='masks/train'),
        indices=20,
        prepare='python tools/dataset_converters/cracktree260.py SOURCE OUT'))
test_dataloader = dict(
    dataset=dict(
        type='mmcrack.CrackDataset',
        data_root=test_data_root,
        # what is no stone in Stone331
        ignore_value=255,
        prepare='python tools/dataset_converters/crkwh100.py SOURCE OUT'))
