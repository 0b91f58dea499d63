import { tap } from 'rxjs';
import { copying, input, records } from '../commit/programs';
import { World } from '../commit/world';

describe('the loop', () => {
  it('K15: lets everybody else have a turn between records that take long', async () => {
    const world = new World();
    world.topics({ input: 1, results: 1 });
    await world.write(input, records('a', 40));
    const one = world.start((task) => copying(task).pipe(tap(() => world.pass(500))), { sessionTimeout: 6_000, heartbeatInterval: 500 });
    await world.untilCommitted({ input: [40] });
    expect(world.asked('heartbeat').length).toBeGreaterThan(10);
    expect(one.started).toEqual([0]);
    await world.end();
  });
});
