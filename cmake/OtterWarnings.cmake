# SPDX-License-Identifier: Apache-2.0
# Warnings and sanitizers for every target of Otter's own.
option(OTTER_WERROR "Treat compiler warnings as errors" ON)

add_library(otter_warnings INTERFACE)
# asm("...") names embedded files in ESP-IDF's applications; clang -Wpedantic would not have it.
target_compile_options(otter_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<C_COMPILER_ID:Clang>:-Wno-language-extension-token>
    $<$<BOOL:${OTTER_WERROR}>:-Werror>)
if(OTTER_SANITIZE)
    add_compile_options(-fsanitize=${OTTER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${OTTER_SANITIZE})
endif()
