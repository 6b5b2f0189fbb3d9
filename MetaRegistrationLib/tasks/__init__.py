"""Registration tasks: sources of (moving, fixed) pairs on the network grid, for training and for validation."""

from .base import Task, TaskPair, augmented
from .image_pairs import PairTask, prepare_pair, repeat_settings
from .simulated import simulated_pair
from .single_images import SingleImageTask
from .task_sets import load_task_set
from .volumes import VolumeTask, adjacent_pairs, slices_with_content

__all__ = [
    "PairTask",
    "SingleImageTask",
    "Task",
    "TaskPair",
    "VolumeTask",
    "adjacent_pairs",
    "augmented",
    "load_task_set",
    "prepare_pair",
    "repeat_settings",
    "simulated_pair",
    "slices_with_content",
]
