import { compactionChapter, recreationChapter, retentionChapter } from './kafka-port/cleanup-chapters';
import { type Chapter, chapters, type KafkaPortContractOptions } from './kafka-port/contract';
import { fencingChapter, transactionsChapter, unknownEndChapter } from './kafka-port/coordinator-chapters';
import { descriptionChapter } from './kafka-port/description-chapter';
import { groupsChapter, staticMembersChapter } from './kafka-port/group-chapters';
import { adminChapter, deleteRecordsChapter, listOffsetsChapter, metadataChapter, produceAndFetchChapter } from './kafka-port/log-chapters';
import { groupOffsetsChapter, transactionalOffsetsChapter } from './kafka-port/offset-chapters';
import { idempotenceChapter, isolationChapter } from './kafka-port/transaction-chapters';
import { Workbench } from './kafka-port/workbench';

export type { Chapter, KafkaPortContractOptions } from './kafka-port/contract';

const write: Readonly<Record<Chapter, (bench: () => Workbench) => void>> = {
  metadata: metadataChapter,
  'produce and fetch': produceAndFetchChapter,
  isolation: isolationChapter,
  'list offsets': listOffsetsChapter,
  idempotence: idempotenceChapter,
  transactions: transactionsChapter,
  fencing: fencingChapter,
  'unknown EndTxn': unknownEndChapter,
  'transactions of others': descriptionChapter,
  'offsets in transactions': transactionalOffsetsChapter,
  groups: groupsChapter,
  'static members': staticMembersChapter,
  'group offsets': groupOffsetsChapter,
  admin: adminChapter,
  'delete records': deleteRecordsChapter,
  compaction: compactionChapter,
  retention: retentionChapter,
  're-creation': recreationChapter,
};

/**
 * What every implementation of the port answers, as Apache Kafka 4.3.1 does. Names are unique to a run: the broker behind it may be shared
 * and of any age.
 */
export function kafkaPortContract(options: KafkaPortContractOptions): void {
  describe(`the Kafka port: ${options.name}`, () => {
    for (const chapter of chapters) {
      const reason = options.skip?.[chapter];
      const section = reason === undefined ? describe : describe.skip;
      section(reason === undefined ? chapter : `${chapter} (skipped: ${reason})`, () => {
        let bench: Workbench;
        beforeAll(async () => {
          bench = new Workbench(options);
          await bench.open();
        });
        afterAll(() => bench.close());
        write[chapter](() => bench);
      });
    }
  });
}
