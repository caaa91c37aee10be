"""Functions that generated code calls; their source is copied into the generated module."""
