"""Feature engineering: steps that become one scikit-learn Pipeline, which takes the raw frame.

`steps` are the options on the screen, `transformers` are built from them, `encode` serves a model family, and `recipe`
puts them in order.
"""
