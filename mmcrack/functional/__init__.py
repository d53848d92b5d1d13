"""Every equation of mmcrack, as pure functions of tensors and arrays.

====================================  =====================================
paper                                 function
====================================  =====================================
CBPRN training, Table 1, Figure 6     ``regions.boundary_band``
CBPRN training, Figure 3              ``points.sample_region_points``
CBPRN inference, Table 2, Figure 4    ``points.uncertain_points``
CBPRN edge branch; He et al. 2012     ``guided_filter.guided_filter``
Kirillov et al. 2020, 3.1             ``points.sample_important_points``
Kirillov et al. 2020, 3.2             ``points.most_uncertain_pixels``
Cheng et al. 2020 (CascadePSP), mBA   ``metrics.boundary_accuracy``
P, R, F1, IoU, Dice                   ``metrics.ratios``
====================================  =====================================

Tensors: images (N, C, H, W); labels (N, H, W) int64 with ``ignore_index``;
masks bool; points (N, P, 2) as (x, y) in [0, 1].
"""
