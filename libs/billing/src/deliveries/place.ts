import type { DeliveryConfig, GatewayConfig } from '@app/platform';
import type { Destination } from './destination';
import { FolderDestination } from './folder-destination';
import { S3Destination, type S3Settings } from './s3-destination';

export const destinationOf = ({ folder, s3 }: DeliveryConfig['to'], egress: GatewayConfig['egress']): Destination =>
  folder === undefined ? new S3Destination(s3 as S3Settings, egress) : new FolderDestination(folder);

/** For people; it has no secret in it. */
export const placeOf = ({ folder, s3 }: DeliveryConfig['to']): string =>
  folder ?? ['s3:/', s3?.bucket, ...(s3?.prefix ? [s3.prefix] : [])].join('/');
