"""How models are judged: `metrics`, the `protocol`, the `splitter` that applies it, the `target`, and `statistics`."""
