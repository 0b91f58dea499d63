import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { KafkaServerError } from './kafka-server-error';

export const LOOPBACK = '127.0.0.1';

export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * A port that nobody listens on. Taken from below the ranges out of which systems serve outgoing connections (32768 and up on Linux,
 * 49152 and up on macOS), or one of those may take it before the broker does.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    if (await isPortFree(port)) return port;
  }
  throw new KafkaServerError('PORT_TAKEN', `no free port between 20000 and 32000 on ${LOOPBACK} in 100 attempts`);
}

export async function requireFreePort(port: number): Promise<void> {
  if (await isPortFree(port)) return;
  throw new KafkaServerError(
    'PORT_TAKEN',
    `port ${port} on ${LOOPBACK} is taken by another program. Stop that one, or choose another --port.`,
  );
}

export function requireValidPort(port: number): void {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return;
  throw new KafkaServerError('PORT_INVALID', `port ${port}: a port is a whole number from 1 to 65535`);
}
