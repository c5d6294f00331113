#!/usr/bin/env bash
# A real WordPress on loopback to try publishing on: scripts/wordpress_up.sh FOLDER [PORT]
#
# Prints one line of JSON: url, who may enter (user, app_password, password for JWT; reader,
# reader_app_password for one who may only read), and how to stop it. Run again it prints the same
# and starts what is not running. WordPress and its database live in FOLDER and run as processes of
# their own; nothing becomes a service of the machine. FOLDER's path must be short: it holds a
# socket.
#
# Needs Debian's php-cli, php-mysql, php-gd, mariadb-server-core and mariadb-client-core: root
# installs them, others find them installed. WordPress is unpacked from Debian's package.
# Ends with 77 when that cannot be had.
set -euo pipefail

source "$(dirname "$0")/wordpress/processes.sh"
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mkdir -p "${1:?usage: scripts/wordpress_up.sh FOLDER [PORT]}" && cd "$1" && pwd)
site=$folder/usr/share/wordpress
socket=$folder/database.sock
packages=(php-cli php-mysql php-gd mariadb-server-core mariadb-client-core)
address=127.0.0.1:${2:-$(cat "$folder/port" 2>/dev/null || echo 8088)}

unavailable() {
  echo "WordPress cannot be installed here: $1" >&2
  exit 77
}

has_programs() {
  mariadbd --version && command -v mariadb-install-db && my_print_defaults --version &&
    php -r 'exit(extension_loaded("mysqli") && extension_loaded("gd") ? 0 : 1);'
} >/dev/null 2>&1

install_programs() {
  has_programs && return
  [ "$(id -u)" = 0 ] || unavailable "install ${packages[*]}."
  timeout 60 apt-get update -qq >&2 || unavailable "apt-get update failed."
  DEBIAN_FRONTEND=noninteractive timeout 150 apt-get install -qq -y --no-install-recommends \
    "${packages[@]}" >/dev/null ||
    unavailable "apt-get install failed."
}

unpack() {
  [ -e "$site/wp-load.php" ] && return
  (cd "$folder" && timeout 60 apt-get -qq -o APT::Sandbox::User=root download wordpress php-getid3) >&2 ||
    unavailable "apt-get download failed; run apt-get update."
  for package in "$folder"/*.deb; do dpkg -x "$package" "$folder"; done
}

# start NAME COMMAND…: in the background, in a session of its own, its output in NAME.log.
start() {
  setsid "${@:2}" >>"$folder/$1.log" 2>&1 </dev/null &
  echo $! >"$folder/$1.pid"
}

# until_ok COMMAND…: half a minute of patience.
until_ok() {
  for _ in $(seq 150); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  echo "Waited too long for: $*. See the logs in $folder." >&2
  exit 1
}

start_database() {
  pid_of "$folder" database >/dev/null && return
  local options=(--no-defaults --user="$(id -un)" --datadir="$folder/database")
  if [ ! -d "$folder/database/mysql" ]; then
    mariadb-install-db "${options[@]}" --auth-root-authentication-method=normal \
      --skip-test-db >"$folder/database.log" 2>&1
  fi
  # As of tests: nothing outlives a crash, so nothing has to reach the disk.
  start database mariadbd "${options[@]}" --socket="$socket" --skip-networking \
    --skip-log-bin --innodb-flush-log-at-trx-commit=0
  until_ok php -r "new mysqli('localhost', 'root', '', '', 0, '$socket');"
}

start_site() {
  pid_of "$folder" site >/dev/null && return
  echo "${address#*:}" >"$folder/port"
  sed -e "s|@FOLDER@|$folder|g; s|@ADDRESS@|$address|g; s|@PLUGINS@|$here/wordpress/mu-plugins|g" \
    "$here/wordpress/wp-config.php" >"$site/wp-config.php"
  php -d display_errors=stderr "$here/wordpress/install.php" "$site" >>"$folder/install.log" 2>&1
  PHP_CLI_SERVER_WORKERS=4 start site php -d display_errors=0 -d opcache.enable_cli=1 \
    -d upload_max_filesize=64M -d post_max_size=64M -S "$address" -t "$site" "$here/wordpress/router.php"
  until_ok php -r "file_get_contents('http://$address/wp-json/') || exit(1);"
  pid_of "$folder" site >/dev/null || {
    echo "Something else listens on $address: give another port." >&2
    exit 1
  }
}

{
  install_programs
  unpack
  start_database
  start_site
} >&2
cat "$folder/login.json"
