# slicer_add_python_unittest(SCRIPT file.py [TESTNAME_PREFIX prefix] [SLICER_ARGS ...]): registers a test under the name that
# Slicer would give it. There is no Slicer to run it in, so the command only names the script.
function(slicer_add_python_unittest)
  cmake_parse_arguments(test "" "SCRIPT;TESTNAME_PREFIX" "SLICER_ARGS" ${ARGN})
  if(test_UNPARSED_ARGUMENTS OR NOT test_SCRIPT)
    message(FATAL_ERROR "slicer_add_python_unittest needs SCRIPT and knows no \"${test_UNPARSED_ARGUMENTS}\"")
  endif()
  get_filename_component(name "${test_SCRIPT}" NAME_WE)
  add_test(NAME py_${test_TESTNAME_PREFIX}${name} COMMAND "${Slicer_LAUNCHER_EXECUTABLE}" -E echo "${test_SCRIPT}")
endfunction()
