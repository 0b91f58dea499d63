import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints partition, key and value of every committed record of a topic, tab-separated. Kafka's own client: it shares no code with us. */
public final class ReadCommitted {
    public static void main(String[] words) throws Exception {
        var properties = new Properties();
        properties.put("bootstrap.servers", words[0]);
        properties.put("isolation.level", "read_committed");
        var out = new java.io.PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false, StandardCharsets.UTF_8);
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            var partitions = consumer.partitionsFor(words[1]).stream().map(info -> new TopicPartition(info.topic(), info.partition())).toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            // Of a read_committed consumer these are the last stable offsets; nothing is open when this runs.
            var ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    out.println(record.partition() + "\t" + record.key() + "\t" + record.value());
                }
            }
        }
        out.flush();
    }
}
