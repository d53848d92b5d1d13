# All but the network of a row of CIRL's protocol on DeepCrack537.
_base_ = [
    '../datasets/deepcrack.py', '../datasets/cirl_crops.py',
    '../schedules/cirl_2000e.py', '../default_runtime.py'
]
train_dataloader = dict(
    batch_size=2,  # CIRL 4.1
    # 263 images: a batch of one would have no spread to normalise by.
    drop_last=True,
    dataset=dict(pipeline={{_base_.crops_256}}))
