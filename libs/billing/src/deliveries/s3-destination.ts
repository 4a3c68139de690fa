import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { egressOf, outboundAgent, type DeliveryConfig, type Egress, type GatewayConfig } from '@app/platform';
import type { Destination } from './destination';

export type S3Settings = NonNullable<DeliveryConfig['to']['s3']>;

/** Two parts are under way at most, and one is gathered; S3 takes 10,000 of them, so a file may have 80 GB. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** How long a connection may take to stand, and how long it may be silent. */
const PATIENCE = { connectMs: 10_000, silenceMs: 120_000 };

/** A bucket of S3 or of a server that speaks its protocol. An upload is seen when it is completed, never in parts. */
export class S3Destination implements Destination {
  readonly #egress: Egress;

  constructor(
    private readonly settings: S3Settings,
    general: GatewayConfig['egress'],
    private readonly patience = PATIENCE,
  ) {
    // A bucket outside may have a private address too, by an endpoint in one's own cloud. TLS tells that it is the one.
    this.#egress = { ...egressOf(settings, general, patience.connectMs), internal: true };
  }

  async write(path: string, chunks: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
    const { bucket: Bucket, prefix, serverSideEncryption } = this.settings;
    const Key = prefix ? `${prefix}/${path}` : path;
    const client = await this.connect();
    const { Upload } = await import('@aws-sdk/lib-storage');
    const abortController = new AbortController();
    const abort = (): void => abortController.abort();
    signal.addEventListener('abort', abort);
    try {
      signal.throwIfAborted();
      await removeAbandoned(client, Bucket, Key);
      const upload = new Upload({
        client,
        params: {
          Bucket,
          Key,
          Body: Readable.from(bytesOf(chunks), { objectMode: false }),
          ContentType: path.endsWith('.json') ? 'application/json' : 'text/csv; charset=utf-8; header=present',
          ...(serverSideEncryption && { ServerSideEncryption: serverSideEncryption }),
        },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
        abortController,
      });
      await upload.done();
    } finally {
      signal.removeEventListener('abort', abort);
      client.destroy();
    }
  }

  /** The SDK is loaded by the first delivery: it takes longer than all else at start, and most gateways need none. */
  private async connect(): Promise<S3Client> {
    const { S3Client } = await import('@aws-sdk/client-s3');
    const { region, endpoint, forcePathStyle, accessKeyId, secretAccessKey } = this.settings;
    return new S3Client({
      region,
      forcePathStyle,
      credentials: { accessKeyId, secretAccessKey: secretAccessKey.reveal() },
      requestHandler: {
        httpAgent: outboundAgent('http:', this.#egress),
        httpsAgent: outboundAgent('https:', this.#egress),
        // The SDK's `requestTimeout` ends nothing: it only warns.
        socketTimeout: this.patience.silenceMs,
      },
      // Other servers than Amazon's may not know the checksums that the SDK adds where none is required.
      ...(endpoint !== undefined && { endpoint, requestChecksumCalculation: 'WHEN_REQUIRED' }),
    });
  }
}

async function* bytesOf(chunks: AsyncIterable<string>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

/** Parts that a killed process has left take room unseen. Who may not list them has a lifecycle rule for that. */
async function removeAbandoned(client: S3Client, Bucket: string, Key: string): Promise<void> {
  const { AbortMultipartUploadCommand, ListMultipartUploadsCommand } = await import('@aws-sdk/client-s3');
  try {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
    for (const { Key: found, UploadId } of Uploads)
      if (found === Key) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  } catch {
    // What is really wrong, the upload will tell.
  }
}
