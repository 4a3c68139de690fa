import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Of each connection, the responses that wait for their turn on it. */
const queues = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Sees to it that a response is closed with its connection. Where a client sends one request behind the other without waiting for answers,
 * Node.js tells only the response whose turn it is, and the calls behind it would go on for nobody, at a cost.
 */
export function closeWithConnection({ socket }: IncomingMessage, response: ServerResponse): void {
  // It is its turn.
  if (response.socket !== null) return;
  const queue = queues.get(socket) ?? queueOf(socket);
  queue.add(response);
  response.once('socket', () => queue.delete(response));
}

function queueOf(socket: Socket): Set<ServerResponse> {
  const queue = new Set<ServerResponse>();
  queues.set(socket, queue);
  socket.once('close', () => {
    for (const response of queue) {
      response.destroy();
      response.emit('close');
    }
  });
  return queue;
}
