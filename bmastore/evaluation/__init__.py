"""What judges: forecasts against what came.

``scores`` are pure functions of arrays, ``hindcast`` is what a worker does with a stock and a
cutoff, ``backtest`` plans and conducts, ``report`` is its results, ``fifths`` what traders ask of
them, ``plot`` draws them, ``presets`` measures what the presets cost and are worth.
"""
