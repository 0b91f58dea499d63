import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Prints every committed record of the topics named, topic by topic: topic, partition, timestamp, key, value, tab-separated, bytes as
 * base64, null as "-". Kafka's own client: it shares no code with us.
 */
public final class DumpLogs {
    public static void main(String[] words) throws Exception {
        var properties = new Properties();
        properties.put("bootstrap.servers", words[0]);
        properties.put("isolation.level", "read_committed");
        var out = new java.io.PrintStream(
            new java.io.BufferedOutputStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), 1 << 16), false, StandardCharsets.UTF_8);
        var base64 = Base64.getEncoder();
        try (var consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            for (int at = 1; at < words.length; at++) {
                var partitions = consumer.partitionsFor(words[at]).stream().map(info -> new TopicPartition(info.topic(), info.partition())).toList();
                consumer.assign(partitions);
                consumer.seekToBeginning(partitions);
                // Of a read_committed consumer these are the last stable offsets; nothing is open when this runs.
                var ends = consumer.endOffsets(partitions);
                while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                    for (var record : consumer.poll(Duration.ofMillis(200))) {
                        out.print(record.topic() + "\t" + record.partition() + "\t" + record.timestamp() + "\t");
                        out.print(record.key() == null ? "-" : base64.encodeToString(record.key()));
                        out.print("\t");
                        out.println(record.value() == null ? "-" : base64.encodeToString(record.value()));
                    }
                }
            }
        }
        out.flush();
    }
}
