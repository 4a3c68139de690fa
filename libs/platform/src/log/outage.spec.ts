import { createLog } from './log';
import { Outage } from './outage';

test('the log has the beginning and the end of each outage, however often it is tried meanwhile', () => {
  const lines: unknown[] = [];
  const log = createLog('info', {
    write(line) {
      const { level, rows, err, msg } = JSON.parse(line) as Record<string, unknown>;
      lines.push([level, msg, rows, (err as { message: string } | undefined)?.message]);
    },
  });
  const outage = new Outage(log, 'rows wait', 'rows go on');
  outage.succeeded();
  for (const rows of [1, 2, 3]) outage.failed(new Error(`refused ${rows}`), { rows });
  outage.succeeded();
  outage.succeeded();
  outage.failed(new Error('again'));
  expect(lines).toEqual([
    ['warn', 'rows wait', 1, 'refused 1'],
    ['info', 'rows go on', undefined, undefined],
    ['warn', 'rows wait', undefined, 'again'],
  ]);
});
