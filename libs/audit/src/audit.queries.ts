import { Injectable } from '@nestjs/common';
import { CodedError, Database, decodeCursor, pageOf, type Principal } from '@app/platform';
import type { AuditPageView, AuditQuery, AuditRecordView } from './audit.dto';

interface Row {
  readonly seq: bigint;
  readonly line: string;
}

const SEQ = /^\d{1,18}$/;

/** Reads the audit log. */
@Injectable()
export class AuditRecords {
  constructor(private readonly database: Database) {}

  /** Newest first. @throws CodedError `cursor_invalid` */
  async list(principal: Principal, query: AuditQuery): Promise<AuditPageView> {
    const { tenant, action, actor, outcome, since, until, afterSeq, cursor, limit } = query;
    const [before] = cursor === undefined ? [] : decodeCursor(cursor, 1);
    if (before !== undefined && !SEQ.test(before)) throw new CodedError('cursor_invalid');
    const rows = await this.database.platform(principal, (tx) =>
      tx.query<Row>(
        `SELECT seq, line FROM audit_records
         WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR action = $2)
           AND ($3::text IS NULL OR actor_id = $3) AND ($4::text IS NULL OR outcome = $4)
           AND ($5::timestamptz IS NULL OR time >= $5) AND ($6::timestamptz IS NULL OR time < $6)
           AND ($7::bigint IS NULL OR seq > $7) AND ($8::bigint IS NULL OR seq < $8)
         ORDER BY seq DESC LIMIT $9`,
        [tenant, action, actor, outcome, since, until, afterSeq, before, limit + 1].map((value) => value ?? null),
      ),
    );
    return pageOf(
      rows,
      limit,
      ({ seq }) => [seq.toString()],
      ({ line }) => JSON.parse(line) as AuditRecordView,
    );
  }
}
