"""Formats of labelled texts, each with its reader and, where it has one, its writer."""
