import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'express';
import type { Report } from './report';

/**
 * Writes a report as the response, as fast as it is read and no faster. If it breaks off, the connection is cut: an
 * answer that ended properly would pass for a whole bill.
 */
export async function sendReport(report: Report<unknown>, response: Response): Promise<void> {
  await sendCsv(report.csv(), report.filename, response, {
    'x-report-schema': report.schema,
    'x-report-as-of': report.selection.asOf.toISOString(),
  });
}

/** The same for any CSV that is made as it is sent. Tells whether all of it was sent, and the caller stayed to its end. */
export async function sendCsv(
  chunks: AsyncGenerator<string>,
  filename: string,
  response: Response,
  headers: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  // What goes wrong before the first byte is still answered as an error.
  const header = await chunks.next();
  const first = await chunks.next();
  response.set({
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': `attachment; filename="${filename}"`,
    'cache-control': 'no-store',
    ...headers,
  });
  // Whoever asks for the head alone has nothing in hand.
  if (response.req.method === 'HEAD') {
    await chunks.return(undefined);
    response.end();
    return false;
  }
  const all = async function* (): AsyncGenerator<string> {
    for (const { value, done } of [header, first]) if (!done) yield value;
    yield* chunks;
  };
  try {
    await pipeline(Readable.from(all()), response);
    return true;
  } catch (error) {
    // A caller that leaves is no error of ours.
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    return false;
  }
}
