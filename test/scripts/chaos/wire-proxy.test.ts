import fc from 'fast-check';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { API_KEYS, splitFrames, WireProxies } from '../../../scripts/chaos/wire-proxy';

function frame(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function request(apiKey: number, correlation: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeInt16BE(apiKey, 0);
  body.writeInt32BE(correlation, 4);
  return frame(body);
}

const answer = (correlation: number, text: Buffer = Buffer.alloc(0)): Buffer => {
  const body = Buffer.alloc(4);
  body.writeInt32BE(correlation);
  return frame(Buffer.concat([body, text]));
};

/** Answers each request with its correlation, and with its own address. */
class Broker {
  readonly got: number[] = [];
  readonly server: Server;
  private onGot: () => void = () => undefined;

  constructor() {
    this.server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on(
        'data',
        splitFrames((bytes) => {
          const correlation = bytes.readInt32BE(8);
          this.got.push(correlation);
          socket.write(answer(correlation, this.address));
          this.onGot();
        }),
      );
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): Buffer {
    const port = Buffer.alloc(4);
    port.writeInt32BE(this.port);
    return Buffer.concat([Buffer.from('127.0.0.1'), port]);
  }

  has(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onGot = () => {
        if (this.got.length >= count) resolve();
      };
      this.onGot();
    });
  }
}

describe('frames', () => {
  it('are the same however the bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.array(fc.integer({ min: 1, max: 30 })), (bodies, cuts) => {
        const all = bodies.map((body) => frame(Buffer.from(body)));
        const bytes = Buffer.concat(all);
        const found: Buffer[] = [];
        const take = splitFrames((each) => found.push(Buffer.from(each)));
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          if (at < bytes.length) take(bytes.subarray(at, Math.min(bytes.length, at + cut)));
          at += cut;
        }
        expect(found).toEqual(all);
      }),
    );
  });
});

describe('a proxy on the wire', () => {
  let broker: Broker;
  let proxies: WireProxies;
  let client: Socket;
  let answers: Buffer[];
  let closed: Promise<unknown>;

  const connectClient = async (): Promise<void> => {
    const [host = '', port] = proxies.addresses[0]!.split(':');
    client = connect(Number(port), host);
    answers = [];
    client.on('error', () => undefined);
    client.on(
      'data',
      splitFrames((bytes) => answers.push(Buffer.from(bytes))),
    );
    closed = once(client, 'close');
    await once(client, 'connect');
  };
  const answered = async (count: number): Promise<void> => {
    while (answers.length < count) await once(client, 'data');
  };

  beforeEach(async () => {
    broker = new Broker();
    broker.server.listen(0, '127.0.0.1');
    await once(broker.server, 'listening');
    proxies = await WireProxies.between([{ host: '127.0.0.1', port: broker.port }]);
    await connectClient();
  });

  afterEach(async () => {
    client.destroy();
    await proxies.close();
    broker.server.close();
    await once(broker.server, 'close');
  });

  it('carries requests and answers', async () => {
    client.write(Buffer.concat([request(API_KEYS.Produce, 1), request(API_KEYS.EndTxn, 2)]));
    await answered(2);
    expect(answers).toEqual([answer(1, broker.address), answer(2, broker.address)]);
  });

  it('puts its own address into answers that name brokers, and into no others', async () => {
    client.write(Buffer.concat([request(API_KEYS.Metadata, 1), request(API_KEYS.Fetch, 2)]));
    await answered(2);
    const port = Buffer.alloc(4);
    port.writeInt32BE(Number(proxies.addresses[0]!.split(':')[1]));
    expect(answers).toEqual([answer(1, Buffer.concat([Buffer.from('127.0.0.1'), port])), answer(2, broker.address)]);
  });

  it('loses an answer after the request took effect', async () => {
    const lost = proxies.loseAnswer('EndTxn', 5_000);
    client.write(Buffer.concat([request(API_KEYS.Produce, 1), request(API_KEYS.EndTxn, 2)]));
    await closed;
    expect(await lost).toBe(true);
    expect(broker.got).toEqual([1, 2]);
    expect(answers).toEqual([answer(1, broker.address)]);
  });

  it('lets an old copy arrive after its retry', async () => {
    const held = proxies.holdRequest('TxnOffsetCommit', 200, 5_000);
    client.write(request(API_KEYS.TxnOffsetCommit, 1));
    await closed;
    expect(await held).toBe(true);
    await connectClient();
    client.write(request(API_KEYS.TxnOffsetCommit, 2));
    await broker.has(2);
    expect(broker.got).toEqual([2, 1]);
  });

  it('breaks off an answer in its middle', async () => {
    const broken = proxies.breakAnswer(5_000);
    let bytes = 0;
    client.on('data', (chunk: Buffer) => (bytes += chunk.length));
    client.write(request(API_KEYS.Fetch, 1));
    await closed;
    expect(await broken).toBe(true);
    expect(answers).toEqual([]);
    expect(bytes).toBe(answer(1, broker.address).length >>> 1);
  });

  it('says when nothing came along to be struck', async () => {
    expect(await proxies.loseAnswer('JoinGroup', 10)).toBe(false);
    client.write(request(API_KEYS.JoinGroup, 1));
    await answered(1);
  });

  it('cuts what is connected', async () => {
    client.write(request(API_KEYS.Fetch, 1));
    await answered(1);
    expect(proxies.cut()).toBe(1);
    await closed;
  });
});
