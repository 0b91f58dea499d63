import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { askForMetadata, decodeMetadataAnswer, encodeMetadataRequest } from '../../../scripts/kafka/metadata-request';

// Metadata v2: correlation id, brokers (node, host, port, rack), cluster, controller, topics.
const ANSWER = Buffer.concat([
  Buffer.from('00000007 00000002'.replaceAll(' ', ''), 'hex'),
  ...[1, 2].map((id) =>
    Buffer.concat([Buffer.from([0, 0, 0, id, 0, 9]), Buffer.from('127.0.0.1'), Buffer.from([0, 0, 0x23, 0x83 + id, 255, 255])]),
  ),
  Buffer.from([0, 4]),
  Buffer.from('abcd'),
  Buffer.from('0000000100000000', 'hex'),
]);

function framed(answer: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(answer.length);
  return Buffer.concat([size, answer]);
}

describe('the metadata request', () => {
  it('is version 2 of request 3, without client id and without topics', () => {
    expect(encodeMetadataRequest(7).toString('hex')).toBe('0000000e' + '0003' + '0002' + '00000007' + 'ffff' + '00000000');
  });

  it('is answered with brokers and cluster', () => {
    expect(decodeMetadataAnswer(ANSWER)).toEqual({
      clusterId: 'abcd',
      brokers: [
        { nodeId: 1, host: '127.0.0.1', port: 9092 },
        { nodeId: 2, host: '127.0.0.1', port: 9093 },
      ],
    });
  });
});

describe('asking a broker', () => {
  let server: Server;
  const connections: Socket[] = [];

  async function answering(onRequest: (socket: Socket) => void): Promise<{ host: string; port: number }> {
    server = createServer((socket) => {
      connections.push(socket);
      socket.once('data', () => {
        onRequest(socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  }

  afterEach(async () => {
    connections.splice(0).forEach((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
  });

  it('puts an answer together that comes in pieces', async () => {
    const bytes = framed(ANSWER);
    const address = await answering((socket) => {
      socket.write(bytes.subarray(0, 3));
      socket.write(bytes.subarray(3, 20), () => socket.write(bytes.subarray(20)));
    });
    await expect(askForMetadata(address, 10_000)).resolves.toMatchObject({ clusterId: 'abcd' });
  });

  it('fails when the broker closes the connection', async () => {
    const address = await answering((socket) => socket.end());
    await expect(askForMetadata(address, 10_000)).rejects.toThrow('closed without an answer');
  });

  it('fails when the broker says nothing', async () => {
    const address = await answering(() => {});
    await expect(askForMetadata(address, 20)).rejects.toThrow('no answer within 20 ms');
  });

  it('fails when the answer is cut short', async () => {
    const address = await answering((socket) => socket.write(framed(ANSWER.subarray(0, 12))));
    await expect(askForMetadata(address, 10_000)).rejects.toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  });
});
