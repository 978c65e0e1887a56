"""Presets: names for how large the tree members are grown; each member says its own sizes."""

from collections.abc import Mapping

PRESETS = ("ultrafast", "fast", "standard", "high")

# Numbers of trees, depths and the like of one member, by the names that its learner declares.
Params = Mapping[str, float]
