# Figure 4 of CIRL, on JTFN and CrackSeg5k as in the paper: the grid of
# sweep_unet_deepcrack_mini.py, 17 trainings of full length.
_base_ = './sweep_unet_deepcrack_mini.py'
sweep = dict(base='../cirl_jtfn_crackseg5k.py')
