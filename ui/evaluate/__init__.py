"""The Evaluate page: the views of a task for some models, one threshold for all of them, and the holdout."""
