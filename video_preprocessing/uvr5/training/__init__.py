"""Training a network of this project: mixtures, effects, the loop."""
