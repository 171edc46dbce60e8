#!/bin/sh
# Gathers what `diagnose log` needs from a Xen host, as root in dom0: one directory, packed with tar.
# Changes nothing on the host but Xen's console log, into which the debug keys print. Asks what is
# there and passes over what is not. An argument names the directory.

umask 077
host=$(uname -n 2>/dev/null)
when=$(date +%Y%m%d-%H%M%S 2>/dev/null)
dir=${1:-diagnose-${host:-host}-${when:-now}}
if ! mkdir -p "$dir"; then
    echo "$dir cannot be made; name another directory" >&2
    exit 2
fi

errors=$dir/collect-errors.txt

# A command that may hang, as one of a dead xend does, gets so many seconds.
patience=60

# within COMMAND: its status, or that of having been killed.
within() {
    ( eval "$1" ) </dev/null &
    asked=$!
    ( sleep $patience; kill $asked ) >/dev/null 2>&1 &
    guard=$!
    wait $asked 2>/dev/null
    status=$?
    kill $guard >/dev/null 2>&1
    return $status
}

# take FILE COMMAND: what the command prints, into that file. A file of nothing is left out.
take() {
    within "$2" >"$dir/$1" 2>>"$errors"
    [ -s "$dir/$1" ] || rm -f "$dir/$1"
}

# copy NAME WORD FILE...: the files that there are, called after NAME, without lines with the word.
copy() {
    name=$1
    word=$2
    shift 2
    for each in "$@"; do
        if [ ! -f "$each" ]; then
            continue
        elif [ -n "$word" ]; then
            sed "/$word/d" "$each" >"$dir/$name${each##*/}" 2>>"$errors"
        else
            cp -p "$each" "$dir/$name${each##*/}" 2>>"$errors"
        fi
    done
}

# The tool stack that answers: xend's where it runs, since xl speaks on such a host as well.
tool=
for each in xl xm; do
    within "$each list" >/dev/null 2>&1 && tool=$each
done

#@ the parts

[ -s "$errors" ] || rm -f "$errors"
if tar -cf "$dir.tar" "$dir" 2>/dev/null; then
    gzip -f "$dir.tar" 2>/dev/null
    ls "$dir.tar"* 2>/dev/null
fi
echo "$dir"
exit 0
