"""Explaining predictions on the original columns; an explanation says how far it can be trusted, or abstains.

`lime` explains one row; `picks` proposes rows worth explaining.
"""
