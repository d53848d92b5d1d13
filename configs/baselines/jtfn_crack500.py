# JTFN in CIRL's protocol on Crack500: the twin of cirl_jtfn_crack500.
# CIRL, Table 2 (JTFN): P 68.81, R 69.06, F1 65.76.
# JTFN's own recipe: crops of 360, flips both ways, any angle, colours
# changed; resbase32 with two steps.
_base_ = ['../_base_/models/jtfn.py', '../_base_/recipes/cirl_crack500.py']
