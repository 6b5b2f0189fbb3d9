"""A pair from images to its result: the stages one after the other, what is kept of them, measures, files and pictures."""
