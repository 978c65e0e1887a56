"""What keeps: the store's file, its lock and schema, SQL, artifacts, published results.

It knows no model and no rule of training. Everything above may come in; it imports
nothing but the ground floor.
"""
