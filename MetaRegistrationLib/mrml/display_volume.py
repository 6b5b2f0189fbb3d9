"""A picture over the layers of a slice view, as a volume for display only: hidden in lists, and not saved with the scene.

The layers below stay those of the user's volumes: the cursor's values are theirs, and a saved scene shows them.
"""

from __future__ import annotations

import numpy as np
import slicer

from .placement import image_data
from .visit_nodes import remove_node
from .volumes import ijk_to_ras

_ATTRIBUTE = "MetaRegistration.DisplayOnly"
_LAYER = 3  # above background, foreground and label map by number; label maps are drawn over it


def put_picture(view: str, picture: np.ndarray, fixed, fixed_slice: int, name: str) -> None:
    """Show a picture over the layers of a slice view, instead of the one that any view shows.

    Parameters
    ----------
    view : str
    picture : np.ndarray
        (H, W, 3), uint8, on the pixels of a slice of `fixed`.
    fixed : vtkMRMLVolumeNode
    fixed_slice : int
    name : str
        Of the volume.
    """
    if not hasattr(slicer.vtkMRMLSliceCompositeNode, "SetNthLayerVolumeID"):
        return  # before Slicer 5.10: the layers show the pair
    node = display_volume() or _new_node()
    matrix = ijk_to_ras(fixed)
    matrix[:3, 3] += fixed_slice * matrix[:3, 2]
    with slicer.util.NodeModify(node):
        node.SetName(name)
        node.SetAndObserveTransformNodeID(fixed.GetTransformNodeID())
        node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
        node.SetAndObserveImageData(image_data(picture[None]))
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName() == view:
            composite.SetNthLayerVolumeID(_LAYER, node.GetID())
            composite.SetNthLayerOpacity(_LAYER, 1.0)
        elif composite.GetNthLayerVolumeID(_LAYER) == node.GetID():
            composite.SetNthLayerVolumeID(_LAYER, None)


def display_volume():
    """The volume that the scene has for display, or None."""
    nodes = slicer.util.getNodesByClass("vtkMRMLVectorVolumeNode")
    return next((node for node in nodes if node.GetAttribute(_ATTRIBUTE)), None)


def is_shown(view: str) -> bool:
    """Whether a slice view shows a picture over its layers."""
    node = display_volume()
    composite = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
    return None not in (node, composite) and composite.GetNthLayerVolumeID(_LAYER) == node.GetID()


def uncover(view: str) -> None:
    """Show the layers of a slice view again."""
    composite = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
    if composite is not None and is_shown(view):
        composite.SetNthLayerVolumeID(_LAYER, None)


def remove_picture() -> None:
    """Take the picture out of the views and the scene."""
    node = display_volume()
    if node is None:
        return
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        if composite.GetNthLayerVolumeID(_LAYER) == node.GetID():
            composite.SetNthLayerVolumeID(_LAYER, None)
    remove_node(node)


def _new_node():
    node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLVectorVolumeNode")
    node.UnRegister(None)
    node.SetHideFromEditors(True)
    node.SetSaveWithScene(False)
    node.SetUndoEnabled(False)
    node.SetAttribute(_ATTRIBUTE, "yes")
    slicer.mrmlScene.AddNode(node)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0, 255)
    return node
