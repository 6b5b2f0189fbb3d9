"""The predicted error of a displacement field at every position: the network that predicts it, and the map."""
