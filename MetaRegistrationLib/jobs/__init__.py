"""Long work in a child process, as a panel needs it: command lines, the running job, adapted checkpoints, estimates.

Nothing here imports torch, Slicer, VTK or Qt; the class of the process and the timer are handed in (`hosts`).
"""
