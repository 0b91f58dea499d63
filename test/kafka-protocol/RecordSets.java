import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.*;

// Prints record sets as Kafka's own classes write them, for jvm-record-sets.json. After `npm run kafka` has fetched the jars:
// java -cp "$(echo .kafka/jars/kafka-*/jars)/*" test/kafka-protocol/RecordSets.java > test/kafka-protocol/jvm-record-sets.json
public class RecordSets {
    static final long BASE = 1_700_000_000_000L;

    public static void main(String[] arguments) {
        StringBuilder json = new StringBuilder("{\n");
        add(json, "none", records(Compression.NONE, TimestampType.CREATE_TIME));
        add(json, "gzip", records(Compression.gzip().build(), TimestampType.CREATE_TIME));
        add(json, "snappy", records(Compression.snappy().build(), TimestampType.CREATE_TIME));
        add(json, "lz4", records(Compression.lz4().build(), TimestampType.CREATE_TIME));
        add(json, "zstd", records(Compression.zstd().build(), TimestampType.CREATE_TIME));
        add(json, "logAppendTime", records(Compression.NONE, TimestampType.LOG_APPEND_TIME));
        add(json, "deleteHorizon", deleteHorizon());
        add(json, "empty", empty());
        add(json, "abortMarker", marker(ControlRecordType.ABORT));
        add(json, "commitMarker", marker(ControlRecordType.COMMIT));
        json.setLength(json.length() - 2);
        System.out.println(json.append("\n}"));
    }

    static void add(StringBuilder json, String name, ByteBuffer bytes) {
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        json.append("  \"").append(name).append("\": \"").append(Base64.getEncoder().encodeToString(copy)).append("\",\n");
    }

    /** Enough bytes that a codec has something to pack; offsets 100 to 129, decreasing and far timestamps. */
    static ByteBuffer records(Compression compression, TimestampType type) {
        MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(1 << 16), RecordBatch.MAGIC_VALUE_V2, compression, type,
            100L, BASE + 77, 4242L, (short) 3, 17, false, 5);
        fill(builder);
        return builder.build().buffer();
    }

    static void fill(MemoryRecordsBuilder builder) {
        builder.append(BASE, null, utf8("no key"));
        builder.append(BASE - 5, utf8("tombstone"), null);
        builder.append(BASE + 86_400_000L * 365 * 50, utf8(""), utf8(""));
        builder.append(0L, utf8("grüße"), utf8("日本語 🙂"), new Header[] {
            new RecordHeader("a", utf8("1")), new RecordHeader("a", utf8("2")), new RecordHeader("null", (byte[]) null),
            new RecordHeader("", utf8("empty name")) });
        for (int i = 4; i < 30; i++) builder.append(BASE + i, utf8("key-" + i), utf8("v".repeat(100) + i));
    }

    /** With a delete horizon (KIP-534) the base timestamp is the horizon, and all deltas refer to it. */
    static ByteBuffer deleteHorizon() {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(new org.apache.kafka.common.utils.ByteBufferOutputStream(buffer),
            RecordBatch.MAGIC_VALUE_V2, Compression.NONE, TimestampType.CREATE_TIME, 0L, RecordBatch.NO_TIMESTAMP, 9L, (short) 0, 0,
            false, false, 0, buffer.capacity(), BASE + 1_000_000L);
        builder.append(BASE, utf8("a"), utf8("1"));
        builder.append(BASE + 1, utf8("b"), null);
        return builder.build().buffer();
    }

    /** What compaction leaves of a producer's last batch when all of its records are gone. */
    static ByteBuffer empty() {
        ByteBuffer buffer = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
        DefaultRecordBatch.writeEmptyHeader(buffer, RecordBatch.MAGIC_VALUE_V2, 7L, (short) 0, 0, 5L, 9L, 1, TimestampType.CREATE_TIME,
            BASE, false, false);
        buffer.flip();
        return buffer;
    }

    static ByteBuffer marker(ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(20L, BASE, 1, 7L, (short) 0, new EndTransactionMarker(type, 3)).buffer();
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
