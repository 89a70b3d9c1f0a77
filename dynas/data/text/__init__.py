"""Sentences: files, dictionaries, subwords and batches."""
