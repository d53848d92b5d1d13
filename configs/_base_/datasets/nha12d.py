# NHA12D, 1920 x 1080, whole photographs of motorways with very few crack
# pixels. The paper only tests on it; the converter's split cuts each of its
# four parts in the order of its names. crack_hr.py adds larger photographs.
_base_ = './crack_hr.py'
data_root = '{{$MMCRACK_DATA:data}}/nha12d'
dataset = dict(
    data_root=data_root,
    prepare='python tools/dataset_converters/nha12d.py SOURCE OUT')
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
