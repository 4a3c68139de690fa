import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A provider that costs next to nothing: the same answer to everything, at once. Prints its origin. */
const ANSWER = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion',
    created: 1_795_300_000,
    model: 'fake',
    choices: [{ index: 0, message: { role: 'assistant', content: 'lorem '.repeat(100) }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 250, completion_tokens: 100, total_tokens: 350 },
  }),
);

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length }).end(ANSWER);
  });
});
server.listen(0, '127.0.0.1', () =>
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
);
