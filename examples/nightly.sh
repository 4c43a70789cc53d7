#!/usr/bin/env bash
# Keep a checked copy of a repo: clone or pull, verify, and export what is in force as an archive.
#
#   bakehouse users tokens create alice nightly --read-only --repo demo    (on the server, once)
#   export BREAD_BASE_URL=http://127.0.0.1:8080 BREAD_API_KEY=<the token>
#   examples/nightly.sh alice alice/demo /backup
#
# This leaves a clone in /backup/demo and an archive in /backup/demo-<date>.tar.gz, and prints the name of the archive.
# Where `bakehouse verify` finds something, the script prints each finding, writes no archive, and ends with status 1.
# The commands `git` and `bakehouse` must be found.
set -euo pipefail

if (($# != 3)); then
  echo "usage: $0 USER OWNER/REPO FOLDER" >&2
  exit 2
fi
export NIGHTLY_USER=$1
repo=$2
name=${2##*/}
copy=$3/$name
archive=$3/$name-$(date -u +%F).tar.gz

# git takes the user and the token from here, so they are in no process list and in no file
export GIT_TERMINAL_PROMPT=0
export GIT_CONFIG_COUNT=2
export GIT_CONFIG_KEY_0=credential.helper GIT_CONFIG_VALUE_0=
export GIT_CONFIG_KEY_1=credential.helper
export GIT_CONFIG_VALUE_1='!f() { echo "username=$NIGHTLY_USER"; echo "password=$BREAD_API_KEY"; }; f'

if [ -d "$copy" ]; then
  git -C "$copy" pull --quiet --ff-only --tags
else
  git clone --quiet "$BREAD_BASE_URL/git/$repo.git" "$copy"
fi

bakehouse verify "$copy" >&2

git -C "$copy" archive --format=tar.gz --prefix="$name/" HEAD > "$archive.part"
mv "$archive.part" "$archive"
echo "$archive"
