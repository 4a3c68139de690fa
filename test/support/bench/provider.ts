import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A provider that costs next to nothing. How it answers is said by the model's name: `fake` at once, `fake-l20` after 20 ms,
 * `fake-n50-g10` (if it is to be streamed) in 50 chunks 10 ms apart. Prints its origin.
 */
const MODEL = /"model":"fake((?:-[lng]\d+)*)"/;
const STREAM = '"stream":true';
const NO_WAIT = { l: 0, n: 20, g: 0 };

const head = { id: 'chatcmpl-bench', created: 1_795_300_000, model: 'fake' };
const usage = { prompt_tokens: 250, completion_tokens: 100, total_tokens: 350 };
const ANSWER = Buffer.from(
  JSON.stringify({
    ...{ ...head, object: 'chat.completion', usage },
    choices: [{ index: 0, message: { role: 'assistant', content: 'lorem '.repeat(100) }, finish_reason: 'stop' }],
  }),
);
const event = (data: object): string =>
  `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...data })}\n\n`;
const FIRST = event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] });
const CHUNK = event({ choices: [{ index: 0, delta: { content: 'lorem ipsum ' }, finish_reason: null }] });
const LAST = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const END = `${LAST}${event({ choices: [], usage })}data: [DONE]\n\n`;

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.once('end', () => {
    const body = Buffer.concat(parts).toString('latin1');
    const wanted = { ...NO_WAIT };
    for (const [, key, value] of (MODEL.exec(body)?.[1] ?? '').matchAll(/-([lng])(\d+)/g))
      wanted[key as keyof typeof wanted] = Number(value);
    const answer = body.includes(STREAM) ? () => stream(response, wanted) : () => whole(response);
    if (wanted.l === 0) answer();
    else setTimeout(answer, wanted.l);
  });
});

function whole(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER);
}

function stream(response: ServerResponse, { n, g }: { n: number; g: number }): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(FIRST);
  let left = n;
  const next = (): void => {
    if (response.destroyed) return;
    if (left-- === 0) return void response.end(END);
    response.write(CHUNK);
    if (g === 0) setImmediate(next);
    else setTimeout(next, g);
  };
  next();
}

server.listen(0, '127.0.0.1', 4_096, () =>
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
);
