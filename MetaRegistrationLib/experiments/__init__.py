"""The paper's experiments: rows of its Table 1, trained, measured, set beside the paper's.

They are described in Documentation/Notebook/Experiments.md.
"""
