"""Ingest: what people have goes in; features, targets and digests that say what changed come out.

:mod:`take` conducts; it is where others come in. An input passes :mod:`sources` (files, frames
and databases become relations, read once), :mod:`layout` (whose column is what, with
:mod:`vendors`, :mod:`dates` and :mod:`numbers`), then :mod:`prices` or :mod:`ready`.
"""
