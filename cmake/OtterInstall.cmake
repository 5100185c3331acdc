# SPDX-License-Identifier: Apache-2.0
# What another project gets: the library with its headers, the tools, find_package(otter), pkg-config's otter.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/otter)

install(TARGETS otter EXPORT otterTargets)
install(DIRECTORY include/ DESTINATION ${OTTER_INSTALL_INCLUDEDIR})
install(EXPORT otterTargets NAMESPACE otter:: DESTINATION ${package_dir})

configure_package_config_file(cmake/otterConfig.cmake.in ${CMAKE_BINARY_DIR}/otterConfig.cmake
    INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/otterConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/otterConfig.cmake ${CMAKE_BINARY_DIR}/otterConfigVersion.cmake
    cmake/OtterFirmware.cmake DESTINATION ${package_dir})

# The prefix is where the file lies, so that a copied or staged installation works.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
    OUTPUT_VARIABLE OTTER_PC_TO_PREFIX)
configure_file(cmake/otter.pc.in ${CMAKE_BINARY_DIR}/otter.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/otter.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

file(GLOB_RECURSE manuals CONFIGURE_DEPENDS docs/*.[1-8])
foreach(manual IN LISTS manuals)
    string(REGEX REPLACE ".*\\." "" section ${manual})
    install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
