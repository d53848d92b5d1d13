# JTFN in CIRL's protocol on CrackTree200: the twin of cirl_jtfn_cracktree200.
# CIRL, Table 2 (JTFN): P 85.87, R 82.58, F1 84.19.
_base_ = ['../_base_/models/jtfn.py', '../_base_/recipes/cirl_cracktree200.py']
