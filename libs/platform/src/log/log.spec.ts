import { Secret } from '../secret';
import { createLog, type Log } from './log';
import { NestLogger } from './nest-logger';

const KEY = 'sk-ant-hunter2-hunter2-hunter2';
const TOKEN = `tk_finance_${'0123456789abcdef'.repeat(2)}`;

let lines: string[];
let log: Log;

beforeEach(() => {
  lines = [];
  log = createLog('debug', { write: (line) => lines.push(line) });
});

/** The one line that was written, parsed. */
function written(): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  return JSON.parse(lines[0] as string) as Record<string, unknown>;
}

it('a line is one JSON object with the level’s name and an ISO instant', () => {
  log.warn({ port: 80 }, 'listening\non two lines');
  expect(written()).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    pid: process.pid,
    port: 80,
    msg: 'listening\non two lines',
  });
});

it('lines below the level are not written', () => {
  log = createLog('warn', { write: (line) => lines.push(line) });
  log.info('quiet');
  log.error('loud');
  expect(written()).toMatchObject({ msg: 'loud' });
});

describe('a key never reaches a line', () => {
  it.each<[string, () => void]>([
    ['as a Secret', () => log.info({ apiKey: new Secret(KEY), nested: [{ key: new Secret(KEY) }] }, 'provider')],
    ['in a message', () => log.info(`refused ${KEY} and ${TOKEN}`)],
    ['in a message’s argument', () => log.info('refused %s', KEY)],
    ['in another field', () => log.info({ url: `postgres://u:hunter2@h/d`, body: `{"key":"${KEY}"}` }, 'sent')],
    ['in an error', () => log.error({ err: new Error(`wrong key ${KEY}`) }, 'failed')],
    ['in an error whose words become the message', () => log.error({ err: new Error(`wrong key ${KEY}`) })],
    ['in an error that is the line', () => log.error(new Error(`wrong key ${KEY}`))],
    ['in an error’s first line of several', () => log.error(new Error(`wrong key:\n${KEY}\n${TOKEN}`))],
    ['in an error’s cause', () => log.error({ err: new Error('a', { cause: new Error(`b ${KEY}`) }) }, 'failed')],
    ['in a cause that is no error', () => log.error({ err: new Error('a', { cause: `b\n${KEY}` }) }, 'failed')],
    ['in what was thrown instead of an error', () => log.error({ err: `b\n${KEY}` }, 'failed')],
    ['in a connection string', () => log.error(new Error('connect postgres://u:hunter2@h/d'))],
  ])('%s', (_, write) => {
    write();
    expect(written()).toHaveProperty('msg');
    expect(lines.join()).not.toMatch(/hunter2|0123456789abcdef/);
    expect(lines.join()).toContain('[secret]');
  });
});

describe('an error is told', () => {
  it('by name, code, message, stack and cause', () => {
    const cause = Object.assign(new TypeError('socket closed'), { code: 'ECONNRESET' });
    log.error({ err: new Error('request failed', { cause }) }, 'failed');
    expect(written().err).toEqual({
      name: 'Error',
      message: 'request failed',
      stack: expect.stringContaining('log.spec'),
      cause: expect.objectContaining({ name: 'TypeError', code: 'ECONNRESET', message: 'socket closed' }),
    });
  });

  it('even when errors name each other as their cause', () => {
    const one = new Error('one');
    const two = new Error('two', { cause: one });
    one.cause = two;
    log.error({ err: one }, 'failed');
    expect(written()).toHaveProperty('err.cause.cause.message', 'one');
  });
});

describe('what Nest writes', () => {
  it('goes through the same log, its chatter as debug', () => {
    const nest = new NestLogger(log);
    nest.log('mapped {/health}', 'RouterExplorer');
    nest.warn('odd', 'Injector');
    nest.error(new Error(`no ${KEY}`), 'stack', 'Bootstrap');
    nest.error('words', 'Bootstrap');
    const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(all).toEqual([
      expect.objectContaining({ level: 'debug', context: 'RouterExplorer', msg: 'mapped {/health}' }),
      expect.objectContaining({ level: 'warn', context: 'Injector', msg: 'odd' }),
      expect.objectContaining({
        level: 'error',
        context: 'Bootstrap',
        err: expect.objectContaining({ name: 'Error' }),
      }),
      expect.objectContaining({ level: 'error', context: 'Bootstrap', msg: 'words' }),
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });
});
