# SPDX-License-Identifier: Apache-2.0
# Includes point downwards only. Run as: cmake -DROOT=<tree> -P layering.cmake
#
# Reads every #include of the six folders, with quotes or angle brackets and any spacing. Fails,
# naming file and line, on an include that points upwards, on `../` or `./`, on a quoted path
# without one of the six folders, and on an include that it cannot read (a macro, a line break).
# target/main.c joins all folders and may include any of them.
cmake_minimum_required(VERSION 3.25)

set(FOLDERS base proto db lunmgr target web)
set(ALLOWED_base "base/")
set(ALLOWED_proto "proto/|base/")
set(ALLOWED_db "db/|base/")
set(ALLOWED_lunmgr "lunmgr/|db/|base/")
set(ALLOWED_target "target/|lunmgr/|proto/|base/")
set(ALLOWED_web "web/|target/target\\.h$|lunmgr/|base/")
set(ALLOWED_main "base/|proto/|db/|lunmgr/|target/|web/")

if(NOT IS_DIRECTORY "${ROOT}")
  message(FATAL_ERROR "layering: -DROOT=<tree> must name a directory, not '${ROOT}'")
endif()

set(file_count 0)

function(complain file number text)
  message(SEND_ERROR "${file}:${number}: ${text}")
endfunction()

function(check_include file number line allowed)
  if(NOT line MATCHES "^[ \t]*#[ \t]*include(_next)?[ \t]*([<\"])[ \t]*([^>\"]*[^>\" \t])[ \t]*[>\"]")
    complain(${file} ${number} "an include that this test cannot read")
    return()
  endif()
  set(quote "${CMAKE_MATCH_2}")
  set(path "${CMAKE_MATCH_3}")
  string(REPLACE ";" "|" folders "${FOLDERS}")
  if(path MATCHES "(^|/)\\.\\.?/")
    complain(${file} ${number} "'${path}': paths are from the root, without ./ and ../")
  elseif(path MATCHES "^(${folders})/")
    if(NOT path MATCHES "^(${allowed})")
      complain(${file} ${number} "'${path}' points upwards")
    endif()
  elseif(quote STREQUAL "\"")
    complain(${file} ${number} "'${path}': a quoted path begins with its folder")
  endif()
endfunction()

function(check_file file allowed)
  # Brackets and semicolons would be taken for list syntax; no include of ours has them.
  file(READ ${ROOT}/${file} text)
  string(REGEX REPLACE "[][;]" "_" text "${text}")
  string(REGEX REPLACE "\\\\\n" "_" text "${text}")
  string(REGEX REPLACE "\r?\n" ";" lines "${text}")
  set(number 0)
  foreach(line IN LISTS lines)
    math(EXPR number "${number} + 1")
    if(line MATCHES "^[ \t]*(#|%:)[ \t]*(/\\*.*\\*/)?[ \t]*include")
      check_include(${file} ${number} "${line}" "${allowed}")
    endif()
  endforeach()
endfunction()

foreach(folder IN LISTS FOLDERS)
  file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${folder}/*.c ${ROOT}/${folder}/*.h)
  foreach(file IN LISTS files)
    math(EXPR file_count "${file_count} + 1")
    if(file STREQUAL "target/main.c")
      check_file(${file} "${ALLOWED_main}")
    else()
      check_file(${file} "${ALLOWED_${folder}}")
    endif()
  endforeach()
endforeach()

if(file_count EQUAL 0)
  message(FATAL_ERROR "layering: no source file under '${ROOT}'")
endif()
message(STATUS "layering: ${file_count} files read")
