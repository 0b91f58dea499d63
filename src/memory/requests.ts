import type {
  FindCoordinatorAnswer,
  FindCoordinatorRequest,
  PartitionCodes,
  TopicPartition,
  TransactionDescription,
  TxnOffsetCommitRequest,
} from '../kafka/port';
import { brokerCode } from './broker-code';
import type { AdminRequests } from './admin-requests';
import type { AnswerOf, ApiName, CallOf } from './call';
import type { Fetches } from './fetches';
import type { GroupCoordinator } from './groups';
import type { LogRequests } from './log-requests';
import type { CoordinatorType, Nodes } from './nodes';
import { refusedAnswer } from './refused-answer';
import type { StoredGroups } from './stored-group';
import type { Topics } from './topics';
import { type TransactionCoordinator, transactionUndescribed } from './transactions';

export interface Parts {
  readonly topics: Topics;
  readonly admin: AdminRequests;
  readonly log: LogRequests;
  readonly fetches: Fetches;
  readonly transactions: TransactionCoordinator;
  readonly groups: GroupCoordinator;
  readonly stored: StoredGroups;
  readonly nodes: Nodes;
}

type Handler<A extends ApiName> = (call: CallOf<A>, answer: (answer: AnswerOf<A>) => void) => void;
type Handlers = { readonly [A in ApiName]: Handler<A> };

const codes = (partitions: readonly TopicPartition[], codeOf: (each: TopicPartition) => number): PartitionCodes => ({
  partitions: partitions.map(({ topic, partition }) => ({ topic, partition, errorCode: codeOf({ topic, partition }) })),
});

/** Which part of the broker answers which request, after the question whether it was sent to the right node. */
export class Requests {
  readonly #handlers: Handlers;

  constructor(private readonly parts: Parts) {
    this.#handlers = { ...this.#clusterAndLog(), ...this.#transactions(), ...this.#groups() };
  }

  execute<A extends ApiName>(call: CallOf<A>, answer: (answer: AnswerOf<A>) => void): void {
    this.#handlers[call.api](call, answer);
  }

  #clusterAndLog(): Pick<
    Handlers,
    | ('metadata' | 'findCoordinator' | 'createTopics' | 'deleteTopics' | 'describeConfigs')
    | ('fetch' | 'produce' | 'listOffsets' | 'deleteRecords')
  > {
    const { admin, log, fetches } = this.parts;
    return {
      metadata: ({ node, request }, answer) => answer(admin.metadata(node, request.topics)),
      findCoordinator: ({ request }, answer) => answer(this.#findCoordinator(request)),
      createTopics: ({ request }, answer) => answer(admin.createTopics(request.topics)),
      deleteTopics: ({ request }, answer) => answer(admin.deleteTopics(request.topics)),
      describeConfigs: ({ request }, answer) => answer(admin.describeConfigs(request.topics, request.names)),
      fetch: ({ node, request }, answer) => fetches.fetch(node, request, answer),
      produce: ({ node, request }, answer) => answer(log.produce(node, request)),
      listOffsets: ({ node, request }, answer) => answer(log.listOffsets(node, request)),
      deleteRecords: ({ node, request }, answer) => answer(log.deleteRecords(node, request)),
    };
  }

  #transactions(): Pick<Handlers, 'initProducerId' | 'addPartitionsToTxn' | 'addOffsetsToTxn' | 'endTxn' | 'describeTransactions'> {
    const { transactions } = this.parts;
    const here = <A extends ApiName>(handle: Handler<A>): Handler<A & ApiName> =>
      this.#atCoordinator('transaction', (call) => (call.request as { readonly transactionalId: string }).transactionalId, handle);
    return {
      initProducerId: here<'initProducerId'>(({ request }, answer) => answer(transactions.initProducerId(request))),
      addPartitionsToTxn: here<'addPartitionsToTxn'>(({ request }, answer) => {
        const isUnknown = (each: TopicPartition): boolean => this.parts.topics.partition(each) === undefined;
        if (request.partitions.some(isUnknown)) {
          answer(
            codes(request.partitions, (each) =>
              isUnknown(each) ? brokerCode.UNKNOWN_TOPIC_OR_PARTITION : brokerCode.OPERATION_NOT_ATTEMPTED,
            ),
          );
          return;
        }
        const errorCode = transactions.addPartitions(request.transactionalId, request, request.partitions);
        answer(codes(request.partitions, () => errorCode));
      }),
      addOffsetsToTxn: here<'addOffsetsToTxn'>(({ request }, answer) =>
        answer({ errorCode: transactions.addGroup(request.transactionalId, request, request.groupId) }),
      ),
      endTxn: here<'endTxn'>(({ request }, answer) =>
        answer({ errorCode: transactions.end(request.transactionalId, request, request.commit) }),
      ),
      describeTransactions: ({ node, request }, answer) => {
        const describe = (id: string): TransactionDescription => {
          const errorCode = this.parts.nodes.refuseKey('transaction', id, node);
          return errorCode === brokerCode.NONE ? transactions.describe(id) : transactionUndescribed(id, errorCode);
        };
        answer({ transactions: request.transactionalIds.map(describe) });
      },
    };
  }

  #groups(): Pick<
    Handlers,
    'txnOffsetCommit' | 'offsetCommit' | 'offsetFetch' | 'joinGroup' | 'syncGroup' | 'heartbeat' | 'leaveGroup' | 'describeGroup'
  > {
    const { groups } = this.parts;
    const here = <A extends ApiName>(handle: Handler<A>): Handler<A & ApiName> =>
      this.#atCoordinator('group', (call) => (call.request as { readonly groupId: string }).groupId, handle);
    return {
      txnOffsetCommit: here<'txnOffsetCommit'>(({ request }, answer) => answer(this.#txnOffsetCommit(request))),
      offsetCommit: here<'offsetCommit'>(({ request }, answer) => {
        const errorCode = groups.checkCommit(request, false);
        answer(this.#commitEach(request, errorCode, (entry) => groups.commit(request.groupId, entry)));
      }),
      offsetFetch: here<'offsetFetch'>(({ request }, answer) => answer(groups.fetchOffsets(request))),
      joinGroup: here<'joinGroup'>(({ request, clientId }, answer) => {
        groups.join({ request, clientId, answer });
        this.parts.stored.store(request.groupId);
      }),
      syncGroup: here<'syncGroup'>(({ request }, answer) => {
        groups.sync(request, answer);
        this.parts.stored.store(request.groupId);
      }),
      heartbeat: here<'heartbeat'>(({ request }, answer) => answer({ errorCode: groups.heartbeat(request) })),
      leaveGroup: here<'leaveGroup'>(({ request }, answer) => answer({ errorCode: groups.leave(request) })),
      describeGroup: here<'describeGroup'>(({ request }, answer) => answer(groups.describe(request.groupId))),
    };
  }

  #findCoordinator({ type, key }: FindCoordinatorRequest): FindCoordinatorAnswer {
    const nodeId = this.parts.nodes.coordinator(type, key);
    return nodeId === undefined ? { errorCode: brokerCode.COORDINATOR_NOT_AVAILABLE, nodeId: -1 } : { errorCode: brokerCode.NONE, nodeId };
  }

  #atCoordinator<A extends ApiName>(type: CoordinatorType, keyOf: (call: CallOf<A>) => string, handle: Handler<A>): Handler<A> {
    return (call, answer) => {
      const errorCode = this.parts.nodes.refuseKey(type, keyOf(call), call.node);
      if (errorCode === brokerCode.NONE) handle(call, answer);
      else answer(refusedAnswer(call, errorCode));
    };
  }

  /** First whether the producer may write to the group at all, then whether the member may. */
  #txnOffsetCommit(request: TxnOffsetCommitRequest): PartitionCodes {
    const { groups, transactions } = this.parts;
    const { groupId, transactionalId } = request;
    let errorCode = groups.isOpen(groupId, request)
      ? brokerCode.NONE
      : transactions.verify(transactionalId, request, (transaction) => transaction.groups.has(groupId));
    if (errorCode === brokerCode.NONE) errorCode = groups.checkCommit(request, true);
    return this.#commitEach(request, errorCode, (entry) => groups.commit(groupId, entry, request));
  }

  #commitEach(
    request: Pick<TxnOffsetCommitRequest, 'partitions'>,
    errorCode: number,
    commit: (entry: TxnOffsetCommitRequest['partitions'][number]) => number,
  ): PartitionCodes {
    return {
      partitions: request.partitions.map((entry) => {
        const { topic, partition } = entry;
        const isUnknown = this.parts.topics.partition(entry) === undefined;
        if (isUnknown) return { topic, partition, errorCode: brokerCode.UNKNOWN_TOPIC_OR_PARTITION };
        return { topic, partition, errorCode: errorCode === brokerCode.NONE ? commit(entry) : errorCode };
      }),
    };
  }
}
