import type { Tx } from '@app/platform';

/** What a process asks for: so many wait, and so many more are likely to come. */
export interface MinuteWish {
  readonly key: string;
  readonly minute: Date;
  readonly limit: number;
  readonly waiting: number;
  readonly ahead: number;
}

/** Requests that this process may let through, and how many of the minute all processes have taken. */
export interface MinuteGrant {
  readonly granted: number;
  readonly taken: number;
}

/** Of what nobody waits for, one process takes at most this share at a time, so that others find some too. */
const SHARE = 8;

/** For those who wait as far as it goes; ahead of them a share that shrinks as the limit comes near. */
const chunkOf = (left: string): string => `least(${left}, greatest($4::int, least($5::int, (${left}) / ${SHARE})))`;

/**
 * Takes requests of a minute for this process, in one conditional statement.
 * @returns nothing granted when the minute has none left
 */
export async function takeRequests(tx: Tx, { key, minute, limit, waiting, ahead }: MinuteWish): Promise<MinuteGrant> {
  const [grant] = await tx.query<MinuteGrant>(
    `INSERT INTO request_minutes AS m (key, minute, most, taken, granted)
     VALUES ($1, $2, $3, ${chunkOf('$3::int')}, ${chunkOf('$3::int')})
     ON CONFLICT (key, minute) DO UPDATE SET most = excluded.most,
       taken = m.taken + ${chunkOf('excluded.most - m.taken')}, granted = ${chunkOf('excluded.most - m.taken')}
     WHERE m.taken < excluded.most RETURNING granted, taken`,
    [key, minute, limit, waiting, ahead],
  );
  return grant ?? { granted: 0, taken: limit };
}

export const forgetMinutesBefore = (tx: Tx, instant: Date): Promise<unknown[]> =>
  tx.query('DELETE FROM request_minutes WHERE minute < $1', [instant]);
