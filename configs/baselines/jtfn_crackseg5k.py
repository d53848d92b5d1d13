# JTFN in CIRL's protocol on CrackSeg5k: the twin of cirl_jtfn_crackseg5k.
# CIRL, Table 2 (JTFN): P 65.14, R 58.33, F1 58.42.
_base_ = ['../_base_/models/jtfn.py', '../_base_/recipes/cirl_crackseg5k.py']
