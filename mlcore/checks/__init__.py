"""Checks for what will mislead: one file per family, each check next to its card.

`base` is what they share, `registry` runs those of a dataset in order, `split` those of a resolved split.
"""
