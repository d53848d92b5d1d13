# JTFN in CIRL's protocol on DRIVE: the twin of cirl_jtfn_drive.
# CIRL, Table 2 (JTFN): P 82.71, R 83.40, F1 82.81.
# JTFN's own recipe: 1000 epochs, rates times 0.9 every 500 iterations,
# flips both ways, any angle, colours changed.
_base_ = ['../_base_/models/jtfn.py', '../_base_/recipes/cirl_drive.py']
