"""Pairs of images: from folders and tables, from files, and in memory."""
