"""The question: an `experiment` is a dataset, a recipe, a protocol and candidates.

`candidate` and `search` are what it compares, `memory` how many rows fit, `split_preview` shows the split of a protocol
and `split_advice` helps to choose one.
"""
