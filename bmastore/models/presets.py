"""Presets: names for how large the tree members are grown; each member says its own sizes."""

from collections.abc import Mapping

PRESETS = ("ultrafast", "fast", "standard", "high")

# Numbers of trees, depths and the like by name, as the learners in the registry declare them.
Sizes = Mapping[str, float]
