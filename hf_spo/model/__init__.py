"""Everything that travels with a model repository: flat, because transformers copies files by their base names."""
