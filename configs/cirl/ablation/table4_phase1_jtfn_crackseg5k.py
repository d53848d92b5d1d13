# Table 4, phase I alone, on JTFN as in the paper: P 65.17, R 58.78, F1 58.57;
# both phases (cirl_jtfn_crackseg5k): 67.37, 59.46, 60.08.
_base_ = '../cirl_jtfn_crackseg5k.py'
custom_hooks = [dict(type='mmcrack.TwoPhaseHook', switch_at=2000)]
