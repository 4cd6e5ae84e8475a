"""Find and load models, and register them with transformers."""
