import { checkConfig, type MillraceConfig } from '../../src/config';

const checked = (more: Partial<MillraceConfig>): ReturnType<typeof checkConfig> =>
  checkConfig({ applicationId: 'app', brokers: ['localhost:9092'], ...more });

describe('the options of standbys and warm-ups', () => {
  it('have the defaults of Kafka Streams', () => {
    expect(checked({})).toMatchObject({ standbyReplicas: 0, acceptableLag: 10_000, maxWarmups: 2, probingInterval: 600_000 });
  });

  it('are taken as given', () => {
    const given = { standbyReplicas: 2, acceptableLag: 0, maxWarmups: 1, probingInterval: 60_000 };
    expect(checked(given)).toMatchObject(given);
  });

  it('are refused with all mistakes at once, each with its bounds', () => {
    const wrong = { standbyReplicas: -1, acceptableLag: 0.5, maxWarmups: 0, probingInterval: 59_999 };
    expect(() => checked(wrong)).toThrow(
      'probingInterval is 59999; it must be 60000 … 86400000 ms; standbyReplicas is -1; it must be a whole number in 0 … 10; ' +
        'acceptableLag is 0.5; it must be a whole number in 0 … 9007199254740991; maxWarmups is 0; it must be a whole number in 1 … 1000',
    );
  });

  it.each([Number.NaN, 11, '1' as unknown as number])('refuse %p standbys', (standbyReplicas) => {
    expect(() => checked({ standbyReplicas })).toThrow(`standbyReplicas is ${String(standbyReplicas)}`);
  });
});
