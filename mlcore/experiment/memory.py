"""How many rows a comparison can hold in memory, given the free memory and the encoded columns."""

from __future__ import annotations

from pathlib import Path

from mlcore.data.dataset import Column
from mlcore.errors import BadInput
from mlcore.experiment.experiment import Experiment

KEPT_FREE = 0.3  # fraction of the free memory that is left to other programs
COPIES = 4  # of the encoded training rows while an encoder or a model is fitted
FEWEST = 1000  # rows; a smaller sample would show too little


def free_memory() -> int | None:
    """Available bytes: of the machine, or of the cgroup that limits this process; None if unknown."""
    available = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                available.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError):
        return None
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            available.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):
            continue
    return min((a for a in available if a > 0), default=None)


def bytes_per_row(experiment: Experiment) -> int:
    """Approximate bytes of one row: as read, and encoded for the widest family."""
    schema = experiment.recipe.prepared(experiment.schema)
    one_hot = set(experiment.recipe.closing.encode.low_cardinality(schema))
    encoded = sum(_encoded(c, c.name in one_hot) for c in schema)
    read = sum(60 if c.dtype == "text" else 8 for c in experiment.schema.features())
    return 2 * read + 8 * encoded * COPIES


def _encoded(column: Column, one_hot: bool) -> int:
    return min(column.distinct, 60) if one_hot else 2


def rows_in_memory(experiment: Experiment, rows: int, free: int | None = None) -> int:
    """How many of the rows fit into the free memory. Raises BadInput when even a small sample does not fit."""
    free = free_memory() if free is None else free
    if free is None:
        return rows
    fitting = int(free * (1 - KEPT_FREE) / bytes_per_row(experiment))
    if fitting < min(rows, FEWEST):
        raise BadInput(
            f"There is too little memory: {free / 2**20:,.0f} MB are free, and {min(rows, FEWEST):,} rows of these "
            "columns need more. Leave out columns with high cardinality, or free memory."
        )
    return min(rows, fitting)
