# A small stand-in of Slicer's build tree, enough to configure, build and install an extension of scripted modules:
#   cmake -DSlicer_DIR=<this folder> ...
# It takes the same arguments and puts files in the same places as Slicer's own macros. It compiles no C++, makes no package
# and starts no Slicer.
#
# With -DSLICER_SOURCE_DIR and -DCTK_SOURCE_DIR (source checkouts of both) Slicer's own macros for scripted modules and their
# tests are used in place of ours.

# The layout of Slicer 5.12 on Linux and Windows; only the version number and, on macOS, the leading folders differ.
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR "lib/Slicer-5.12/qt-scripted-modules")
set(Slicer_INSTALL_ROOT "./")
set(Slicer_USE_PYTHONQT ON)

set(Slicer_LAUNCHER_EXECUTABLE "${CMAKE_COMMAND}")
set(Slicer_USE_FILE "${CMAKE_CURRENT_LIST_DIR}/UseSlicer.cmake")
set(Slicer_EXTENSION_GENERATE_CONFIG "${CMAKE_CURRENT_LIST_DIR}/GenerateConfig.cmake")
set(Slicer_EXTENSION_CPACK "${CMAKE_CURRENT_LIST_DIR}/CPack.cmake")
