"""The work: a run is a `folder`, filled by a worker process.

`create` writes the folder and `process` starts the `worker`, whose `controller` hands tasks to a `scheduler` over an
engine (`engines`). A task works on the shared `context`: `fit` one candidate on one fold, `trials` of a search,
`blend`, `warm_start`, a point of a `study`. `predictions` and `fitted_models` are what they leave on disk;
`candidate_log` gathers the events, `race` stops candidates early, `runtime_estimate` predicts how long it takes.
"""
