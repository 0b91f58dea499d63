import { type AddressInfo, createServer } from 'node:net';
import { freePort, isPortFree, requireFreePort, requireValidPort } from '../../../scripts/kafka/ports';

describe('ports', () => {
  it('that somebody listens on are taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(requireFreePort(port)).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`port ${port} on 127.0.0.1 is taken`) as unknown,
    });
    await new Promise((resolve) => server.close(resolve));
    await expect(isPortFree(port)).resolves.toBe(true);
  });

  it('that are chosen are free and outside the range for outgoing connections', async () => {
    const port = await freePort();
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
    await expect(isPortFree(port)).resolves.toBe(true);
  });

  it.each([0, -1, 65_536, 1.5, Number.NaN])('%p is none', (port) => {
    expect(() => {
      requireValidPort(port);
    }).toThrow('a port is a whole number from 1 to 65535');
  });
});
