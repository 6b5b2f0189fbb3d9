"""Stand-in for Slicer's IO manager: reads and writes through the real storage nodes and logics."""

from __future__ import annotations

import tempfile
from pathlib import Path

_BY_SUFFIX = {
    "MarkupsFile": (".mrk.json", ".fcsv"),
    "SceneFile": (".mrml", ".mrb"),
    "TransformFile": (".tfm", ".h5", ".mat", ".txt"),
    "TableFile": (".csv", ".tsv"),
    "VolumeFile": (".nrrd", ".nhdr", ".nii", ".nii.gz", ".mha", ".mhd"),
}


class IOManager:
    """What ``slicer.app.coreIOManager()`` gives."""

    def __init__(self, holder) -> None:
        self._holder = holder

    def fileType(self, path):
        """The type of a file, by its name."""
        for file_type, endings in _BY_SUFFIX.items():
            if str(path).lower().endswith(endings):
                return file_type
        return "NoFile"

    def fileWriterFileType(self, node, extension=""):
        """All nodes are written by their storage node."""
        return "NodeFile"

    def loadNodes(self, file_type, properties, loaded, messages=None):
        """Read a file into the scene; False when it cannot be read."""
        path = properties["fileName"]
        if not Path(path).is_file():
            return False
        reader = getattr(self, f"_load_{file_type.lower().removesuffix('file')}", None)
        nodes = reader(path, properties, messages) if reader is not None else None
        if nodes is None or None in nodes:
            return False
        for node in nodes:
            loaded.AddItem(node)
        return True

    def _name(self, path, properties):
        return properties.get("name") or Path(path).name.split(".")[0]

    def _load_volume(self, path, properties, messages):
        logic = self._holder.logics["Volumes"]
        options = logic.LabelMap if properties.get("labelmap") else 0
        options |= logic.SingleFile if properties.get("singleFile") else 0
        volume = logic.AddArchetypeVolume(path, self._name(path, properties), options)
        if volume is not None and properties.get("show", True):
            selection = self._holder.application_logic.GetSelectionNode()
            selection.SetActiveVolumeID(volume.GetID())
            self._holder.application_logic.PropagateVolumeSelection(1 if properties.get("autoWindowLevel", True) else 0)
        return [volume]

    def _load_transform(self, path, properties, messages):
        return [self._holder.logics["Transforms"].AddTransform(path, self._holder.scene)]

    def _load_markups(self, path, properties, messages):
        ids = self._holder.logics["Markups"].LoadMarkups(path, self._name(path, properties), messages)
        return [self._holder.scene.GetNodeByID(i) for i in ids.split(",")] if ids else None

    def _load_table(self, path, properties, messages):
        return [self._holder.logics["Tables"].AddTable(path, self._name(path, properties))]

    def _load_scene(self, path, properties, messages):
        if path.endswith(".mrb"):
            # A folder of its own, as Slicer's reader makes it: a scene that was unpacked earlier would be found first.
            temporary = tempfile.mkdtemp(dir=self._holder.application_logic.GetTemporaryPath())
            if properties.get("clear", True):
                self._holder.scene.Clear(0)
            done = self._holder.application_logic.OpenSlicerDataBundle(path, temporary)
            return [] if done else None
        self._holder.scene.SetURL(path)
        done = (
            self._holder.scene.Connect(messages)
            if properties.get("clear", True)
            else self._holder.scene.Import(messages)
        )
        return [] if done else None

    def loadScene(self, path, clear=True, messages=None):
        """Read a scene."""
        return self._load_scene(str(path), {"clear": clear}, messages) is not None

    def saveNodes(self, file_type, properties, messages=None):
        """Write a node or the scene; False when it cannot be written."""
        path = str(properties["fileName"])
        if file_type == "SceneFile":
            return self.saveScene(path, None, messages)
        node = self._holder.scene.GetNodeByID(properties["nodeID"])
        self.createAndAddDefaultStorageNode(node)
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        if messages is not None:
            storage.GetUserMessages().ClearMessages()
        return bool(storage.WriteData(node))

    @staticmethod
    def createAndAddDefaultStorageNode(node):
        """Give a node a storage node."""
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        return node.GetStorageNode()

    def saveScene(self, path, screenshot=None, messages=None):
        """Write the scene as ``.mrb``, ``.mrml`` or into a folder."""
        scene = self._holder.scene
        if path.endswith(".mrb"):
            return bool(scene.WriteToMRB(path, screenshot, messages))
        if path.endswith(".mrml"):
            scene.SetURL(path)
            return bool(scene.Commit(path, messages))
        Path(path).mkdir(parents=True, exist_ok=True)
        return bool(self._holder.application_logic.SaveSceneToSlicerDataBundleDirectory(path, screenshot, messages))

    def addDefaultStorageNodes(self):
        """Give every node that needs one a storage node."""
        scene = self._holder.scene
        for index in range(scene.GetNumberOfNodesByClass("vtkMRMLStorableNode")):
            node = scene.GetNthNodeByClass(index, "vtkMRMLStorableNode")
            if node.GetSaveWithScene():
                node.AddDefaultStorageNode()
