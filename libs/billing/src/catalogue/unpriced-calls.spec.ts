import { Clock, type Log } from '@app/platform';
import { Registry } from 'prom-client';
import { UnpricedCalls } from './unpriced-calls.service';

const HOUR_MS = 3_600_000;

class HandClock extends Clock {
  at = 0;
  now(): Date {
    return new Date(this.at);
  }
}

describe('refused calls of models without a price', () => {
  const clock = new HandClock();
  const registry = new Registry();
  const warned: unknown[] = [];
  const log = { warn: (fields: unknown) => warned.push(fields) } as unknown as Log;
  const unpriced = new UnpricedCalls(clock, registry, log);
  const gauge = async (): Promise<unknown> =>
    (await registry.getSingleMetric('openclawmu_unpriced_models')?.get())?.values;

  it('are told for a day, and warned of once an hour for each model', async () => {
    unpriced.refused('b');
    unpriced.refused('a');
    unpriced.refused('a');
    expect(warned).toEqual([{ model: 'b' }, { model: 'a' }]);
    clock.at = HOUR_MS;
    unpriced.refused('a');
    expect(warned).toHaveLength(3);
    expect(unpriced.models()).toEqual(['a', 'b']);
    clock.at = 24 * HOUR_MS;
    expect(unpriced.models()).toEqual(['a']);
    expect(await gauge()).toEqual([expect.objectContaining({ value: 1 })]);
    clock.at = 25 * HOUR_MS;
    expect(await gauge()).toEqual([expect.objectContaining({ value: 0 })]);
  });

  it('do not fill the memory with names that callers invent', () => {
    for (let n = 0; n < 2_000; n++) unpriced.refused(`m${n}`);
    expect(unpriced.models()).toHaveLength(1_000);
  });
});
