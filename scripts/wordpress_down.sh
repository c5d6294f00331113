#!/usr/bin/env bash
# Stops what scripts/wordpress_up.sh started: scripts/wordpress_down.sh FOLDER
set -euo pipefail
source "$(dirname "$0")/wordpress/processes.sh"

folder=$(cd "${1:?usage: scripts/wordpress_down.sh FOLDER}" && pwd)
for name in site database; do
  while pid=$(pid_of "$folder" "$name"); do
    # Each leads a session of its own, so that PHP's workers end with it.
    kill -- "-$pid"
    sleep 0.1
  done
  rm -f "$folder/$name.pid"
done
