export type KafkaServerErrorCode =
  | 'PLATFORM_UNSUPPORTED'
  | 'JAVA_MISSING'
  | 'JAVA_TOO_OLD'
  | 'MAVEN_MISSING'
  | 'DOWNLOAD_FAILED'
  | 'PORT_INVALID'
  | 'PORT_TAKEN'
  | 'DATA_DIRECTORY_FOREIGN'
  | 'DATA_DIRECTORY_IN_USE'
  | 'BROKER_EXITED'
  | 'BROKER_NOT_READY';

/** Why no broker could be started: `message` says what to do about it, `code` is for programs. */
export class KafkaServerError extends Error {
  readonly code: KafkaServerErrorCode;

  constructor(code: KafkaServerErrorCode, message: string, options?: { cause: unknown }) {
    super(message, options);
    this.name = 'KafkaServerError';
    this.code = code;
  }
}
