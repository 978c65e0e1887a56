"""Dashboards for Superset: ``spec.toml`` says what they show; `cli/superset.py` comes in here."""
