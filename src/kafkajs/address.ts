/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** `host:port`, an IPv6 host in brackets. */
  readonly text: string;
}

export function addressOf(host: string, port: number): Address {
  return { host, port, text: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` };
}

const HOST_AND_PORT = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/;

/** Undefined: not of the form `host:port` or `[ipv6]:port`. */
export function parseAddress(text: string): Address | undefined {
  const [, ipv6, name, port] = HOST_AND_PORT.exec(text.trim()) ?? [];
  const host = ipv6 ?? name;
  if (host === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return addressOf(host, Number(port));
}
