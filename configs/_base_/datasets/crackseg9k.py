# CrackSeg9k, 400 x 400, about 9 300 images of ten sets: 90 / 5 / 5 % (CIRL
# 4.1 cites these shares), by photograph. It contains CFD, Crack500, DeepCrack
# and others: never test on those what was trained on this.
_base_ = './cfd.py'
data_root = '{{$MMCRACK_DATA:data}}/crackseg9k'
dataset = dict(
    type='mmcrack.CrackDataset',
    data_root=data_root,
    prepare='python tools/dataset_converters/crackseg9k.py SOURCE OUT')
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
