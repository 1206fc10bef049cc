"""Feature engineering: steps that become one scikit-learn Pipeline which takes the raw frame.

`conform` brings a raw frame to the schema, `steps` are the options that a person sees, `encode` makes what a model
family needs, and `recipe` puts them in order.
"""
