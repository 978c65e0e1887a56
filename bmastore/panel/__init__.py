"""The book of what is known of the stocks: prices, features, targets, and their digests.

``series`` says what there is and whether it changed, ``read`` gives rows as arrays, ``labels``
those that pooled models learn from, ``ingest`` takes what people have. It knows no model.
"""
