import { metaProperties, serverProperties } from '../../../scripts/kafka/server-properties';

const node = (id: number) => ({ id, port: 9090 + id, controllerPort: 19_090 + id });

/** The properties as Kafka reads them. */
function read(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

describe('server.properties', () => {
  const single = read(serverProperties(node(1), [node(1)]));

  it('makes one node broker and only voter', () => {
    expect(single.get('process.roles')).toBe('broker,controller');
    expect(single.get('node.id')).toBe('1');
    expect(single.get('controller.quorum.voters')).toBe('1@127.0.0.1:19091');
  });

  it('listens on loopback and nowhere else', () => {
    expect(single.get('listeners')).toBe('BROKER://127.0.0.1:9091,CONTROLLER://127.0.0.1:19091');
    expect(single.get('advertised.listeners')).toBe('BROKER://127.0.0.1:9091');
  });

  it('lets one broker hold every internal topic alone', () => {
    for (const prefix of ['offsets.topic', 'transaction.state.log', 'share.coordinator.state.topic', 'default']) {
      expect(single.get(`${prefix}.replication.factor`)).toBe('1');
    }
    expect(single.get('transaction.state.log.min.isr')).toBe('1');
  });

  it('creates no topic that nobody asked for', () => {
    expect(single.get('auto.create.topics.enable')).toBe('false');
  });

  it('starts a group without waiting for more members', () => {
    expect(single.get('group.initial.rebalance.delay.ms')).toBe('0');
  });

  it("leaves retention, message size and transaction timeout at Kafka's defaults", () => {
    const untouched = [...single.keys()].filter((key) => /retention|max\.bytes|transaction\.max/.test(key));
    expect(untouched).toEqual([]);
  });

  it('names no key twice', () => {
    const lines = serverProperties(node(1), [node(1)]).split('\n');
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toHaveLength(single.size);
  });

  it('spreads three nodes over three folders, with every voter, three replicas and two in sync', () => {
    const nodes = [node(1), node(2), node(3)];
    const second = read(serverProperties(node(2), nodes));
    expect(second.get('node.id')).toBe('2');
    expect(second.get('controller.quorum.voters')).toBe('1@127.0.0.1:19091,2@127.0.0.1:19092,3@127.0.0.1:19093');
    expect(second.get('transaction.state.log.replication.factor')).toBe('3');
    expect(second.get('transaction.state.log.min.isr')).toBe('2');
    expect(second.get('offsets.topic.replication.factor')).toBe('3');
    expect(second.get('min.insync.replicas')).toBe('2');
    expect(new Set(nodes.map((each) => read(serverProperties(each, nodes)).get('log.dirs'))).size).toBe(3);
  });
});

describe('the server.properties of several brokers', () => {
  const nodes = [node(1), node(2), node(3)];
  const first = serverProperties(node(1), nodes);

  it('give a silent broker up after 6 s', () => {
    expect(read(first).get('broker.session.timeout.ms')).toBe('6000');
  });

  it('name no key twice', () => {
    expect(first.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toHaveLength(read(first).size);
  });
});

describe('meta.properties', () => {
  it('marks the folder as formatted for this node of this cluster', () => {
    expect(metaProperties(node(2), 'cluster', 'directory')).toBe('version=1\ncluster.id=cluster\nnode.id=2\ndirectory.id=directory\n');
  });
});
