import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { run } from './run';

/** Runs a command line and collects what it prints. */
async function openclawmu(line: readonly string[], env: Record<string, string> = {}) {
  const printed = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Buffer, _, done) {
        printed[name] += chunk.toString();
        done();
      },
    });
  const code = await run(line, { env, stdout: sink('stdout'), stderr: sink('stderr') });
  return { code, ...printed };
}

describe('openclawmu', () => {
  it('explains itself, its exit codes and its environment', async () => {
    const { code, stdout } = await openclawmu(['--help']);
    expect(code).toBe(0);
    for (const word of ['tenants', 'tokens', 'audit', 'doctor', 'Exit codes', 'OPENCLAWMU_ADMIN_KEY'])
      expect(stdout).toContain(word);
  });

  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await openclawmu(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    ['nothing'],
    ['an unknown command', 'fly'],
    ['a missing argument', 'tokens', 'create'],
    ['an unknown option', 'tenants', 'list', '--frobnicate'],
    ['a bad value', 'budgets', 'set', 'finance', '--monthly', 'lots'],
    ['no choice', 'budgets', 'set', 'finance'],
    ['a period and an instant', 'usage', '--period', '2026-11', '--from', '2026-11-01'],
    ['another id than the confirmed', 'tenants', 'delete', 'finance', '--confirm', 'legal'],
    ['options of files without a file', 'audit', 'verify', '--key', 'x'],
    ['a correction that states nothing', 'ledger', 'correct', 'req_1', '--reason', 'r'],
  ])('ends with 2 after %s', async (_, ...line) => {
    const { code, stdout, stderr } = await openclawmu(line, { OPENCLAWMU_ADMIN_KEY: 'ak_x' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });

  it.each(['{"status":"ok"}', '[]', 'null', '<html>'])('takes no other server for a gateway: %s', async (answer) => {
    const server = createServer((_, response) => response.end(answer)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const OPENCLAWMU_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await openclawmu(['tenants', 'list'], { OPENCLAWMU_URL, OPENCLAWMU_ADMIN_KEY: 'ak_x' });
    server.closeAllConnections();
    server.close();
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: `openclawmu: What answers at ${OPENCLAWMU_URL} is not OpenClawMU. Check OPENCLAWMU_URL.\n`,
    });
  });

  it('says which requests of a provider no bill has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'openclawmu-cli-'));
    const [theirs, ours, file] = ['theirs.csv', 'ours.csv', 'proposed.jsonl'].map((name) => join(folder, name)) as [
      ...[string, string, string],
    ];
    writeFileSync(
      theirs,
      `provider_request_id,output_tokens\n${Array.from({ length: 12 }, (_, n) => `up-${n},1\n`).join('')}`,
    );
    writeFileSync(ours, 'request_id,provider_request_id,output_tokens,corrects_request_id\r\nreq_a,up-0,2,\r\n');
    const { code, stderr } = await openclawmu(['billing', 'reconcile', theirs, ours, '--propose', file]);
    expect({ code, lines: stderr.trimEnd().split('\n') }).toEqual({
      code: 0,
      lines: [
        expect.stringContaining('has: 11 (up-1, up-2, up-3, up-4, up-5, up-6, up-7, up-8, up-9, up-10, …).'),
        expect.stringContaining('1 corrections are proposed'),
      ],
    });
    expect(readFileSync(file, 'utf8')).toContain('"requestId":"req_a"');
  });

  it.each([
    ['billing', 'reconcile', '/nowhere/export.csv', 'bill.csv'],
    ['billing', 'verify', '/nowhere/statement.manifest.json'],
    ['rates', 'import', '/nowhere/prices.csv'],
    ['audit', 'verify', '--file', '/nowhere/audit.jsonl'],
  ])('says which file is not there: %s %s', async (...line) => {
    const { code, stderr } = await openclawmu(line, { OPENCLAWMU_ADMIN_KEY: 'ak_x' });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `openclawmu: ${line.find((word) => word.startsWith('/'))} cannot be read: there is no such file or folder.\n`,
    });
  });

  it('says which file is no text', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'openclawmu-cli-')), 'export.csv');
    writeFileSync(file, Buffer.from([0xff]));
    const { code, stderr } = await openclawmu(['billing', 'reconcile', file, 'bill.csv']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `openclawmu: ${file} is no text in UTF-8.\n` });
  });

  it('names all lines of a file that are no corrections', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'corrections-')), 'wrong.jsonl');
    writeFileSync(file, '{"requestId":"req_1","reason":"r"}\n\n{"requestId":"req_2"}\n[\n');
    const { code, stderr } = await openclawmu(['ledger', 'correct', '--file', file], { OPENCLAWMU_ADMIN_KEY: 'ak_x' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/Lines 3, 4 are no correction/);
  });

  it('ends with 4 without a key', async () => {
    const { code, stdout, stderr } = await openclawmu(['tenants', 'list']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toContain('openclawmu keys create');
  });

  it('makes an admin key whose hash is the one it prints', async () => {
    const { stdout, stderr } = await openclawmu(['keys', 'create', 'controller', '--role', 'finance', '-q']);
    expect(stdout).toMatch(/^ak_controller_[0-9a-f]{32}\n$/);
    expect(stderr).toContain(`hash: sha256:${createHash('sha256').update(stdout.trim()).digest('hex')}`);
    expect(stderr).toContain('role: finance');
    // A second "adminKeys:" in the file would make it invalid.
    expect(stderr).not.toMatch(/^adminKeys:/m);
  });
});
