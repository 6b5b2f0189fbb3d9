"""A draw for the tests of batches, in a file that a worker imports quickly."""

import os
import signal

import torch

from MetaRegistrationLib.errors import InputError

SONG = "b.png: expected an image, got a song."


def squares(number: int) -> torch.Tensor:
    """The square of a number, and this process; 5 is an error of the user, and 8 ends the process."""
    if number == 5:
        raise InputError(SONG)
    if number == 8:
        os.kill(os.getpid(), signal.SIGTERM)
    return torch.tensor([number**2, os.getpid()])
