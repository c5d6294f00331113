# What runs for a trial site; sourced by wordpress_up.sh and wordpress_down.sh.

# pid_of FOLDER NAME: of the process that runs, if it does. The number may be another's by now.
pid_of() {
  local pid
  pid=$(cat "$1/$2.pid" 2>/dev/null) || return
  tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -F "$1/" >/dev/null && echo "$pid"
}
