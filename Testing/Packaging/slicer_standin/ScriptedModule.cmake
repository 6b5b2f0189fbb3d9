# slicerMacroBuildScriptedModule(NAME name SCRIPTS file... [RESOURCES file...] [WITH_GENERIC_TESTS] [WITH_SUBDIR] [VERBOSE])
#
# Build tree: each file goes to <binary dir>/<scripted modules>[/<source folder's name>, with WITH_SUBDIR]/<path as given>;
# scripts are byte-compiled to a .pyc beside them.
# Installed tree: WITH_SUBDIR installs that folder of the build tree as a whole; without it, everything that lies in the
# build tree's folder of scripted modules.
function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(module "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(module_UNPARSED_ARGUMENTS OR NOT module_NAME OR NOT module_SCRIPTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule needs NAME and SCRIPTS and knows no \"${module_UNPARSED_ARGUMENTS}\"")
  endif()

  set(built "${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}")
  set(to_install "${built}/")
  if(module_WITH_SUBDIR)
    get_filename_component(folder "${CMAKE_CURRENT_SOURCE_DIR}" NAME)
    string(APPEND built "/${folder}")
    set(to_install "${built}")
  endif()

  list(TRANSFORM module_SCRIPTS REPLACE "\\.py$" "")
  list(TRANSFORM module_SCRIPTS APPEND ".py")
  _standin_copy("${built}" scripts ${module_SCRIPTS})
  _standin_copy("${built}" resources ${module_RESOURCES})
  _standin_compile(${module_NAME} compiled ${scripts})
  add_custom_target(${module_NAME}Files ALL DEPENDS ${scripts} ${resources} ${compiled})
  install(DIRECTORY "${to_install}" DESTINATION "${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}" USE_SOURCE_PERMISSIONS)

  if(BUILD_TESTING AND module_WITH_GENERIC_TESTS)
    slicer_add_python_unittest(SCRIPT qSlicer${module_NAME}ModuleGenericTest.py TESTNAME_PREFIX nomainwindow_)
  endif()
endfunction()

# Rules that copy files of the current source folder into `to`; their targets are returned in the variable `copies`.
# Files of one folder are copied twenty at a time: a process for each takes longer than all the copying.
function(_standin_copy to copies)
  set(targets)
  set(part)
  set(folder_of_part)
  foreach(file IN LISTS ARGN)
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${file}")
      message(FATAL_ERROR "slicerMacroBuildScriptedModule was given ${file}, which is not in ${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    get_filename_component(folder "${file}" DIRECTORY)
    list(LENGTH part count)
    if(count EQUAL 20 OR NOT "${folder}" STREQUAL "${folder_of_part}")
      _standin_copy_part("${to}" "${folder_of_part}" ${part})
      set(part)
    endif()
    set(folder_of_part "${folder}")
    list(APPEND part "${file}")
    list(APPEND targets "${to}/${file}")
  endforeach()
  _standin_copy_part("${to}" "${folder_of_part}" ${part})
  set(${copies} "${targets}" PARENT_SCOPE)
endfunction()

# A rule that copies files of one folder.
function(_standin_copy_part to folder)
  if(NOT ARGN)
    return()
  endif()
  set(outputs ${ARGN})
  set(sources ${ARGN})
  list(TRANSFORM outputs PREPEND "${to}/")
  list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND ${CMAKE_COMMAND} -E make_directory "${to}/${folder}"
    COMMAND ${CMAKE_COMMAND} -E copy ${sources} "${to}/${folder}"
    DEPENDS ${sources}
    VERBATIM
    )
endfunction()

# A rule that byte-compiles the scripts, and fails at a syntax error; its stamp is returned in the variable `stamp`.
function(_standin_compile name stamp)
  set(list_file "${CMAKE_CURRENT_BINARY_DIR}/${name}_scripts.txt")
  set(done "${CMAKE_CURRENT_BINARY_DIR}/${name}_compiled.txt")
  list(JOIN ARGN "\n" lines)
  file(WRITE "${list_file}" "${lines}\n")
  add_custom_command(
    OUTPUT "${done}"
    COMMAND "${Python3_EXECUTABLE}" -X utf8 -m compileall -q -b -f -i "${list_file}"
    COMMAND ${CMAKE_COMMAND} -E touch "${done}"
    DEPENDS ${ARGN}
    VERBATIM
    )
  set(${stamp} "${done}" PARENT_SCOPE)
endfunction()
