# OmniCrack30k, mixed sizes, official split. Images may be smaller than the
# crops: what is padded has no label. Many subsets are labelled by thin lines;
# its authors score centre lines with a tolerance of 4 pixels.
_base_ = './cfd.py'
data_root = '{{$MMCRACK_DATA:data}}/omnicrack30k'
dataset = dict(
    type='mmcrack.CrackDataset',
    data_root=data_root,
    prepare='python tools/dataset_converters/omnicrack30k.py SOURCE OUT')
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
