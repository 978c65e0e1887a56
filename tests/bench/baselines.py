"""What users would write instead of bmastore: the recipe, and an afternoon with joblib."""

import numpy as np
from joblib import Parallel, delayed
from lightgbm import LGBMRegressor, early_stopping
from sklearn.ensemble import RandomForestRegressor
from xgboost import XGBRegressor

from bmastore.models.config import Splits
from bmastore.models.folds import tail_split, walk_forward
from bmastore.models.members.registry import sizes_of

_STANDARD = sizes_of("standard")
_SPLITS = Splits()


def forest(**own):
    """The forest of `standard`, from scikit-learn."""
    return RandomForestRegressor(
        n_estimators=_STANDARD["rf_trees"],
        max_depth=10,
        max_features=0.8,
        min_samples_leaf=10,
        max_samples=0.8,
        random_state=0,
        **own,
    )


def xgboost(rounds=_STANDARD["xgb_rounds"], **own):
    """XGBoost of `standard`, from its scikit-learn wrapper."""
    return XGBRegressor(
        n_estimators=rounds,
        max_depth=4,
        learning_rate=0.2,
        subsample=0.8,
        colsample_bytree=0.8,
        reg_alpha=0.1,
        reg_lambda=1,
        tree_method="hist",
        random_state=0,
        **own,
    )


def lightgbm(rounds=_STANDARD["lgbm_rounds"], **own):
    """LightGBM of `standard`, from its scikit-learn wrapper."""
    return LGBMRegressor(
        n_estimators=rounds,
        max_depth=5,
        num_leaves=31,
        learning_rate=0.2,
        colsample_bytree=0.8,
        subsample=0.8,
        subsample_freq=1,
        min_child_samples=50,
        force_row_wise=True,
        verbose=-1,
        random_state=0,
        **own,
    )


def recipe(stock):
    """One stock by the recipe: one 80/20 holdout, equal weights, default threads."""
    rows = _complete(stock.labelled())
    cut = int(len(rows.y) * 0.8)
    models = [make().fit(rows.X[:cut], rows.y[:cut]) for make in (forest, xgboost, lightgbm)]
    holdout = np.mean([model.predict(rows.X[cut:]) for model in models], axis=0)
    return float(np.mean((holdout - rows.y[cut:]) ** 2))


def same_fits(stock):
    """One stock with bmastore's fits (folds and final), by plain wrappers with one thread."""
    rows = _complete(stock.labelled())
    rounds = {"xgb": [], "lgbm": []}
    leaf = {"min_child_weight": _STANDARD["xgb_min_child_weight"]}
    for fold in walk_forward(rows.dates, rows.label_ends, _SPLITS):
        train = rows.take(fold.train)
        head, tail = tail_split(train.dates, train.label_ends, _SPLITS.tail_share)
        held = [(train.X[tail], train.y[tail])]
        rf = forest(n_jobs=1).fit(train.X, train.y)
        xgb = xgboost(early_stopping_rounds=_STANDARD["patience"], **leaf, n_jobs=1)
        xgb.fit(train.X[head], train.y[head], eval_set=held, verbose=False)
        lgbm = lightgbm(n_jobs=1)
        stop = early_stopping(_STANDARD["patience"], verbose=False)
        lgbm.fit(train.X[head], train.y[head], eval_set=held, callbacks=[stop])
        rounds["xgb"].append(xgb.best_iteration + 1)
        rounds["lgbm"].append(lgbm.best_iteration_)
        for model in (rf, xgb, lgbm):
            model.predict(rows.X[fold.test])
    newest = stock.X[-1:]
    return [
        float(model.fit(rows.X, rows.y).predict(newest)[0])
        for model in (
            forest(n_jobs=1),
            xgboost(int(np.median(rounds["xgb"])), **leaf, n_jobs=1),
            lightgbm(int(np.median(rounds["lgbm"])), n_jobs=1),
        )
    ]


def by_joblib(stocks, workers):
    """`same_fits` of all stocks by joblib; call it once before it is timed, to start the pool."""
    return Parallel(n_jobs=workers)(delayed(same_fits)(stock) for stock in stocks)


def _complete(rows):
    """Without missing features: scikit-learn's forest takes NaN, infinities it does not."""
    return rows.take(np.isfinite(rows.X).all(axis=1))
