"""The paper's experiments: rows of its Table 1, trained, measured, set beside the paper's (Documentation/Notebook/Experiments.md)."""
