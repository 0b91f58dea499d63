import { spawnSync } from 'node:child_process';
import { Client } from 'pg';
import { depotDatabase } from '../../../examples/shipment-tracking/depot-database';
import { findPostgres, installPostgres } from '../../../examples/shipment-tracking/postgres-programs';
import { startPostgres, type PostgresServer } from '../../../examples/shipment-tracking/postgres-server';
import { run } from '../../../examples/shipment-tracking/run';
import { traffic } from '../../../examples/shipment-tracking/shipments';
import { memoryCluster } from '../../../src';

jest.setTimeout(60_000); // a busy machine

const never = new AbortController().signal;
const isInstalled = spawnSync('sh', ['-c', 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb']).status === 0;
/** `npm run example -- shipment-tracking` installs it. */
const withPostgres = isInstalled ? describe : describe.skip;

describe('without PostgreSQL', () => {
  afterEach(() => jest.restoreAllMocks());

  it('somebody who may not install it is told what to do', async () => {
    jest.spyOn(process, 'getuid').mockReturnValue(1_000);
    await expect(installPostgres()).rejects.toThrow('none is installed: apt-get install postgresql');
  });
});

withPostgres('a PostgreSQL server of its own', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres((await findPostgres())!);
  });
  afterAll(() => server.stop());

  it('listens on the loopback interface, to those who know the password', async () => {
    expect(server.address.host).toBe('127.0.0.1');
    const client = new Client({ ...server.address, password: 'wrong' });
    await expect(client.connect()).rejects.toThrow('password authentication failed');
  });

  it('does not run as root', async () => {
    const owner = spawnSync('ps', ['-o', 'user=', '-p', String(server.pid)])
      .stdout.toString()
      .trim();
    expect(owner).not.toBe('');
    expect(owner).not.toBe('root');
  });

  it('finds the depots that a plain loop finds', async () => {
    const seen = traffic(2, 60);
    const depots = await depotDatabase(server.address, seen.depots, 60);
    try {
      const outcome = await run({ cluster: memoryCluster(), traffic: seen, nearKm: 60, nearestDepot: depots.nearestDepot, signal: never });
      expect(outcome?.verdict).toMatchObject({ predictions: seen.positions.length, differences: [] });
      expect(outcome?.verdict.withoutDepot).toBeGreaterThan(10);
    } finally {
      await depots.close();
    }
  });

  it('ends though somebody is connected, and leaves no process', async () => {
    const client = new Client(server.address);
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    const errors: string[] = [];
    client.on('error', ({ message }) => errors.push(message));
    await client.connect();
    await server.stop();
    await ended;
    expect(errors).toContain('terminating connection due to administrator command');
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    await expect(new Client(server.address).connect()).rejects.toThrow('ECONNREFUSED');
  });
});
