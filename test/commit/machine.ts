import type { OpenBytes } from '../../src/state/open-bytes';
import type { SimulatedProcessOptions } from '../../src/testing/cluster/simulated-process';
import { OrderedMemory } from '../../src/state/ordered-memory';
import { FakeDisk } from '../state/fake-disk';

/** What of a machine outlives its processes: the folders of one of them after the other, and the notes about these. */
export class Machine {
  readonly disks = new Map<string, FakeDisk>();
  /** Folders that are open, and how often each was opened. */
  readonly open = new Set<string>();
  readonly opened = new Map<string, number>();
  readonly notes = new OrderedMemory();

  constructor(readonly name: string) {}

  readonly openBytes: OpenBytes = async (folder, options) => {
    const disk = this.disks.get(folder) ?? new FakeDisk();
    this.disks.set(folder, disk);
    const bytes = await disk.open(folder, options);
    this.open.add(folder);
    this.opened.set(folder, (this.opened.get(folder) ?? 0) + 1);
    const { close } = bytes;
    return Object.assign(bytes, {
      close: () => {
        this.open.delete(folder);
        return close.call(bytes);
      },
    });
  };

  readonly slot: NonNullable<SimulatedProcessOptions['slot']> = {
    notes: this.notes,
    taskFolders: () => Promise.resolve([...this.disks.keys()].map((folder) => Number(folder.split('/')[1]))),
    removeTask: (task) => Promise.resolve(this.disks.delete(`${this.name}/${task}`)),
  };

  /** What a process on this machine is started with. */
  get place(): { readonly name: string; readonly openBytes: OpenBytes; readonly slot: NonNullable<SimulatedProcessOptions['slot']> } {
    return { name: this.name, openBytes: this.openBytes, slot: this.slot };
  }

  /** Its process has died: of what was being written nothing more gets there. */
  async crash(): Promise<void> {
    this.open.clear();
    for (const disk of this.disks.values()) await disk.crash(0);
  }
}
