"""A pair from images to its result: stages, result stage, measures, files and pictures."""
