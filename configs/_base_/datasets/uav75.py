# UAV75, 512 x 512, official 50 / 10 / 15 crops of concrete seen by a drone.
# Labels are lines of one pixel, so overlap says little: score with a
# tolerance. The test shows photographs of train unless it was converted with
# --drop-leaks.
_base_ = './cfd.py'
data_root = '{{$MMCRACK_DATA:data}}/uav75'
dataset = dict(
    type='mmcrack.CrackDataset',
    data_root=data_root,
    # --planking ignore writes 255
    ignore_value=255,
    prepare='python tools/dataset_converters/uav75.py SOURCE OUT')
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
