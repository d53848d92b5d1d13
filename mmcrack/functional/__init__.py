"""Every equation of mmcrack, as pure functions of tensors and arrays.

====================================  =====================================
paper                                 function
====================================  =====================================
CIRL Eq. 1                            ``regions.marginal_region``
CIRL Eq. 5, 6                         ``aseg.wasserstein_to_dirac``
CIRL Eq. 3, 7                         ``aseg.aseg_loss`` (map)
CIRL Eq. 8                            ``regions.ambiguous_region``
CIRL Eq. 9-12                         ``ci.neg_log_ratio`` (exact)
CIRL Eq. 13-15                        ``ci.ci_loss``
CIRL 4.1                              ``phase.phase_at``
CBPRN training, Table 1, Figure 6     ``regions.boundary_band``
CBPRN training, Figure 3              ``points.sample_region_points``
CBPRN inference, Table 2, Figure 4    ``points.uncertain_points``
CBPRN edge branch; He et al. 2012     ``guided_filter.guided_filter``
Kirillov et al. 2020, 3.1             ``points.sample_important_points``
Kirillov et al. 2020, 3.2             ``points.most_uncertain_pixels``
Cheng et al. 2020 (CascadePSP), mBA   ``metrics.boundary_accuracy``
Mosinska et al. 2018, Eq. 2           ``vgg_topology.feature_distance``
P, R, F1, IoU, Dice                   ``metrics.ratios``
Lin et al. 2017 (focal), Eq. 5        ``cross_entropy.focal_loss`` (map)
Leng et al. 2022 (PolyLoss)           ``cross_entropy.poly1_loss`` (map)
Xie and Tu 2015 (HED), Eq. 2          ``cross_entropy.balance_weights``
Wang et al. 2020 (noise-robust Dice)  ``dice.noise_robust_dice_loss``
Shit et al. 2021 (clDice), Alg. 1     ``cldice.soft_skeleton``
Shit et al. 2021 (clDice), Alg. 2     ``cldice.cldice_loss``
Gonzalez-Jimenez et al. 2023          ``student_t.student_t_nll``
Hu et al. 2019 (TopoNet)              ``persistence.topological_loss``
====================================  =====================================

Tensors: images (N, C, H, W); labels (N, H, W) int64 with ``ignore_index``;
masks bool; points (N, P, 2) as (x, y) in [0, 1].
"""
