# CIRL, Table 3, its baseline BCE, of which Table 2 has the row (JTFN): P
# 65.14, R 58.33, F1 58.42. On every mask and boundary: jtfn_crackseg5k.
_base_ = '../jtfn_crackseg5k.py'
