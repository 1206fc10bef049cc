"""Bytes to a Dataset. The bytes are hostile: they are parsed in a child process with a memory and a time limit.

The flow: `reader` starts `reader_process`, which unpacks (`archives`) or fetches (`remote`) where needed, detects the
format (`formats`), reads it with the module of its family (`text`, `sheets`, `json_records`, `columnar`), converts
texts to numbers and dates (`convert`) and writes one Parquet file; `kinds` infers what each column is, and `reader`
stores the result in the workspace. `sources` is what a server allows to be read, `samples` are the bundled data sets.
"""
