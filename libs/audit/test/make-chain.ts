import { createHash } from 'node:crypto';
import { GENESIS } from '../src/chain';

/** Lines as `append_audit` writes them, one record a minute from the given instant on. */
export function makeChain(count: number, from = '2026-11-22T10:00:00.000Z'): string[] {
  const lines: string[] = [];
  let prevHash = GENESIS;
  for (let seq = 1; seq <= count; seq++) {
    const time = new Date(Date.parse(from) + (seq - 1) * 60_000).toISOString();
    const open = `{"seq":${seq},"time":"${time}","action":"tenant.changed","after":{"name":"Ein \u2028 Name ${seq}"},"prevHash":"${prevHash}"`;
    prevHash = createHash('sha256').update(`${open}}`).digest('hex');
    lines.push(`${open},"hash":"${prevHash}"}`);
  }
  return lines;
}
