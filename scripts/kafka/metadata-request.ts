import { connect } from 'node:net';

export interface ClusterView {
  readonly clusterId: string | undefined;
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
}

const METADATA = 3;
const VERSION = 2; // the first that names the cluster

/** Metadata v2 for no topic at all: brokers and cluster only. @see https://kafka.apache.org/protocol#The_Messages_Metadata */
export function encodeMetadataRequest(correlationId: number): Buffer {
  const request = Buffer.alloc(18);
  request.writeInt32BE(14, 0);
  request.writeInt16BE(METADATA, 4);
  request.writeInt16BE(VERSION, 6);
  request.writeInt32BE(correlationId, 8);
  request.writeInt16BE(-1, 12); // no client id
  request.writeInt32BE(0, 14); // no topics
  return request;
}

/** Reads an answer from the correlation id on, as far as the cluster's id. */
export function decodeMetadataAnswer(answer: Buffer): ClusterView {
  let at = 4;
  const int16 = (): number => answer.readInt16BE((at += 2) - 2);
  const int32 = (): number => answer.readInt32BE((at += 4) - 4);
  const string = (): string | undefined => {
    const length = int16();
    return length < 0 ? undefined : answer.toString('utf8', at, (at += length));
  };
  const brokers = Array.from({ length: int32() }, () => {
    const broker = { nodeId: int32(), host: string() ?? '', port: int32() };
    string(); // rack
    return broker;
  });
  return { brokers, clusterId: string() };
}

/** Asks the broker who is in the cluster. Fails when it does not answer within `timeoutMs`. */
export async function askForMetadata(address: { host: string; port: number }, timeoutMs: number): Promise<ClusterView> {
  return decodeMetadataAnswer(await exchange(address, encodeMetadataRequest(1), timeoutMs));
}

/** Sends one request on a connection of its own, and gives the answer without its size. */
function exchange(address: { host: string; port: number }, request: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      socket.destroy();
      resolve(received.subarray(4));
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed without an answer'));
    });
  });
}
