"""Readers and writers: one module per source, each giving validated tables."""
