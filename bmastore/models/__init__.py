"""What computes: arrays and settings in, results out; no file, no database, no process.

``members`` are the models in an ensemble, the only rooms that know estimator libraries.
``folds`` cut a stock's rows, ``oof`` predicts them out of fold, ``weights``, ``prior`` and
``mixture`` hold the formulas of the average, ``universe`` what all stocks share, ``fit``
trains one stock. Everything above may come in; it imports nothing but the ground floor.
"""
