# What an extension gets by include(${Slicer_USE_FILE}).
set(EXTENSION_NAME "${PROJECT_NAME}")
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR "${Slicer_INSTALL_ROOT}${Slicer_QTSCRIPTEDMODULES_LIB_DIR}")

find_package(Python3 REQUIRED COMPONENTS Interpreter)
include(CTest)

if(SLICER_SOURCE_DIR)
  include("${CMAKE_CURRENT_LIST_DIR}/RealMacros.cmake")
else()
  include("${CMAKE_CURRENT_LIST_DIR}/ScriptedModule.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/PythonTests.cmake")
endif()
