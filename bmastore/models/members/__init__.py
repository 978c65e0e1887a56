"""The members of an ensemble: one file per model family, one protocol, one registry.

Only these rooms (and ``regressor``, which is a scikit-learn estimator) import estimator
libraries.
"""
