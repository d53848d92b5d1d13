"""Examine a crack data set for the faults that spoil training and figures.

Not in the papers. One file for each family of checks: ``encoding`` (how
masks are stored), ``reading`` (files), ``alignment`` (masks beside their
cracks), ``widths``, ``duplicates``, ``crops``. ``record`` measures one pair,
``examination`` judges the set, ``mending`` writes a mended copy, ``report``
and ``page`` tell. See docs/dataset_doctor.md.
"""
