#!/usr/bin/env bash
# Runs a command of the repository on a machine with nothing installed: a fresh Debian 12 in a chroot.
#
# usage: tools/clean_machine.sh [--reuse] COMMAND...        for instance: tools/clean_machine.sh ./dev test
#
# The repository goes in as a clone of HEAD: what is not committed is not there. Mirror, proxy and name servers are
# this machine's. --reuse keeps the root of the last run with all it installed and built, and takes over the new HEAD.
# Needs root and debootstrap. The root is TRUNKLINE_CLEAN_ROOT, default /var/tmp/clean (about 4 GB). Its mounts live
# in a namespace of their own: they are gone when the command ends, however it ends.
set -euo pipefail

die() { printf 'clean_machine: %s\n' "$*" >&2; exit 1; }

reuse=false
if [[ ${1:-} == --reuse ]]; then reuse=true; shift; fi
(( $# > 0 )) || die "which command? For instance: tools/clean_machine.sh ./dev test"
(( EUID == 0 )) || die "needs root (debootstrap, chroot)"
command -v debootstrap >/dev/null || die "needs debootstrap: apt-get install debootstrap"

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${TRUNKLINE_CLEAN_ROOT:-/var/tmp/clean}
inside=/srv/trunkline
suite=bookworm

# "URI suite component" of each Debian 12 package list this machine's apt reads; Debian's own mirror if there is none.
package_lists() {
  local lists
  # shellcheck disable=SC2016  # apt fills these in
  lists=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' 2>/dev/null |
    awk -v suite=$suite '$2 ~ "^" suite "(-updates|-security)?$" && $3 == "main"' | sort -u)
  if [[ $(awk '{print $2}' <<<"$lists" | sort -u | wc -l) -eq 3 ]]; then
    echo "$lists"
  else
    printf '%s\n' "http://deb.debian.org/debian $suite main" "http://deb.debian.org/debian $suite-updates main" \
      "http://deb.debian.org/debian-security $suite-security main"
  fi
}

make_root() {
  [[ ! -e $root || -e $root/.trunkline-clean-machine ]] || die "$root exists and was not made by this script"
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  touch "$root/.trunkline-clean-machine"
  local mirror
  mirror=$(package_lists | awk -v suite=$suite '$2 == suite {print $1; exit}')
  debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$root.log" 2>&1 ||
    { tail -20 "$root.log" >&2; die "debootstrap failed"; }
  package_lists | sed 's/^/deb /' >"$root/etc/apt/sources.list"
  # How this machine reaches its mirror: proxies, time-outs, validity of old snapshots. Not what else it fetches.
  apt-config dump | grep -E '^Acquire::(https?|Check-|ForceIPv|Retries)' >"$root/etc/apt/apt.conf.d/90machine" || true
  if [[ -e /etc/apt/auth.conf ]]; then cp -p /etc/apt/auth.conf "$root/etc/apt/"; fi
}

if [[ $reuse == false || ! -e $root/.trunkline-clean-machine ]]; then make_root; fi
# A proxy that opens TLS has its own authority; the package ca-certificates takes it over when it is installed.
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$root/usr/local/share/ca-certificates" {} +
if [[ -x $root/usr/sbin/update-ca-certificates ]]; then chroot "$root" update-ca-certificates >/dev/null; fi
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/hosts "$root/etc/hosts"

if [[ -d $root$inside/.git ]]; then
  git -C "$root$inside" fetch -q "$repository" HEAD
  git -C "$root$inside" reset -q --hard FETCH_HEAD
else
  git clone -q --no-hardlinks "$repository" "$root$inside"
fi
echo "clean_machine: $(git -C "$root$inside" log -1 --format='%h %s') in $root"

environment=(HOME=/root TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
for name in http_proxy https_proxy no_proxy; do
  if [[ -n ${!name:-} ]]; then environment+=("$name=${!name}"); fi
done

# shellcheck disable=SC2016  # expanded by the inner shell
exec unshare --mount --pid --fork --kill-child --propagation private bash -c '
  set -eu
  root=$1 inside=$2; shift 2
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  exec env -i "${@:2:$1}" chroot "$root" /bin/sh -c "cd \"\$0\" && exec \"\$@\"" "$inside" "${@:$1 + 2}"
' clean_machine "$root" "$inside" "${#environment[@]}" "${environment[@]}" "$@"
