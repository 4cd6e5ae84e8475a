"""Sharing a model: the complete repository in a folder, and its way to the Hub."""
