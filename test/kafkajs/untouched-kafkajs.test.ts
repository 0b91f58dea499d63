/* eslint-disable @typescript-eslint/no-require-imports */
import { silentLogger } from '../../src/model/logger';
import { systemClock } from '../../src/time/system-clock';
import { rejectionOf } from './rejection';

const CLASSES = ['network/connection', 'network/requestQueue', 'network/requestQueue/socketRequest', 'network/connectionPool', 'broker'];

const prototypes = (): Record<string, unknown>[] =>
  CLASSES.map((path) => {
    const { prototype } = require(`kafkajs/src/${path}`) as { prototype: object };
    return Object.getOwnPropertyDescriptors(prototype);
  });

it('the application that uses kafkajs itself has the kafkajs it installed', async () => {
  const before = prototypes();
  const { kafkaBroker } = await import('../../src/kafkajs/kafka-broker');
  const port = kafkaBroker({ brokers: ['127.0.0.1:1'], clock: systemClock, logger: silentLogger }).connect('test');
  expect((await rejectionOf(port.metadata([]))).code).toBe('BROKERS_UNREACHABLE');
  await port.close();
  const after = prototypes();
  after.forEach((descriptors, index) => {
    expect(Object.keys(descriptors)).toEqual(Object.keys(before[index]!));
    for (const [name, descriptor] of Object.entries(descriptors)) {
      expect((descriptor as PropertyDescriptor).value).toBe((before[index]![name] as PropertyDescriptor).value);
    }
  });
});
