# What Slicer checks before it makes a package.
if(NOT EXTENSION_NAME STREQUAL PROJECT_NAME)
  message(FATAL_ERROR "The extension is called ${EXTENSION_NAME}, the project ${PROJECT_NAME}: no package would be made")
endif()
foreach(_file IN ITEMS EXTENSION_README_FILE EXTENSION_LICENSE_FILE)
  if(NOT EXISTS "${${_file}}")
    message(FATAL_ERROR "${_file} names ${${_file}}, which does not exist")
  endif()
endforeach()
