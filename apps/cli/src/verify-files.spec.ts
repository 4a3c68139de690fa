import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyFiles } from './verify-files';

const folder = mkdtempSync(join(tmpdir(), 'verify-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const time = '2026-11-22T10:00:00.000Z';
const lines: string[] = [];
let hash = '0'.repeat(64);
for (let seq = 1; seq <= 9; seq++) {
  const open = `{"seq":${seq},"time":"${time}","prevHash":"${hash}"`;
  hash = sha256(`${open}}`);
  lines.push(`${open},"hash":"${hash}"}`);
}

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const keyId = sha256(publicKey.export({ type: 'spki', format: 'der' })).slice(0, 16);
const statement = `openclawmu audit checkpoint\n9\n${time}\n${hash}\n${keyId}\n`;
const signature = sign(null, Buffer.from(statement), privateKey).toString('base64');
const checkpoint = JSON.stringify({ seq: 9, time, hash, keyId, signature });

function file(name: string, ...texts: readonly (string | undefined)[]): string {
  const path = join(folder, name);
  writeFileSync(path, texts.map((text) => `${text}\n`).join(''));
  return path;
}
const key = file('key.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString());

test('files that a rotation renamed are read in the order of their records', async () => {
  const rotated = [
    file('audit-2026-11-22.jsonl', ...lines.slice(6)),
    file('audit-2026-11-22.jsonl.1', ...lines.slice(3, 6)),
    file('audit-2026-11-22.jsonl.2', ...lines.slice(0, 3)),
  ];
  expect(await verifyFiles(rotated)).toMatchObject({ ok: true, records: 9 });
});

test('a file whose beginning was damaged is looked for where its name has it', async () => {
  const damaged = [
    file('audit-2026-11-20.jsonl', ...lines.slice(0, 3)),
    file('audit-2026-11-21.jsonl', 'damaged', ...lines.slice(4, 6)),
    file('audit-2026-11-22.jsonl', ...lines.slice(6)),
  ];
  expect((await verifyFiles(damaged)).fault).toMatchObject({ kind: 'unreadable', seq: 4 });
});

test('a key without a checkpoint that it signed is no proof', async () => {
  const day = file('audit-2026-11-23.jsonl', ...lines);
  const cut = file('audit-2026-11-24.jsonl', ...lines.slice(0, 8));
  const [none, one] = [file('checkpoints.jsonl'), file('kept.jsonl', checkpoint)];
  for (const files of [[day], [day, none]])
    await expect(verifyFiles(files, undefined, key)).rejects.toMatchObject({ exitCode: 2 });
  expect(await verifyFiles([day], one, key)).toMatchObject({ ok: true, signatures: 'verified' });
  expect((await verifyFiles([cut], one, key)).fault).toMatchObject({ kind: 'cut' });
  expect(await verifyFiles([day])).toMatchObject({ ok: true, signatures: 'not checked' });
});
