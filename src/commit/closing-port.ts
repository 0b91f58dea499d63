import { MillraceError } from '../errors/millrace-error';
import type { KafkaPort } from '../kafka/port';

/**
 * A port whose end is final. What rejects with DISCONNECTED is asked again for as long as its budget lasts, which after `close` would be
 * for nothing: what is asked from then on is refused with APPLICATION_CLOSED, which nobody repeats.
 */
export function closingPort(port: KafkaPort): KafkaPort {
  let closed = false;
  const close = (): Promise<void> => {
    closed = true;
    return port.close();
  };
  return new Proxy(port, {
    get: (target, name: keyof KafkaPort): unknown => {
      if (name === 'close') return close;
      const request: unknown = Reflect.get(target, name);
      if (typeof request !== 'function') return request;
      return closed ? refused : (request as (...of: unknown[]) => unknown).bind(target);
    },
  });
}

function refused(): Promise<never> {
  return Promise.reject(new MillraceError('APPLICATION_CLOSED', 'the connections of this instance are closed'));
}
