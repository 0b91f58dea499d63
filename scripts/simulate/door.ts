import type { Call } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import type { MemoryBroker } from '../../src/memory/memory-broker';
import type { Machines } from './machines';
import type { Owners } from './owners';
import type { Schedule } from './schedule';
import type { Story } from './story';
import type { Trace } from './trace';

/** The broker's door: each request is noted, struck or let in, and looked at. */
export class Door {
  /** Nothing is struck any more. */
  isQuiet = false;
  private struck: FaultAction | undefined;

  constructor(
    private readonly options: {
      readonly schedule: Schedule;
      readonly machines: Machines;
      readonly owners: Owners;
      readonly trace: Trace;
      readonly story: Story;
    },
  ) {}

  watch(broker: MemoryBroker): void {
    broker.faults.add({
      match: (call) => (this.struck = this.enters(call)) !== undefined,
      // Read when it has matched: another one for each request.
      action: new Proxy({} as FaultAction, { get: (_, name) => Reflect.get(this.struck!, name) as unknown }),
      times: Infinity,
    });
  }

  private enters(call: Call): FaultAction | undefined {
    const { schedule, machines, owners, trace, story } = this.options;
    trace.add(schedule.time, call);
    const action = this.isQuiet ? undefined : machines.processOf(call.clientId)?.strikes(call);
    if (action !== undefined) story.say(`${call.clientId}: ${call.api} is struck: ${JSON.stringify(action)}`);
    else if (call.api === 'txnOffsetCommit') owners.commits(call);
    else if (call.api === 'initProducerId') owners.initialises(call);
    if (call.api === 'txnOffsetCommit') owners.fences(call);
    else if (call.api === 'addPartitionsToTxn') owners.adds(call);
    else if (call.api === 'endTxn') owners.ends(call);
    return action;
  }
}
