import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  Clock,
  CodedError,
  Database,
  decodeCursor,
  once,
  pageOf,
  type PageQuery,
  type Principal,
  type Tx,
} from '@app/platform';
import { CatalogueLoader } from '../catalogue/catalogue-loader.service';
import { readContent, type RateCardContent } from './rate-card';
import type { ImportRateCardDto, RateCardDetail, RateCardPage, RateCardView } from './rate-card.dto';
import {
  insertRateCard,
  lockRateCards,
  selectRateCard,
  selectRateCardAt,
  selectRateCardPage,
  type RateCardRow,
} from './rate-cards.queries';

/** The versions of the price list. A card is never changed: a new price is a new version with the moment it takes effect. */
@Injectable()
export class RateCards {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly loader: CatalogueLoader,
  ) {}

  /**
   * Calls that come after it, to this process, are priced by it if it is in force.
   * @throws CodedError `validation_failed`, `rate_card_in_past`, `rate_card_conflict`
   */
  async import(principal: Principal, dto: ImportRateCardDto, idempotencyKey?: string): Promise<RateCardDetail> {
    const card = await this.database.platform(principal, (tx) =>
      once(tx, idempotencyKey, dto, async () => {
        const now = this.clock.now();
        return detail(await this.add(tx, contentOf(dto, now), now), now, await this.versionAt(tx, now));
      }),
    );
    await this.loader.catchUp();
    return card;
  }

  /** Stores a card as the next version, with its audit record, inside the caller's transaction. */
  async add(tx: Tx, content: RateCardContent, now: Date): Promise<RateCardRow> {
    if (content.effectiveAt < now) throw new CodedError('rate_card_in_past');
    const { last, currency, clash } = await lockRateCards(tx, content.effectiveAt);
    if (clash !== null) throw new CodedError('rate_card_conflict', `Rate card ${clash} takes effect at that moment.`);
    if (currency !== null && currency !== content.currency)
      throw invalid('currency', `must be ${currency} as on the cards before: one gateway bills in one currency`);
    const row = await insertRateCard(tx, last + 1, content, now);
    const { version, hash } = row;
    tx.announce('catalogue', `rate_card:${version}`);
    await this.audit.record(tx, {
      action: 'rate_card.imported',
      tenant: null,
      target: { kind: 'rate_card', id: String(version) },
      after: {
        version,
        sha256: hash,
        effectiveAt: content.effectiveAt,
        currency: content.currency,
        models: content.prices.length,
      },
    });
    return row;
  }

  async list(principal: Principal, { limit, cursor }: PageQuery): Promise<RateCardPage> {
    const before = cursor === undefined ? String(2 ** 31 - 1) : (decodeCursor(cursor, 1)[0] as string);
    if (!/^\d{1,10}$/.test(before) || Number(before) >= 2 ** 31) throw new CodedError('cursor_invalid');
    return this.database.platform(principal, async (tx) => {
      const now = this.clock.now();
      const current = await this.versionAt(tx, now);
      const rows = await selectRateCardPage(tx, Number(before), limit + 1);
      const page = pageOf(
        rows,
        limit,
        ({ version }) => [String(version)],
        (row) => view(row, now, current),
      );
      return { items: [...page.items], nextCursor: page.nextCursor };
    });
  }

  /** @throws CodedError `rate_card_not_found` */
  show(principal: Principal, version: string): Promise<RateCardDetail> {
    return this.find(principal, async (tx) =>
      /^\d{1,9}$/.test(version) ? selectRateCard(tx, Number(version)) : undefined,
    );
  }

  /** The card in force at an instant. @throws CodedError `rate_card_not_found` */
  inForce(principal: Principal, at: Date = this.clock.now()): Promise<RateCardDetail> {
    return this.find(principal, (tx) => selectRateCardAt(tx, at));
  }

  private find(principal: Principal, select: (tx: Tx) => Promise<RateCardRow | undefined>): Promise<RateCardDetail> {
    return this.database.platform(principal, async (tx) => {
      const row = await select(tx);
      if (!row) throw new CodedError('rate_card_not_found');
      const now = this.clock.now();
      return detail(row, now, await this.versionAt(tx, now));
    });
  }

  private async versionAt(tx: Tx, at: Date): Promise<number | undefined> {
    return (await selectRateCardAt(tx, at))?.version;
  }
}

/** @throws CodedError `validation_failed` when a model is priced twice */
function contentOf({ effectiveAt, currency, note, prices }: ImportRateCardDto, now: Date): RateCardContent {
  const seen = new Set<string>();
  for (const [index, { model }] of prices.entries()) {
    if (seen.has(model)) throw invalid(`prices.${index}.model`, `prices "${model}" a second time`);
    seen.add(model);
  }
  return { effectiveAt: effectiveAt === undefined ? now : new Date(effectiveAt), currency, note: note ?? '', prices };
}

const invalid = (field: string, problem: string): CodedError =>
  new CodedError('validation_failed', `${field}: ${problem}.`, { details: { fields: [{ field, problem }] } });

function detail(row: RateCardRow, now: Date, current: number | undefined): RateCardDetail {
  const { prices } = readContent(row.version, row.document, row.hash);
  return { ...view(row, now, current), prices: prices as RateCardDetail['prices'] };
}

function view(row: RateCardRow, now: Date, current: number | undefined): RateCardView {
  const { version, effectiveAt, currency, document, hash, createdAt, createdBy } = row;
  const { note, prices } = readContent(version, document, hash);
  const state = version === current ? 'in_force' : effectiveAt > now ? 'scheduled' : 'past';
  return {
    version,
    state,
    effectiveAt: effectiveAt.toISOString(),
    currency,
    note,
    hash,
    models: prices.length,
    createdAt: createdAt.toISOString(),
    createdBy,
  };
}
