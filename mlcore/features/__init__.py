"""Feature engineering: steps that become one scikit-learn Pipeline which takes the raw frame.

`steps` are the options that a person sees, `transformers` what they build, `encode` what a model family needs, and
`recipe` puts them in order.
"""
