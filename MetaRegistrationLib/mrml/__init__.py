"""Between the library and 3D Slicer's scene: the only package that imports slicer or vtk.

MRML positions are RAS millimetres; the library's are LPS millimetres or (row, column) pixels. Imported inside Slicer only.
"""
