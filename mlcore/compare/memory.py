"""How many rows a comparison can hold in memory, from what is free now and what its columns become."""

from __future__ import annotations

from pathlib import Path

from mlcore.compare.experiment import Experiment
from mlcore.dataset import Column
from mlcore.errors import BadInput

KEPT_FREE = 0.3  # of the free memory is left to everyone else
COPIES = 4  # of the encoded training rows while an encoder or a model is fitted
FEWEST = 1000  # rows of which a sample would say something


def free_memory() -> int | None:
    """Bytes that can still be had: of the machine, or of the group that limits this process; None if unknown."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError):
        return None
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            found.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):
            continue
    return min((f for f in found if f > 0), default=None)


def bytes_a_row(experiment: Experiment) -> int:
    """About what one row takes: as read, and encoded for the widest family."""
    schema = experiment.recipe.prepared(experiment.schema)
    few = set(experiment.recipe.encode.few(schema))
    encoded = sum(_encoded(c, c.name in few) for c in schema)
    read = sum(60 if c.dtype == "text" else 8 for c in experiment.schema.features())
    return 2 * read + 8 * encoded * COPIES


def _encoded(column: Column, one_hot: bool) -> int:
    return min(column.distinct, 60) if one_hot else 2


def rows_that_fit(experiment: Experiment, rows: int, free: int | None = None) -> int:
    """How many of the rows fit into the free memory. Raises BadInput when not even a sample would."""
    free = free_memory() if free is None else free
    if free is None:
        return rows
    fitting = int(free * (1 - KEPT_FREE) / bytes_a_row(experiment))
    if fitting < min(rows, FEWEST):
        raise BadInput(
            f"There is too little memory: {free / 2**20:,.0f} MB are free, and {min(rows, FEWEST):,} rows of these "
            "columns need more. Leave out columns of many levels, or free memory."
        )
    return min(rows, fitting)
