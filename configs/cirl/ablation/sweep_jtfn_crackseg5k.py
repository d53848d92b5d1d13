# Figure 4 of CIRL, on JTFN and CrackSeg5k as in the paper: one parameter at
# a time around the paper's setting, 17 trainings of full length. Run and
# drawn by tools/analysis/sweep.py; this is no config of a model.
sweep = dict(
    base='../cirl_jtfn_crackseg5k.py',
    parameters=dict(
        variance_offset=dict(
            label='$\\lambda$',
            key='model.decode_head.loss_aseg.variance_offset',
            values=[0.1, 0.2, 0.3, 0.4, 0.5],  # not printed in the paper
            paper=0.3,
            paper_drop=1.5),
        variance_threshold=dict(
            label='$\\gamma$',
            key='model.decode_head.variance_threshold',
            values=[0.2, 0.3, 0.4, 0.5, 0.6],  # not printed in the paper
            paper=0.4,
            paper_drop=0.8),
        num_neighbors=dict(
            label='$K$',
            key='model.decode_head.loss_ci.num_neighbors',
            values=[5, 10, 15, 20, 25],  # not printed in the paper
            paper=20,
            paper_drop=2.0),
        loss_weight=dict(
            label='$\\beta$',
            key='model.decode_head.loss_ci.loss_weight',
            values=[0.05, 0.1, 0.2, 0.3, 0.4],  # not printed in the paper
            paper=0.2,
            paper_drop=1.8)))
