import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';

/** A relay without any duty, the least that Node.js can do: the measure for everything that has some. Prints its origin. */
const provider = new Pool(process.argv[2] as string, { connections: null, pipelining: 1 });

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.once('end', () => {
    const body = Buffer.concat(parts);
    const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
    provider.dispatch(
      { path: request.url as string, method: 'POST', headers, body },
      {
        onRequestStart: () => undefined,
        onResponseStart: (_, status, from) => {
          const { 'content-type': type = '', 'content-length': length } = from;
          response.writeHead(status, {
            'content-type': String(type),
            ...(length === undefined ? {} : { 'content-length': String(length) }),
          });
        },
        onResponseData: (_, chunk) => void response.write(chunk),
        onResponseEnd: () => void response.end(),
        onResponseError: () => void response.destroy(),
      },
    );
  });
});
server.listen(0, '127.0.0.1', () =>
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`),
);
