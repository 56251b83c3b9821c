# Cassandra as a plain process: one node with the whole ring. Read by docker/services.

cassandra_fetch() { fetch_jars cassandra "$CASSANDRA_VERSION" -Dcassandra.version="$CASSANDRA_VERSION"; }

cassandra_start() {
  local home="$dir/cassandra" lib="$dir/packages/cassandra-$CASSANDRA_VERSION/lib" jamm package opens=()
  jamm=("$lib"/jamm-*.jar)
  fill cassandra cassandra.yaml
  cp "$here/plain/cassandra/logback.xml" "$home/logback.xml"
  # What Cassandra reaches into on Java 17.
  for package in jdk.internal.misc jdk.internal.ref sun.nio.ch; do opens+=(--add-exports "java.base/$package=ALL-UNNAMED"); done
  opens+=(--add-exports java.management.rmi/com.sun.jmx.remote.internal.rmi=ALL-UNNAMED --add-exports java.rmi/sun.rmi.registry=ALL-UNNAMED
    --add-exports java.rmi/sun.rmi.server=ALL-UNNAMED --add-exports java.sql/java.sql=ALL-UNNAMED
    --add-opens jdk.management/com.sun.management.internal=ALL-UNNAMED --add-opens java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED)
  for package in java.io java.lang java.lang.module java.lang.ref java.lang.reflect java.math java.net java.nio java.util java.util.concurrent \
    java.util.concurrent.atomic jdk.internal.loader jdk.internal.ref jdk.internal.reflect jdk.internal.math jdk.internal.module \
    jdk.internal.util.jar sun.nio.ch; do
    opens+=(--add-opens "java.base/$package=ALL-UNNAMED")
  done
  # One node has nobody to wait for: no ring delay, no gossip to settle, one token.
  launch cassandra java -Xms"$CASSANDRA_HEAP" -Xmx"$CASSANDRA_HEAP" -XX:+UseG1GC -javaagent:"${jamm[0]}" -Djdk.attach.allowAttachSelf=true "${opens[@]}" \
    -Dcassandra.config="file://$home/cassandra.yaml" -Dcassandra.storagedir="$home/data" -Dcassandra.logdir="$home" -Dlogback.configurationFile="$home/logback.xml" \
    -Dcassandra.ring_delay_ms=0 -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.initial_token=0 -Dcassandra-foreground=yes \
    -Djava.library.path= -cp "$lib/*" org.apache.cassandra.service.CassandraDaemon
}

# The native transport opens when the node has joined its ring.
cassandra_ready() { listens "$(port_of cassandra)"; }
