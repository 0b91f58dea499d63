package millrace.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.WindowedSerdes;
import org.apache.kafka.streams.state.WindowStore;

/** Clicks per user and minute, emitted when the minute closes. */
public final class WindowedCount {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration GRACE = Duration.ofSeconds(10);

    private WindowedCount() { }

    /** Arguments: brokers, application id, input topic, output topic, state directory. */
    public static void main(String[] arguments) throws IOException {
        Properties properties = Contestant.properties(arguments[0], arguments[1], arguments[4]);
        // With a cache, the first closing window of a task has Kafka Streams range over the cache from 1970 on, segment by segment: some
        // 15 s of next to no work at the start of a run. It is in Kafka Streams' favour that we leave the cache out.
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        // By default closed windows are looked for once a second of wall clock, so that a run would end with windows closed but not out.
        // Then it would have done less than the contestant it is compared with. An internal name: Kafka Streams has no constant for it
        // among its public ones, and says nothing of a misspelt one, which the check of the output notices.
        properties.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L);
        Contestant.run(topology(arguments[2], arguments[3]), properties);
    }

    private static Topology topology(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        builder
            .stream(input, Consumed.with(Serdes.String(), JsonSerde.of(Click.class)))
            .peek((user, click) -> Contestant.sayFirst())
            .groupByKey(Grouped.with(Serdes.String(), JsonSerde.of(Click.class)))
            .windowedBy(TimeWindows.ofSizeAndGrace(MINUTE, GRACE))
            .emitStrategy(EmitStrategy.onWindowClose())
            .count(Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("clicks-per-user"))
            .toStream()
            .to(output, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, MINUTE.toMillis()), Serdes.Long()));
        return builder.build();
    }
}
