# Lets other extensions find this one: find_package(<extension>).
file(WRITE "${CMAKE_BINARY_DIR}/${EXTENSION_NAME}Config.cmake" "set(${EXTENSION_NAME}_SOURCE_DIR \"${CMAKE_SOURCE_DIR}\")\n")
