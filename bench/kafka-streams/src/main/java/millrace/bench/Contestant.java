package millrace.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** What all contestants have in common: they say when their first record comes, and end when their standard input ends. */
final class Contestant {
    private static final AtomicBoolean BEGUN = new AtomicBoolean();

    private Contestant() { }

    /** Prints {@code first} and the time of day in ms, once. */
    static void sayFirst() {
        if (!BEGUN.get() && BEGUN.compareAndSet(false, true)) {
            System.out.println("first " + System.currentTimeMillis());
        }
    }

    /** Exactly once, a commit every 100 ms, one thread. */
    static Properties properties(String brokers, String applicationId, String stateDirectory) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        return properties;
    }

    static void run(Topology topology, Properties properties) throws IOException {
        KafkaStreams streams = new KafkaStreams(topology, properties);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_APPLICATION;
        });
        streams.start();
        while (System.in.read() >= 0) {
            // Nothing is said on standard input.
        }
        streams.close(Duration.ofSeconds(30));
    }
}
