"""Stand-in for qMRMLNodeComboBox: a selector that shows the nodes of the real scene."""

from __future__ import annotations

from typing import Any

import slicer
import vtk
from PySide6 import QtWidgets

from .dialogs import dialogs
from .observations import Observations
from .standin import emit, has_signal, standin, stored

_NODE, _ACTION = 0x100, 0x101
_LATE = -10.0  # priority of the scene model of Slicer's selectors: a module's own observer comes before
_SCENE_EVENTS = ("NodeAddedEvent", "NodeRemovedEvent", "EndImportEvent", "EndCloseEvent", "EndBatchProcessEvent")


def _nodes_of_types(scene: Any, types: list[str]) -> list[Any]:
    """The nodes of these types and of types derived from them, in the order of the scene."""
    found: list[Any] = []
    for node_type in types:
        nodes = scene.GetNodesByClass(node_type)
        nodes.UnRegister(None)
        found += [nodes.GetItemAsObject(index) for index in range(nodes.GetNumberOfItems())]
    if len(types) < 2 or len(found) < 2:
        return found
    every = (scene.GetNthNode(index) for index in range(scene.GetNumberOfNodes()))
    return [node for node in every if node in found]


_TAG_NAMES: dict[str, str] = {}


def _tag_name(scene: Any, node_type: str) -> str:
    """What the scene calls nodes of a type. Every selector asks at every change: a node is made once a type for the answer."""
    if node_type not in _TAG_NAMES:
        node = scene.CreateNodeByClass(node_type)
        if node is None:
            return node_type
        node.UnRegister(None)
        _TAG_NAMES[node_type] = node.GetNodeTagName()
    return _TAG_NAMES[node_type]


class SceneObserver:
    """Calls back when nodes come, go or change, and `leaving` with a node that is about to go; forgets them when told."""

    def __init__(self, callback, leaving) -> None:
        self._callback, self._leaving = callback, leaving
        self._observations = Observations()
        self._watched: tuple[Any, list[Any]] = (None, [])

    def watch(self, scene: Any, nodes: list[Any]) -> None:
        """Watch a scene (or nothing) and these nodes of it, in place of what was watched before."""
        if self._watched == (scene, nodes):
            return
        self.stop()
        self._watched = (scene, nodes)
        if scene is not None:
            for event in _SCENE_EVENTS:
                self._observations.add(scene, getattr(scene, event), self._callback)
            self._observations.add(scene, scene.NodeAboutToBeRemovedEvent, self._leaving, _LATE)
        for node in nodes:
            self._observations.add(node, "ModifiedEvent", self._callback)

    def stop(self) -> None:
        """Watch nothing."""
        self._observations.stop()
        self._watched = (None, [])


@standin(
    QtWidgets.QWidget,
    addEnabled=True,
    removeEnabled=True,
    noneDisplay="None",
    selectNodeUponCreation=True,
    showChildNodeTypes=True,
)
class qMRMLNodeComboBox:
    """Without a scene it is disabled and empty, as in Slicer."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene: Any = None
        self._node: Any = None
        self._attributes: list[tuple[str, str, Any]] = []
        self._labels: dict[str, str] = {}
        self._shown: list[tuple[str, str | None, str | None]] = []  # text, ID of the node, action
        self._combo = QtWidgets.QComboBox(self)
        self._combo.setEnabled(False)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._observer = SceneObserver(lambda *_: self._refresh(), self._observed_leaving())
        self._combo.activated.connect(self._picked)
        self.destroyed.connect(self._observer.stop)

    # The scene and its nodes.

    def setMRMLScene(self, scene):
        """Show the nodes of a scene."""
        self._scene = scene
        self._combo.setEnabled(scene is not None)
        self._refresh()

    def mrmlScene(self):
        """The scene."""
        return self._scene

    def _eligible(self):
        """The nodes that can be selected, in the order of the scene. Every selector asks at every change of the scene."""
        if self._scene is None:
            return []
        types = stored(self, "nodeTypes", "QStringList")
        exact = () if stored(self, "showChildNodeTypes") else types
        hidden_types = stored(self, "hideChildNodeTypes", "QStringList")
        show_hidden = stored(self, "showHidden", "bool")
        return [
            node
            for node in _nodes_of_types(self._scene, types)
            if (show_hidden or not node.GetHideFromEditors())
            and (not exact or node.GetClassName() in exact)
            and not any(node.IsA(t) for t in hidden_types)
            and all(self._has_attribute(node, *wanted) for wanted in self._attributes)
        ]

    @staticmethod
    def _has_attribute(node, node_type, name, value):
        if not node.IsA(node_type):
            return True
        found = node.GetAttribute(name)
        return found is not None and (value is None or found == str(value))

    def _refresh(self):
        nodes = self._eligible()
        self._observer.watch(self._scene, nodes)
        current = self._node if self._node in nodes else None
        self._fill(nodes)
        if current is None and nodes and not stored(self, "noneEnabled", "bool"):
            current = nodes[0]
        self._choose(current)

    def _observed_leaving(self):
        @vtk.calldata_type(vtk.VTK_OBJECT)
        def leaving(scene, event, node):
            if not scene.IsClosing():
                self._leave(node)

        return leaving

    def _leave(self, node):
        """A node is about to go: the combo box takes its row out, and Qt selects the next one, as in Slicer.

        Where that is an action, the selector takes the last node. So it does although `noneEnabled` is set.
        """
        row = self._combo.findData(node.GetID())
        if row < 0:
            return
        self._shown.pop(row)
        self._combo.removeItem(row)
        if node is not self._node:
            return
        identifiers = [identifier for _text, identifier, _action in self._shown if identifier]
        chosen = self._combo.itemData(self._combo.currentIndex) or (identifiers[-1] if identifiers else None)
        on_none = stored(self, "noneEnabled", "bool") and self._combo.currentIndex == 0
        self._choose(None if chosen is None or on_none else self._scene.GetNodeByID(chosen))

    def _fill(self, nodes):
        shown = [(stored(self, "noneDisplay"), None, None)] if stored(self, "noneEnabled", "bool") else []
        shown += [(node.GetName(), node.GetID(), None) for node in nodes]
        shown += [(action, None, action) for action in self._actions()]
        if shown == self._shown:
            return
        self._shown = shown
        self._combo.clear()
        for index, (text, identifier, action) in enumerate(shown):
            self._combo.addItem(text, identifier)
            self._combo.setItemData(index, action, _ACTION)

    def _actions(self):
        if self._scene is None:
            return []
        types = stored(self, "nodeTypes", "QStringList")
        made = [f"Create new {self._type_label(t)}" for t in types] if stored(self, "addEnabled") else []
        renamed = ["Rename current node..."] if stored(self, "renameEnabled", "bool") else []
        return made + renamed + (["Delete current node"] if stored(self, "removeEnabled") else [])

    def _type_label(self, node_type):
        return self._labels.get(node_type) or _tag_name(self._scene, node_type)

    _after_nodeTypes = _after_noneEnabled = _after_showHidden = _after_addEnabled = _refresh
    _after_hideChildNodeTypes = _after_showChildNodeTypes = _after_noneDisplay = _after_removeEnabled = _refresh
    _after_renameEnabled = _refresh

    def _after_sizeAdjustPolicy(self):
        self._combo.setSizeAdjustPolicy(stored(self, "sizeAdjustPolicy"))

    # The current node.

    def _choose(self, node):
        index = (
            self._combo.findData(node.GetID())
            if node is not None
            else (0 if stored(self, "noneEnabled", "bool") else -1)
        )
        self._combo.setCurrentIndex(index)
        if node is self._node:
            return
        self._node = node
        identifier = node.GetID() if node is not None else ""
        emit(self, "currentNodeChanged(vtkMRMLNode*)", node)
        emit(self, "currentNodeChanged(bool)", node is not None)
        if has_signal(self, "currentNodeIDChanged(QString)"):
            emit(self, "currentNodeIDChanged(QString)", identifier)

    def _picked(self, index):
        action = self._combo.itemData(index, _ACTION)
        if action is not None:
            self._act(action)
            return
        identifier = self._combo.itemData(index)
        node = self._scene.GetNodeByID(identifier) if identifier else None
        emit(self, "nodeActivated(vtkMRMLNode*)", node)
        self._choose(node)

    def _act(self, action):
        self._choose(self._node)
        if action.startswith("Create"):
            types = stored(self, "nodeTypes", "QStringList")
            self.addNode(types[self._actions().index(action)])
        elif action.startswith("Rename"):
            self.renameCurrentNode()
        else:
            self.removeCurrentNode()

    def currentNode(self):
        """The selected node, or None."""
        return self._node

    def _get_currentNodeID(self):
        return self._node.GetID() if self._node is not None else ""

    _get_currentNodeId = _get_currentNodeID

    def _set_currentNodeID(self, identifier):
        self.setCurrentNode(identifier)

    _set_currentNodeId = _set_currentNodeID

    def setCurrentNode(self, node):
        """Select a node of the scene, given itself or by ID. Anything else selects none."""
        if isinstance(node, str):
            node = self._scene.GetNodeByID(node) if self._scene is not None and node else None
        nodes = self._eligible()
        if node is not None and node not in nodes:
            node = None
        if node is None and nodes and not stored(self, "noneEnabled", "bool"):
            node = nodes[0]
        self._choose(node)

    setCurrentNodeID = setCurrentNode

    def setCurrentNodeIndex(self, index):
        """Select the node at this place."""
        self.setCurrentNode(self.nodeFromIndex(index))

    def nodeFromIndex(self, index):
        """The node at this place, or None."""
        nodes = self._eligible()
        return nodes[index] if 0 <= index < len(nodes) else None

    def nodeCount(self):
        """How many nodes can be selected."""
        return len(self._eligible())

    # What its menu does.

    def addAttribute(self, node_type, name, value=None):
        """Show only nodes of this type that carry the attribute."""
        self._attributes.append((node_type, name, value))
        self._refresh()

    def removeAttribute(self, node_type, name):
        """No longer ask for the attribute."""
        self._attributes = [a for a in self._attributes if a[:2] != (node_type, name)]
        self._refresh()

    def setNodeTypeLabel(self, label, node_type):
        """What a node type is called in the menu."""
        self._labels[node_type] = label
        self._refresh()

    def nodeTypeLabel(self, node_type):
        """What a node type is called in the menu."""
        return self._labels.get(node_type, "")

    def addNode(self, node_type=None):
        """Add a node of the (first) type, as "Create new" does."""
        if self._scene is None:
            return None
        node_type = node_type or stored(self, "nodeTypes", "QStringList")[0]
        base = stored(self, "baseName", "QString") or self._type_label(node_type)
        node = slicer.mrmlScene.AddNewNodeByClass(node_type, self._scene.GenerateUniqueName(base))
        node.CreateDefaultDisplayNodes() if node.IsA("vtkMRMLDisplayableNode") else None
        for wanted_type, name, value in self._attributes:
            if node.IsA(wanted_type):
                node.SetAttribute(name, str(value) if value is not None else "")
        self._refresh()
        if stored(self, "selectNodeUponCreation"):
            self.setCurrentNode(node)
        emit(self, "nodeAddedByUser(vtkMRMLNode*)", node)
        return node

    def removeCurrentNode(self):
        """Remove the selected node from the scene."""
        if self._node is not None:
            emit(self, "nodeAboutToBeRemoved(vtkMRMLNode*)", self._node)
            self._scene.RemoveNode(self._node)

    def renameCurrentNode(self):
        """Ask for a name and give it to the selected node."""
        if self._node is not None:
            name = dialogs.ask("text", f"New name of {self._node.GetName()}")
            if name:
                self._node.SetName(name)
                emit(self, "currentNodeRenamed(QString)", name)


@standin(qMRMLNodeComboBox)
class qMRMLCheckableNodeComboBox:
    """A node selector with a check mark at each node."""

    def check(self, node):
        """Check a node."""
        self._checked = (*self.checkedNodes(), node)
        emit(self, "checkedNodesChanged()")

    def uncheck(self, node):
        """Uncheck a node."""
        self._checked = [n for n in self.checkedNodes() if n is not node]
        emit(self, "checkedNodesChanged()")

    def checkedNodes(self):
        """The checked nodes that are still in the scene, as PythonQt gives them: a tuple."""
        return tuple(n for n in self.__dict__.get("_checked", []) if n in self._eligible())
