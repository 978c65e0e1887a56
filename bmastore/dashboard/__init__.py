"""The store in the browser: pages of published results, read-only.

Comes in with the extra ``bmastore[dashboard]``: only ``cli/dashboard.py`` may import :mod:`app`,
and ``Store.backtest`` :mod:`report`. Pages are values that :mod:`pages` reads; :mod:`app` gives
them addresses and shows them, :mod:`report` writes one of them by itself.
"""
