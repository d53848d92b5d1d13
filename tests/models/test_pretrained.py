import torch
import torchvision
from mmengine.registry import init_default_scope

from mmcrack.registry import MODELS


def test_torchvision_weights_reach_the_wrapped_backbone(tmp_path):
    init_default_scope('mmseg')
    torch.manual_seed(0)
    weights = torchvision.models.resnet50(weights=None).state_dict()
    assert len(weights) == 320
    path = tmp_path / 'resnet50.pth'
    torch.save(weights, path)
    backbone = MODELS.build(
        dict(
            type='mmcrack.EdgeGuidedBackbone',
            backbone=dict(
                type='mmseg.ResNet',
                depth=50,
                style='pytorch',
                norm_cfg=dict(type='BN'),
                init_cfg=dict(type='Pretrained', checkpoint=str(path)))))
    backbone.init_weights()
    loaded = backbone.backbone.state_dict()
    assert set(weights) - set(loaded) == {'fc.weight', 'fc.bias'}
    assert set(loaded) <= set(weights)
    different = [k for k in loaded if not torch.equal(loaded[k], weights[k])]
    assert different == []
