"""Made-up stocks with a planted signal: something to try bmastore on, and to test it with."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

HORIZON = 5
TARGET = "forward_return"


def planted_panel(
    n_stocks: int = 24, n_days: int = 420, signal: float = 0.5, seed: int = 7
) -> "pd.DataFrame":
    """A panel in which the feature ``momentum`` drives the next days' return and the others do not.

    Parameters
    ----------
    n_stocks, n_days:
        Size; dates are weekdays from 2022-01-03 on.
    signal:
        Correlation of the driving feature with the target, 0 to 1; 0 gives pure noise.
    seed:
        Of the random numbers.

    Returns
    -------
    Frame with ticker, date, five features, and the target ``forward_return``
    over five days, which the last five rows of each stock lack.
    """
    import pandas as pd

    random = np.random.default_rng(seed)
    days = pd.bdate_range("2022-01-03", periods=n_days).astype("datetime64[s]")
    parts = []
    for i in range(n_stocks):
        features = random.standard_normal((n_days, 5)).astype(np.float32)
        noise = random.standard_normal(n_days)
        target = 0.03 * (signal * features[:, 0] + np.sqrt(1 - signal**2) * noise)
        target[-HORIZON:] = np.nan
        names = ("momentum", "value", "carry", "size", "season")
        parts.append(
            pd.DataFrame(
                {
                    "ticker": f"DEMO{i:02d}",
                    "date": days,
                    **dict(zip(names, features.T, strict=True)),
                    TARGET: target,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def known_on(panel: "pd.DataFrame", day: Any) -> "pd.DataFrame":
    """What was known of a made-up panel on a day: its rows, with the labels that had come."""
    known = panel[panel["date"] <= day].copy()
    newest = known.groupby("ticker").cumcount(ascending=False) < HORIZON
    known.loc[newest, TARGET] = np.nan
    return known
