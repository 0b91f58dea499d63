import type { Observable } from 'rxjs';
import type { WiringListener, WiringNode } from '../state/wiring';
import { sourceKey, type Source } from './assembly';

/** A place of the topology with what lies directly upstream of it. */
export interface GraphNode {
  readonly kind: WiringNode['kind'];
  readonly name: string;
  readonly operator: string;
  readonly upstream: Set<GraphNode>;
  readonly wiring?: WiringNode;
}

/**
 * Draws the graph while a topology is subscribed: an operator of ours that is subscribing is on a stack, and what is subscribed
 * meanwhile lies upstream of it. Behind `share()` nothing is subscribed the second time: then `Observable.source` leads to where it was.
 */
export class PlanGraph implements WiringListener {
  readonly nodes: GraphNode[] = [];
  readonly sources = new Map<string, GraphNode>();
  private readonly stack: { node: GraphNode; source: Observable<unknown>; output: Observable<unknown> | undefined }[] = [];
  /** Operators that make a table, by the name of its store. */
  readonly announced = new Map<string, string>();
  private readonly seen = new Map<Observable<unknown>, ReadonlySet<GraphNode>>();

  enter(wiring: WiringNode, source: Observable<unknown>, output: Observable<unknown> | undefined): void {
    const node: GraphNode = { kind: wiring.kind, name: wiring.name, operator: wiring.operator, upstream: new Set(), wiring };
    this.nodes.push(node);
    this.stack.push({ node, source, output });
  }

  leave(): void {
    const left = this.stack.pop();
    if (left === undefined) return;
    const chain = sourceChain(left.source);
    if (left.node.upstream.size === 0) {
      for (const observable of chain) {
        const known = this.seen.get(observable);
        if (known === undefined) continue;
        for (const node of known) left.node.upstream.add(node);
        break;
      }
    }
    for (const observable of chain) this.seen.set(observable, left.node.upstream);
    // Whoever has shared it, and for whom, need not be operators of ours.
    if (left.output !== undefined) this.seen.set(left.output, new Set([left.node]));
    this.stack.at(-1)?.node.upstream.add(left.node);
  }

  announce(store: string, operator: string): void {
    this.announced.set(store, operator);
  }

  reached(source: Source): void {
    if (source.internal) return;
    this.stack.at(-1)?.node.upstream.add(this.sourceNode(source));
  }

  private sourceNode(source: Source): GraphNode {
    const key = sourceKey(source.topic.name, false);
    let node = this.sources.get(key);
    if (node === undefined) {
      node = { kind: 'source', name: source.topic.name, operator: 'stream', upstream: new Set() };
      this.sources.set(key, node);
    }
    return node;
  }
}

/** The topics that feed `node` within its task: sources, and repartitions it does not look behind. */
export function rootsOf(node: GraphNode): ReadonlySet<GraphNode> {
  const roots = new Set<GraphNode>();
  const visit = (upstream: Iterable<GraphNode>): void => {
    for (const next of upstream) {
      if (next.kind === 'source' || next.kind === 'repartition') roots.add(next);
      else visit(next.upstream);
    }
  };
  visit(node.upstream);
  return roots;
}

/** What feeds `node` directly: stores, and the topics that reach it without passing one. What is only looked up feeds nothing. */
export function feedsOf(node: GraphNode): ReadonlySet<GraphNode> {
  const feeds = new Set<GraphNode>();
  const visit = (upstream: Iterable<GraphNode>): void => {
    for (const next of upstream) {
      if (next.kind === 'lookup') continue;
      if (next.kind === 'operator' || next.kind === 'sink' || next.kind === 'join') visit(next.upstream);
      else feeds.add(next);
    }
  };
  visit(node.upstream);
  return feeds;
}

function sourceChain(source: Observable<unknown>): Observable<unknown>[] {
  const chain: Observable<unknown>[] = [];
  let at: Observable<unknown> | undefined = source;
  while (at !== undefined) {
    chain.push(at);
    at = (at as { source?: Observable<unknown> }).source;
  }
  return chain;
}
