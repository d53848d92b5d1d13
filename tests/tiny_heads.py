"""Heads for the tiny config of ``tests/tools``: text to add at its end."""

CIRL = """
model['decode_head'] = dict(type='mmcrack.CIRLHead',
                            seg_head=model['decode_head'])
custom_imports = dict(imports=['mmcrack'], allow_failed_imports=False)
"""
CBPRN = """
model['decode_head'] = dict(
    type='mmcrack.CBPRNHead', in_channels=[4, 8], in_index=[1, 0], channels=8,
    context_channels=8, detail_channels=4, heat_channels=4, point_channels=8,
    num_classes=2, norm_cfg=norm_cfg, with_edge=False, stride=1)
custom_imports = dict(imports=['mmcrack'], allow_failed_imports=False)
"""
