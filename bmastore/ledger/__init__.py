"""The book of what was done with the stocks: runs, entries, universes, folds, backtests.

Append-only. ``causes`` says why a stock waits; each other room writes and reads one kind of
record. It knows results of models, and no estimator.
"""
