# Kafka as a plain process: one node that is broker and controller (KRaft). Read by docker/services.

kafka_fetch() {
  fetch_jars kafka "$KAFKA_VERSION" -Dkafka.version="$KAFKA_VERSION" -Dkafka.scala="$KAFKA_SCALA" -Dslf4j.version="$KAFKA_SLF4J_VERSION"
}

kafka_start() {
  local jars="$dir/packages/kafka-$KAFKA_VERSION/lib/*"
  fill kafka server.properties
  if [ ! -f "$dir/kafka/data/meta.properties" ]; then
    # A cluster id is 16 bytes in URL-safe base64, and must not begin with a dash.
    local cluster
    cluster="s$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)"
    java -cp "$jars" kafka.tools.StorageTool format --cluster-id "$cluster" --config "$dir/kafka/server.properties" >> "$dir/kafka/log" 2>&1 ||
      die "Kafka's data folder could not be made; see $dir/kafka/log"
  fi
  launch kafka java -Xms"$KAFKA_HEAP" -Xmx"$KAFKA_HEAP" -XX:+UseG1GC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info -cp "$jars" kafka.Kafka "$dir/kafka/server.properties"
}

# The port opens long before the broker serves; what it says when it does is in its log.
kafka_ready() { grep -q 'Kafka Server started' "$dir/kafka/log" && listens "$(port_of kafka)"; }
