import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { Audit } from '@app/audit';
import { CodedError, Config, Database, decodeCursor, pageOf, type Page, type Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { open } from './envelope';
import { contextOf, unpack, type PromptEntry, type PromptHead } from './prompt-entry';
import { openingKey } from './prompt-keys';
import type { ListPrompts, PromptHeadView, PromptView } from './prompt.dto';
import { findPrompt, findPrompts, type PromptRow } from './prompts.queries';

const inflate = promisify(inflateRaw);
const REQUEST_ID = /^req_[0-9a-f]{32}$/;

/** What is kept of calls, for administrators. Each look is recorded before anything of it leaves. */
@Injectable()
export class PromptReading {
  constructor(
    private readonly config: Config,
    private readonly db: Database,
    private readonly audit: Audit,
  ) {}

  /** Of one tenant, newest first, without the texts. @throws CodedError `cursor_invalid` */
  list(principal: Principal, { tenant, from, to, limit, cursor }: ListPrompts): Promise<Page<PromptHeadView>> {
    const filter = {
      tenantId: tenant,
      from: from === undefined ? null : new Date(from),
      to: to === undefined ? null : new Date(to),
      before: cursor === undefined ? null : beforeOf(cursor),
      most: limit + 1,
    };
    return this.db.platform(principal, async (tx) => {
      const page = pageOf(
        await findPrompts(tx, filter),
        limit,
        ({ at, requestId }) => [at.toISOString(), requestId],
        headView,
      );
      await this.audit.record(tx, {
        action: 'prompts.listed',
        tenant,
        target: { kind: 'prompts', id: tenant },
        after: { from: from ?? null, to: to ?? null, entries: page.items.length },
      });
      return page;
    });
  }

  /** @throws CodedError `prompt_not_found`, `prompt_key_missing`, `prompt_damaged` */
  show(principal: Principal, requestId: string): Promise<PromptView> {
    if (!REQUEST_ID.test(requestId)) throw new CodedError('prompt_not_found');
    return this.db.platform(principal, async (tx) => {
      const row = await findPrompt(tx, requestId);
      if (!row) throw new CodedError('prompt_not_found');
      const { request, answer } = await this.opened(row);
      await this.audit.record(tx, {
        action: 'prompt.read',
        tenant: row.tenantId,
        target: { kind: 'prompt', id: requestId },
        after: { at: row.at.toISOString(), tokenId: row.tokenId },
      });
      return { ...headView(row), request: request.toString('utf8'), answer: answer.toString('utf8') };
    });
  }

  private async opened(row: PromptRow): Promise<Pick<PromptEntry, 'request' | 'answer'>> {
    const { id, bytes } = openingKey(this.config.current.promptLog, row.keyId);
    try {
      return unpack(await inflate(open(bytes, contextOf(id, row), row)));
    } catch (cause) {
      throw new CodedError('prompt_damaged', undefined, { cause });
    }
  }
}

function beforeOf(cursor: string): readonly [Date, string] {
  const [at, requestId] = decodeCursor(cursor, 2) as [string, string];
  const date = new Date(at);
  if (Number.isNaN(date.getTime()) || !REQUEST_ID.test(requestId)) throw new CodedError('cursor_invalid');
  return [date, requestId];
}

const headView = (row: PromptHead & { readonly keyId: string }): PromptHeadView => ({
  requestId: row.requestId,
  at: row.at.toISOString(),
  tenant: row.tenantId,
  tokenId: row.tokenId,
  model: row.model,
  api: row.api,
  status: row.status,
  requestBytes: row.requestBytes,
  answerBytes: row.answerBytes,
  whole: row.isWhole,
  keyId: row.keyId,
});
