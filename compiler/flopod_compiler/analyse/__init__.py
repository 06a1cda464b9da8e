"""Analyses over one workflow function: names, liveness, aliases, and the state its loops carry."""
