package millrace.bench;

import java.io.IOException;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/** Clicks with the profile of their user, from a table whose topic is its changelog. */
public final class TableJoin {
    private TableJoin() { }

    /** Arguments: brokers, application id, input topic, output topic, state directory, topic of the table. */
    public static void main(String[] arguments) throws IOException {
        Properties properties = Contestant.properties(arguments[0], arguments[1], arguments[4]);
        // The table's topic as its changelog, instead of a second copy of it. The record cache stays as it comes: it helps here.
        properties.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        Contestant.run(topology(arguments[2], arguments[3], arguments[5], properties), properties);
    }

    private static Topology topology(String input, String output, String users, Properties properties) {
        StreamsBuilder builder = new StreamsBuilder();
        KTable<String, Profile> profiles = builder.table(
            users,
            Consumed.with(Serdes.String(), JsonSerde.of(Profile.class)),
            Materialized.<String, Profile, KeyValueStore<Bytes, byte[]>>as("profiles")
                .withKeySerde(Serdes.String()).withValueSerde(JsonSerde.of(Profile.class)));
        builder
            .stream(input, Consumed.with(Serdes.String(), JsonSerde.of(Click.class)))
            .peek((user, click) -> Contestant.sayFirst())
            .join(
                profiles,
                (click, profile) -> new Enriched(click.id(), click.kind(), click.page(), click.user(),
                    profile.name(), profile.country(), profile.tier()),
                Joined.with(Serdes.String(), JsonSerde.of(Click.class), JsonSerde.of(Profile.class)))
            .to(output, Produced.with(Serdes.String(), JsonSerde.of(Enriched.class)));
        return builder.build(properties);
    }
}
