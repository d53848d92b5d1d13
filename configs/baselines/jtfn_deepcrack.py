# JTFN in CIRL's protocol on DeepCrack537: the twin of cirl_jtfn_deepcrack.
# Not in the papers.
_base_ = ['../_base_/models/jtfn.py', '../_base_/recipes/cirl_deepcrack.py']
