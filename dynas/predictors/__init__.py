"""Regressors of objectives that must be measured."""
