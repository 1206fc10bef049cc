"""The `catalogue` of models: one row each; `parameters` are their hyperparameters.

`builders` make scikit-learn estimators from a row, `wrappers` and `label_encoding` are estimators written here, `rules`
are rules that a person writes, and `storage` saves models without pickle.
"""
