import { map, Observable, Subject } from 'rxjs';
import { Outgoing } from '../model/outgoing';
import type { Topic } from '../model/topic';
import { decodeOutput, type EncodedOutput } from './encoded-output';

interface Watched {
  readonly subject: Subject<Outgoing | EncodedOutput>;
  watchers: number;
}

/** Who watches which topic: committed outputs are kept for them, and for nobody else. */
export class WatchedOutputs {
  /** Told when the first watcher of a topic comes and when the last one goes. */
  changed: () => void = () => undefined;
  private readonly topics = new Map<string, Watched>();

  /** Names of the topics that somebody watches. */
  get names(): readonly string[] {
    return [...this.topics].flatMap(([name, { watchers }]) => (watchers > 0 ? [name] : []));
  }

  readonly isWatched = (topic: string): boolean => (this.topics.get(topic)?.watchers ?? 0) > 0;

  observe<K, V>(topic: Topic<K, V>): Observable<Outgoing<K, V>> {
    const typed = (output: Outgoing | EncodedOutput): Outgoing<K, V> =>
      output instanceof Outgoing ? (output as Outgoing<K, V>) : decodeOutput(topic, output);
    return new Observable<Outgoing<K, V>>((subscriber) => {
      const watched = this.of(topic.name);
      if (watched.watchers++ === 0) this.changed();
      const subscription = watched.subject.pipe(map(typed)).subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        if (--watched.watchers === 0) this.changed();
      };
    });
  }

  emit(output: Outgoing | EncodedOutput): void {
    this.topics.get(output.topic)?.subject.next(output);
  }

  complete(): void {
    for (const { subject } of this.topics.values()) subject.complete();
  }

  private of(name: string): Watched {
    let watched = this.topics.get(name);
    if (watched === undefined) this.topics.set(name, (watched = { subject: new Subject(), watchers: 0 }));
    return watched;
  }
}
