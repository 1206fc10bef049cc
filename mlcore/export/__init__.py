"""What can be taken away: reports, and later scripts, notebooks, models and services."""
