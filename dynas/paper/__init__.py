"""Redoes the figures and tables of Cummings et al. 2022 (arXiv:2205.10358) by searches of this package."""
