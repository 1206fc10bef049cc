"""The Models page: protocol, candidates, the running comparison, the details of one model."""
