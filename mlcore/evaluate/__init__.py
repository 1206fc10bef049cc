"""Evaluating the models of a run from their out-of-fold predictions; nothing is refitted.

`scores` is the table of metrics, `classes` and `quantities` are the plots of each task, `evaluation` is all of them for
one model, and `holdout` opens the holdout and counts the looks.
"""
