# SPDX-License-Identifier: Apache-2.0
# Firmware for this machine: a program around app_main(), and the image that a device boots.
# Works in Otter's own build and after find_package(otter).

if(TARGET otter-cli AND NOT TARGET otter::otter-cli)
    add_executable(otter::otter-cli ALIAS otter-cli)
endif()

# otter_add_firmware(NAME SOURCES file... [PROJECT name] [VERSION text] [SECURE_VERSION n]
#                    [EMBED_FILES file...] [EMBED_TXTFILES file...] [DEFINITIONS CONFIG_X=value...] [OUTPUT file.bin])
#
# NAME is an executable target linked with otter::otter, to which anything may be added. Its image is made by the
# target NAME_image, which belongs to "all"; where it lies is NAME's property OTTER_IMAGE (default: NAME.bin in the
# current binary directory). The image holds the program without its debug information; NAME.elf keeps that.
#
# EMBED_...     contents become _binary_<file>_start, _binary_<file>_end and <file>_length, where characters that no
#               C name has become _. TXTFILES are ended by a NUL byte, which counts.
# DEFINITIONS   become the application's sdkconfig.h, which every source includes whether it says so or not. Without
#               a value: 1. Text needs its quotes: CONFIG_URL="https://host/fw.bin".
function(otter_add_firmware name)
    set(one PROJECT VERSION SECURE_VERSION OUTPUT)
    set(many SOURCES EMBED_FILES EMBED_TXTFILES DEFINITIONS)
    cmake_parse_arguments(PARSE_ARGV 1 ARG "" "${one}" "${many}")
    if(ARG_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "otter_add_firmware(${name}): what is ${ARG_UNPARSED_ARGUMENTS}?")
    endif()
    if(NOT ARG_SOURCES)
        message(FATAL_ERROR "otter_add_firmware(${name}): it needs SOURCES")
    endif()

    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE otter::otter)
    # ESP-IDF compiles with GNU extensions: its applications write asm("...") and typeof.
    set_target_properties(${name} PROPERTIES
        C_STANDARD 17
        C_EXTENSIONS ON
        SUFFIX .elf
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    _otter_write_sdkconfig(${name} "${ARG_DEFINITIONS}")
    foreach(file IN LISTS ARG_EMBED_FILES)
        _otter_embed(${name} "${file}" FALSE)
    endforeach()
    foreach(file IN LISTS ARG_EMBED_TXTFILES)
        _otter_embed(${name} "${file}" TRUE)
    endforeach()

    _otter_default(ARG_PROJECT ${name})
    _otter_default(ARG_VERSION 1)
    _otter_default(ARG_SECURE_VERSION 0)
    _otter_default(ARG_OUTPUT ${name}.bin)
    cmake_path(ABSOLUTE_PATH ARG_OUTPUT BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
    _otter_add_image(${name} "${ARG_OUTPUT}" "${ARG_PROJECT}" "${ARG_VERSION}" "${ARG_SECURE_VERSION}")
endfunction()

function(_otter_default variable value)
    if(NOT DEFINED ${variable} OR "${${variable}}" STREQUAL "")
        set(${variable} "${value}" PARENT_SCOPE)
    endif()
endfunction()

# A header instead of -D options: no shell, no generator and no response file gets to see the quotes.
function(_otter_write_sdkconfig name definitions)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.config)
    set(text "/* Made by otter_add_firmware(${name}). */\n#pragma once\n")
    foreach(definition IN LISTS definitions)
        if(definition MATCHES "^([A-Za-z_][A-Za-z0-9_]*)=(.*)$")
            string(APPEND text "#define ${CMAKE_MATCH_1} ${CMAKE_MATCH_2}\n")
        else()
            string(APPEND text "#define ${definition} 1\n")
        endif()
    endforeach()
    file(GENERATE OUTPUT ${folder}/sdkconfig.h CONTENT "${text}")
    target_include_directories(${name} BEFORE PRIVATE ${folder})
    target_compile_options(${name} PRIVATE "$<$<COMPILE_LANGUAGE:C,CXX>:SHELL:-include \"${folder}/sdkconfig.h\">")
endfunction()

function(_otter_embed name file is_text)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    cmake_path(GET file FILENAME symbol)
    string(MAKE_C_IDENTIFIER "${symbol}" symbol)
    set(end "")
    if(is_text)
        set(end "    \".byte 0\\n\"\n")
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.config/${symbol}.c)
    file(GENERATE OUTPUT ${source} CONTENT "/* ${file} */
__asm__(\".pushsection .rodata\\n\"
    \".balign 16\\n\"
    \".global _binary_${symbol}_start, _binary_${symbol}_end, ${symbol}_length\\n\"
    \"_binary_${symbol}_start:\\n\"
    \".incbin \\\"${file}\\\"\\n\"
${end}    \"_binary_${symbol}_end:\\n\"
    \".balign 4\\n\"
    \"${symbol}_length: .long _binary_${symbol}_end - _binary_${symbol}_start\\n\"
    \".popsection\\n\");
")
    target_sources(${name} PRIVATE ${source})
    set_source_files_properties(${source} PROPERTIES GENERATED TRUE OBJECT_DEPENDS "${file}")
endfunction()

function(_otter_add_image name output project version secure_version)
    set(stripped ${CMAKE_CURRENT_BINARY_DIR}/${name}.config/${name})
    if(CMAKE_STRIP)
        set(strip ${CMAKE_STRIP} --strip-debug -o ${stripped} $<TARGET_FILE:${name}>)
    else()
        set(strip ${CMAKE_COMMAND} -E copy $<TARGET_FILE:${name}> ${stripped})
    endif()
    add_custom_command(OUTPUT ${output}
        COMMAND ${strip}
        COMMAND $<TARGET_FILE:otter::otter-cli> image build --elf ${stripped} --project ${project}
            --app-version ${version} --secure-version ${secure_version} -o ${output}
        DEPENDS ${name} otter::otter-cli
        BYPRODUCTS ${stripped}
        COMMENT "Making image ${output}"
        VERBATIM)
    add_custom_target(${name}_image ALL DEPENDS ${output})
    set_target_properties(${name} PROPERTIES OTTER_IMAGE ${output})
endfunction()
