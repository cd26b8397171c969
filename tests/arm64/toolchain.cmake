# SPDX-License-Identifier: MIT OR Apache-2.0
#
# For CMake: arm64 Linux by Debian's cross compiler, its programs run by qemu-user. `./build.sh arm64` uses it.
#
# The emulator gets 4 GiB of address space: it keeps a descriptor of every page that is reserved, and a store would like to reserve 32 GiB. So stores take what they get, 1 or 2
# GiB of flat blocks, or chunks when even that is not there.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR "qemu-aarch64;-R;4G;-L;/usr/aarch64-linux-gnu")

# SIMDe is a folder of headers that suits every architecture; next to it are the host's headers, so it is reached through a link of its own.
set(cm_simde_folder ${CMAKE_CURRENT_LIST_DIR}/../../build/arm64-include)
file(MAKE_DIRECTORY ${cm_simde_folder})
file(CREATE_LINK /usr/include/simde ${cm_simde_folder}/simde SYMBOLIC)
set(CMAKE_C_FLAGS_INIT "-isystem ${cm_simde_folder}")
