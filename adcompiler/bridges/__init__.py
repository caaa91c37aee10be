"""Functions of this package as functions of others."""
