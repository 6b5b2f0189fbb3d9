"""The Slicer panel: one controller a section, and the logic that they call.

Controllers (`*_section.py`) know widgets and the logic that is handed to them; logic (`*_logic.py`) knows the scene through
`mrml`, and no widget. Neither imports torch at file scope.
"""
