import { TransactionCoordinator } from '../../src/memory/transactions';
import { manualClock } from '../../src/time/manual-clock';

const LAST_USABLE_EPOCH = 32_766;

describe('the transaction coordinator in memory, when the epochs of a producer id are used up', () => {
  const coordinator = (): TransactionCoordinator => new TransactionCoordinator(manualClock(), (_transaction, _marker, done) => done());
  const request = { transactionalId: 't', transactionTimeoutMs: 1_000 };

  it('gives whoever asks a new producer id', () => {
    const coordinates = coordinator();
    const { producerId } = coordinates.initProducerId(request);
    for (let epoch = 1; epoch < LAST_USABLE_EPOCH; epoch++) coordinates.initProducerId(request);
    expect(coordinates.initProducerId(request)).toEqual({ errorCode: 0, producerId, producerEpoch: LAST_USABLE_EPOCH });
    const next = coordinates.initProducerId(request);
    expect(next).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(next.producerId).not.toBe(producerId);
  });

  it('gives it to the holder of the last epoch, again when the answer was lost, and to nobody before', () => {
    const coordinates = coordinator();
    let last = coordinates.initProducerId(request);
    while (last.producerEpoch < LAST_USABLE_EPOCH) last = coordinates.initProducerId({ ...request, current: last });
    const next = coordinates.initProducerId({ ...request, current: last });
    expect(next).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(coordinates.initProducerId({ ...request, current: last })).toEqual(next);
    const earlier = { ...last, producerEpoch: last.producerEpoch - 1 };
    expect(coordinates.initProducerId({ ...request, current: earlier })).toMatchObject({ errorCode: 90 });
  });
});
