"""The answer: `leaderboard` with its tie groups, `curves`, `search_report`, and runs compared with one another.

`run_comparison` pairs two runs on the same split; `split_stress` shows the same models under different splits.
"""
