# shellcheck shell=bash
# What the scripts of tools/ share.  Sourced; sets the options of the shell.

set -euo pipefail
shopt -s inherit_errexit
umask 022
export LC_ALL=C.UTF-8

# a caller's PGHOST or PGOPTIONS must not lead us to another server
for portal_name in "${!PG@}"; do
    unset "$portal_name"
done
unset portal_name CDPATH

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$TOP/build

# of nginx-dev: headers and configure, without sources
HEADERS=/usr/share/nginx/src

# nginx itself stores misaligned numbers and hands NULL to memcpy
# shellcheck disable=SC2034,SC2054
ASAN_CC_OPT=(-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
    -fno-sanitize=alignment,nonnull-attribute -DNGX_DEBUG_PALLOC=1 -fPIC
    -Wno-error=maybe-uninitialized)
# shellcheck disable=SC2034,SC2054
ASAN_LD_OPT=(-fsanitize=address,undefined)

# root never runs a server as itself
if [[ $EUID == 0 ]]; then
    DB_ACCOUNT=postgres
    WEB_ACCOUNT=www-data
else
    DB_ACCOUNT=$(id -un)
    WEB_ACCOUNT=$DB_ACCOUNT
fi
export TOP BUILD HEADERS DB_ACCOUNT WEB_ACCOUNT


say() {
    printf '%s\n' "$*"
}


die() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}


# as ACCOUNT COMMAND...: setpriv and not su, so that it is the command
# itself that gets our signals, and no PAM is needed
as() {
    local account=$1
    shift

    if [[ $account == "$(id -un)" ]]; then
        (cd / && exec "$@")
    else
        (cd / && HOME=/ exec setpriv --reuid="$account" --regid="$account" \
            --init-groups -- "$@")
    fi
}


# Folder of the programs of PostgreSQL: of that version, or the newest.
pg_bin() {
    local version=${1:-} dir

    if [[ -z $version ]]; then
        version=$(pg_version) || return 1
    fi

    dir=/usr/lib/postgresql/$version/bin
    [[ -x $dir/postgres && -x $dir/initdb ]] || return 1
    printf '%s\n' "$dir"
}


pg_version() {
    local dir version newest=0

    for dir in /usr/lib/postgresql/*/bin; do
        version=${dir%/bin}
        version=${version##*/}

        if [[ $version =~ ^[0-9]+$ && -x $dir/initdb && -x $dir/postgres ]] \
           && ((version >= 15 && version > newest)); then
            newest=$version
        fi
    done

    ((newest)) || return 1
    printf '%s\n' "$newest"
}


# Can the accounts of the servers pass through this folder?
reachable() {
    [[ $EUID != 0 ]] || {
        as "$DB_ACCOUNT" test -x "$1" && as "$WEB_ACCOUNT" test -x "$1"
    }
}


# The folder to work in for DIR, made if need be: DIR itself, or, where the
# accounts of the servers cannot reach it (a checkout in /root), one in
# /var/tmp that DIR becomes a link to.
real_dir() {
    local dir=$1 alt parent

    if [[ -d $dir ]]; then
        dir=$(cd "$dir" && pwd -P)
        reachable "$dir" || {
            [[ -z $(ls -A "$dir") ]] \
                || die "$WEB_ACCOUNT and $DB_ACCOUNT cannot reach $dir"
            rmdir "$dir"
        }
    fi

    dir=$(realpath -ms "$dir")

    if [[ ! -d $dir ]]; then
        parent=$(dirname "$dir")
        mkdir -p "$parent"
        parent=$(cd "$parent" && pwd -P)
        dir=$parent/${dir##*/}

        if reachable "$parent"; then
            mkdir -p "$dir"
        else
            alt=$(outside_dir "$dir")
            mkdir -m 0755 "$alt"
            ln -sfn "$alt" "$dir"
            dir=$alt
        fi
    fi

    printf '%s\n' "$dir"
}


# A folder whose link is gone is of an earlier checkout: emptied.  The name
# can be guessed, so it is used only where it is ours.
outside_dir() {
    local alt
    alt=/var/tmp/portal-$EUID-$(printf '%s' "$1" | sha256sum | cut -c1-16)

    if [[ -e $alt || -L $alt ]]; then
        [[ -d $alt && ! -L $alt && -O $alt ]] \
            || die "$alt is in the way and not ours"
        end_all "$alt"
        rm -rf --one-file-system "$alt"
    fi

    printf '%s\n' "$alt"
}


# The folder of templates and assets.  The workers open assets themselves:
# what they cannot read where it is, is copied below DIR.
share() {
    local dir=$1 unreadable

    if unreadable=$(as "$WEB_ACCOUNT" find "$TOP/conf" ! -readable \
                    -print -quit 2>/dev/null) && [[ -z $unreadable ]]; then
        printf '%s\n' "$TOP/conf"
        return 0
    fi

    rm -rf "$dir/share"
    cp -r "$TOP/conf" "$dir/share"
    chmod -R a+rX,u+w "$dir/share"
    printf '%s\n' "$dir/share"
}


# The processes of one of our servers: the program has that name, and its
# current folder is that one, which no other process has by accident.
server_pids() {
    local dir=$1 name=$2 p exe

    for p in /proc/[0-9]*; do
        exe=$(readlink "$p/exe" 2>/dev/null) || continue
        exe=${exe% (deleted)}

        if [[ ${exe##*/} == "$name" && $p/cwd -ef $dir ]]; then
            printf '%s\n' "${p#/proc/}"
        fi
    done
}


is_server() {
    local pid=$1 dir=$2 name=$3 exe

    [[ $pid =~ ^[0-9]+$ && $pid -gt 1 ]] || return 1
    exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
    exe=${exe% (deleted)}
    [[ ${exe##*/} == "$name" && /proc/$pid/cwd -ef $dir ]]
}


# Ends what a crash has left of a server: asks, waits, insists.
end_servers() {
    local dir=$1 name=$2 signal pids i

    [[ -d $dir ]] || return 0

    for signal in TERM KILL; do
        pids=$(server_pids "$dir" "$name")
        [[ -n $pids ]] || return 0

        # shellcheck disable=SC2086
        kill -s "$signal" $pids 2>/dev/null || true

        for ((i = 0; i < 50; i++)); do
            [[ -n $(server_pids "$dir" "$name") ]] || return 0
            sleep 0.1
        done
    done

    die "cannot end the $name processes of $dir"
}


end_all() {
    end_servers "$1" nginx
    end_servers "$1/pg" postgres
}
