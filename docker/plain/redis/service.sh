# Redis as a plain process, from the system's package. Read by docker/services.

redis_fetch() {
  if ! command -v redis-server >/dev/null; then
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || die "redis-server is needed and not on the path: install your system's package"
    say "installing the package redis-server"
    apt-get install -y -qq --no-install-recommends redis-server >> "$dir/redis/log" 2>&1 || die "the package could not be installed; see $dir/redis/log"
  fi
  local version
  version="$(redis-server --version | sed -n 's/.* v=\([^ ]*\).*/\1/p')"
  [ "$version" = "$REDIS_VERSION" ] || say "redis-server is $version here; $REDIS_VERSION is what it is tested with"
}

# Nothing is written to disk: to Souk, Redis is a view that may vanish.
redis_start() {
  launch redis redis-server --bind 127.0.0.1 --port "$(port_of redis)" --dir "$dir/redis" --save "" --appendonly no
}

redis_ready() { listens "$(port_of redis)"; }
