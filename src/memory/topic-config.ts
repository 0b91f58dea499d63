import type { PartitionSettings } from './partition';

/** The settings of a topic that something here reads or checks, with the broker's defaults. */
const DEFAULTS: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'compression.type': 'producer',
  'delete.retention.ms': '86400000',
  'file.delete.delay.ms': '60000',
  'flush.messages': '9223372036854775807',
  'flush.ms': '9223372036854775807',
  'index.interval.bytes': '4096',
  'max.compaction.lag.ms': '9223372036854775807',
  'max.message.bytes': '1048588',
  'message.timestamp.after.max.ms': '3600000',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.type': 'CreateTime',
  'min.cleanable.dirty.ratio': '0.5',
  'min.compaction.lag.ms': '0',
  'min.insync.replicas': '1',
  'retention.bytes': '-1',
  'retention.ms': '604800000',
  'segment.bytes': '1073741824',
  'segment.index.bytes': '10485760',
  'segment.jitter.ms': '0',
  'segment.ms': '604800000',
  'unclean.leader.election.enable': 'false',
};

const WORDS: Readonly<Record<string, RegExp>> = {
  'cleanup.policy': /^((compact|delete)(, *(compact|delete))*)?$/,
  'compression.type': /^(uncompressed|gzip|snappy|lz4|zstd|producer)$/,
  'message.timestamp.type': /^(CreateTime|LogAppendTime)$/,
  'min.cleanable.dirty.ratio': /^(0(\.\d+)?|1(\.0+)?)$/,
  'unclean.leader.election.enable': /^(true|false)$/,
};
const WHOLE_NUMBER = /^-?\d+$/;
const LEAST: Readonly<Record<string, number>> = {
  'delete.retention.ms': 0,
  'max.compaction.lag.ms': 1,
  'min.compaction.lag.ms': 0,
  'retention.ms': -1,
  'segment.bytes': 1_048_576,
  'segment.ms': 1,
};

/** What is wrong with the settings, or undefined. */
export function refuseConfigs(configs: Readonly<Record<string, string>>): string | undefined {
  for (const [name, value] of Object.entries(configs)) {
    if (DEFAULTS[name] === undefined) return `Unknown topic config name: ${name}`;
    if (!(WORDS[name] ?? WHOLE_NUMBER).test(value)) return `Invalid value ${value} for configuration ${name}`;
    const least = LEAST[name];
    if (least !== undefined && Number(value) < least) {
      return `Invalid value ${value} for configuration ${name}: Value must be at least ${least}`;
    }
  }
  const { 'min.compaction.lag.ms': least = '0', 'max.compaction.lag.ms': most } = configs;
  if (most === undefined || Number(least) <= Number(most)) return undefined;
  return `conflict topic config setting min.compaction.lag.ms (${least}) > max.compaction.lag.ms (${most})`;
}

export class TopicConfig {
  readonly #values: Readonly<Record<string, string>>;

  constructor(configs: Readonly<Record<string, string>>) {
    this.#values = { ...DEFAULTS, ...configs };
  }

  /** No names: all settings. Names that are no setting are left out. */
  describe(names: readonly string[]): Map<string, string> {
    const wanted = names.length === 0 ? Object.keys(this.#values) : names;
    return new Map(wanted.flatMap((name) => (this.#values[name] === undefined ? [] : [[name, this.#values[name]]])));
  }

  partitionSettings(cutsBatches: boolean): PartitionSettings {
    const retentionMs = this.#number('retention.ms');
    return {
      limits: {
        maxMessageBytes: this.#number('max.message.bytes'),
        maxAheadMs: this.#number('message.timestamp.after.max.ms'),
        logAppendTime: this.#values['message.timestamp.type'] === 'LogAppendTime',
        needsKeys: this.#isCompacted,
      },
      log: {
        cutsBatches,
        segmentBytes: this.#number('segment.bytes'),
        segmentMs: Math.min(this.#number('segment.ms'), this.#isCompacted ? this.#number('max.compaction.lag.ms') : Infinity),
      },
      compaction: this.#isCompacted
        ? { deleteRetentionMs: this.#number('delete.retention.ms'), minLagMs: this.#number('min.compaction.lag.ms') }
        : undefined,
      retention: this.mayDelete ? { ms: retentionMs < 0 ? Infinity : retentionMs, bytes: this.#retentionBytes } : undefined,
    };
  }

  /** Without "delete" in the policy DeleteRecords is refused. */
  get mayDelete(): boolean {
    return this.#values['cleanup.policy']!.includes('delete');
  }

  get #isCompacted(): boolean {
    return this.#values['cleanup.policy']!.includes('compact');
  }

  get #retentionBytes(): number {
    const bytes = this.#number('retention.bytes');
    return bytes < 0 ? Infinity : bytes;
  }

  #number(name: string): number {
    return Number(this.#values[name]);
  }
}
