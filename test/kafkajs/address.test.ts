import { parseAddress } from '../../src/kafkajs/address';

describe('parseAddress', () => {
  it.each([
    ['localhost:9092', 'localhost', 9092],
    [' broker-1.example.org:19092 ', 'broker-1.example.org', 19_092],
    ['[::1]:9092', '::1', 9092],
  ])('reads %s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port, text: text.trim() });
  });

  it.each(['localhost', 'localhost:', ':9092', '::1:9092', 'localhost:0', 'localhost:65536', 'http://localhost:9092', 'a b:1', ''])(
    'refuses "%s"',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );
});
