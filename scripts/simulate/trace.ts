import type { Call } from '../../src/memory/call';

/** A hash of every request that the broker got, with its time: equal for equal runs. */
export class Trace {
  requests = 0;
  private high = 0x811c9dc5;
  private low = 0x1234567;

  add(time: number, { clientId, api, node, request }: Call): void {
    this.requests++;
    this.mix(time);
    this.value(clientId);
    this.value(api);
    this.value(node);
    this.value(request);
  }

  get hash(): string {
    return [this.high, this.low].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
  }

  private value(value: unknown): void {
    if (typeof value === 'number') this.mix(value);
    else if (typeof value === 'string') for (let at = 0; at < value.length; at++) this.mix(value.charCodeAt(at));
    else if (typeof value === 'bigint') this.mix(Number(value));
    else if (typeof value === 'boolean') this.mix(value ? 1 : 2);
    else if (value instanceof Uint8Array) for (const byte of value) this.mix(byte);
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        this.mix(name.length);
        this.value(inner);
      }
    } else this.mix(3);
  }

  private mix(value: number): void {
    const whole = value | 0;
    this.high = Math.imul(this.high ^ whole, 0x01000193);
    this.low = (Math.imul(this.low, 31) + whole + (value - whole) * 1_000_003) | 0;
  }
}
