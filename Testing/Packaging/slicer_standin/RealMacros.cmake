# Slicer's and CTK's own macros, from their source checkouts, with the few settings that they read.
set(CTK_CMAKE_DIR "${CTK_SOURCE_DIR}/CMake")
set(Slicer_PYTHON_MODULE_TEST_TEMPLATES_DIR "${SLICER_SOURCE_DIR}/Base/QTCore/Testing/Python")
set(Slicer_ExternalData_DATA_MANAGEMENT_TARGET SlicerStandinData)

set(PYTHONINTERP_FOUND TRUE)
set(PYTHONLIBS_FOUND TRUE)
set(PYTHON_EXECUTABLE "${Python3_EXECUTABLE}")
set(PYTHON_LIBRARIES "${Python3_EXECUTABLE}") # only its folder is used

include(ExternalData)
include("${CTK_CMAKE_DIR}/ctkFunctionExtractOptimizedLibrary.cmake")
include("${CTK_CMAKE_DIR}/ctkMacroCompilePythonScript.cmake")
include("${SLICER_SOURCE_DIR}/CMake/SlicerMacroPythonTesting.cmake")
include("${SLICER_SOURCE_DIR}/CMake/SlicerMacroConfigureGenericPythonModuleTests.cmake")
include("${SLICER_SOURCE_DIR}/CMake/SlicerMacroBuildScriptedModule.cmake")
