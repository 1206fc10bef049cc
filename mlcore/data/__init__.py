"""The first noun: `dataset` on disk, the `workspace` it lives in, and its columns.

`filters` are conditions on rows, `sql` is a column in SQL, `cast` a column in pandas, `number_formats` how people write
numbers, and `column_stats` exact statistics of whole columns.
"""
