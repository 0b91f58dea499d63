import { MillraceError } from '../errors/millrace-error';

const LONGEST_NAME = 249;
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/;

/** @throws TOPIC_INVALID unless Kafka allows `name`: ASCII letters, digits, `.`, `_` and `-`; 1 to 249 of them; not `.` or `..`. */
export function checkTopicName(name: string, what: 'topic' | 'store' = 'topic'): void {
  const reason = reasonAgainst(name);
  if (reason === undefined) return;
  const where = typeof name !== 'string' ? {} : what === 'topic' ? { topic: name } : { store: name };
  throw new MillraceError('TOPIC_INVALID', `the ${what} name ${JSON.stringify(name)} ${reason}`, { where });
}

function reasonAgainst(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'is no string';
  if (name === '') return 'is empty';
  if (name.length > LONGEST_NAME) return `has ${name.length} characters; Kafka allows ${LONGEST_NAME}`;
  if (name === '.' || name === '..') return 'is not allowed by Kafka';
  if (!LEGAL_NAME.test(name)) return 'has characters besides ASCII letters, digits, ".", "_" and "-"';
  return undefined;
}
