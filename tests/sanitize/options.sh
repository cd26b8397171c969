# SPDX-License-Identifier: MIT OR Apache-2.0
# options.sh SANITIZER - to be sourced: how programs compiled for it report. A report ends the program, so that the test that caused it is the last one named.
export ASAN_OPTIONS=halt_on_error=1:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# yajl, which is compiled without the memory sanitizer, calls strlen on a buffer of its own stack for each \u in a text.
export MSAN_OPTIONS=halt_on_error=1:intercept_strlen=0
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
[ "$1" != thread-urcu ] || TSAN_OPTIONS=$TSAN_OPTIONS:suppressions=$PWD/tests/sanitize/liburcu.supp
