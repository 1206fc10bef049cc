"""The Data page: opening data, the target, the alerts, the table of columns."""
