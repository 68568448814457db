#!/usr/bin/env bash
# Builds opener_peer.c with the sources of OpENer: build_opener.sh BINARY [SOURCES]
#
# Without SOURCES, an unpacked OpENer, the commit named here is fetched. OpENer has a licence of its
# own (an adapted BSD licence); nothing of it is a dependency of otcore.
set -euo pipefail

readonly REPOSITORY=https://github.com/EIPStackGroup/OpENer
readonly COMMIT=36943e6a14d115604ca2a03846fffe18bb099dba

binary=$(realpath -m "$1")
peer=$(realpath "$(dirname "$0")/opener_peer.c")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ -n ${2-} ]]; then
    cp -r "$2/." "$work"
else
    git -C "$work" init --quiet
    git -C "$work" fetch --quiet --depth 1 "$REPOSITORY" "$COMMIT"
    git -C "$work" checkout --quiet FETCH_HEAD
fi

cd "$work/source/src"
# It listens at the port of the standard; here several listen beside each other.
sed -i 's/^#define kOpenerEthernetPort .*/extern uint16_t opener_port;\n#define kOpenerEthernetPort opener_port/' \
    ports/generic_networkhandler.h
sed -i '/^extern const uint16_t kOpenerEthernetPort;/d' ports/generic_networkhandler.h
sed -e 's/@OpENer_Device_Config_Vendor_Id@/1/' -e 's/@OpENer_Device_Config_Device_Type@/12/' \
    -e 's/@OpENer_Device_Config_Product_Code@/65001/' -e 's/@OpENer_Device_Major_Version@/2/' \
    -e 's/@OpENer_Device_Minor_Version@/3/' -e 's/@OpENer_Device_Config_Device_Name@/OpENer PC/' \
    ports/devicedata.h.in >ports/devicedata.h

sources=(cip/*.c enet_encap/*.c ports/*.c ports/nvdata/*.c utils/*.c)
sources+=(ports/POSIX/{networkconfig,networkhandler,opener_error}.c)
sources+=(ports/POSIX/sample_application/*.c)
folders=(. cip enet_encap ports ports/nvdata ports/POSIX ports/POSIX/sample_application utils)
cc -std=gnu99 -O1 -w -fcommon -D_GNU_SOURCE -DOPENER_POSIX -DRESTRICT=restrict \
    -DPC_OPENER_ETHERNET_BUFFER_SIZE=512 "${folders[@]/#/-I}" "$peer" "${sources[@]}" \
    -pthread -o "$binary"
