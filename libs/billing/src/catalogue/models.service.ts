import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  Clock,
  CodedError,
  Config,
  Database,
  decodeCursor,
  invalidField,
  pageOf,
  type PageQuery,
  type Principal,
  type Tx,
} from '@app/platform';
import { selectRateCardAt } from '../rates/rate-cards.queries';
import { readContent } from '../rates/rate-card';
import { MODEL_PATTERN, modelPattern } from '../rates/rate-card.dto';
import { CatalogueLoader } from './catalogue-loader.service';
import { isConfigured } from './catalogue.service';
import type { ModelPage, ModelView, PutModelDto } from './model.dto';
import { tokenizerOf, type ModelEntry } from './model-entry';
import { deleteModel, selectModel, selectModelPage, upsertModel, type ModelRow } from './models.queries';
import { isPriced } from './priced';

/** The model catalogue: which public names there are and where they lead. */
@Injectable()
export class Models {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly loader: CatalogueLoader,
  ) {}

  /** Creates or replaces an entry; calls that come after it find it. @throws CodedError `validation_failed`, `provider_not_found` */
  async put(principal: Principal, id: string, dto: PutModelDto): Promise<ModelView> {
    checkEntry(id, dto);
    if (!isConfigured(this.config, dto.provider))
      throw new CodedError(
        'provider_not_found',
        `There is no provider "${dto.provider}"; there are ${Object.keys(this.config.current.providers).sort().join(', ') || 'none'}.`,
      );
    const view = await this.database.platform(principal, async (tx) => {
      const before = await selectModel(tx, id, 'FOR UPDATE');
      const { tokenizer = tokenizerOf(dto.upstreamModel) } = dto;
      return this.view(tx, await this.write(tx, { id, ...dto, tokenizer }, before));
    });
    await this.loader.catchUp();
    return view;
  }

  /** Writes an entry with its audit record, inside the caller's transaction. */
  async write(tx: Tx, entry: ModelEntry, before?: ModelRow): Promise<ModelRow> {
    const after = await upsertModel(tx, entry, this.clock.now());
    tx.announce('catalogue', `model:${entry.id}`);
    await this.audit.record(tx, {
      action: before ? 'model.changed' : 'model.created',
      tenant: null,
      target: { kind: 'model', id: entry.id },
      before,
      after,
    });
    return after;
  }

  /** @throws CodedError `model_not_found` */
  show(principal: Principal, id: string): Promise<ModelView> {
    return this.database.platform(principal, async (tx) => {
      const row = MODEL_PATTERN.test(id) && (await selectModel(tx, id));
      if (!row) throw missing(id);
      return this.view(tx, row);
    });
  }

  async list(principal: Principal, { limit, cursor }: PageQuery): Promise<ModelPage> {
    const after = cursor === undefined ? '' : (decodeCursor(cursor, 1)[0] as string);
    if (after !== '' && !MODEL_PATTERN.test(after)) throw new CodedError('cursor_invalid');
    return this.database.platform(principal, async (tx) => {
      const patterns = await this.pricedPatterns(tx);
      const rows = await selectModelPage(tx, after, limit + 1);
      const page = pageOf(
        rows,
        limit,
        ({ id }) => [id],
        (row) => viewOf(row, this.warnings(row, patterns)),
      );
      return { items: [...page.items], nextCursor: page.nextCursor };
    });
  }

  /** @throws CodedError `model_not_found` */
  async remove(principal: Principal, id: string): Promise<void> {
    await this.database.platform(principal, async (tx) => {
      const before = MODEL_PATTERN.test(id) && (await selectModel(tx, id, 'FOR UPDATE'));
      if (!before) throw missing(id);
      await deleteModel(tx, id);
      tx.announce('catalogue', `model:${id}`);
      await this.audit.record(tx, { action: 'model.removed', tenant: null, target: { kind: 'model', id }, before });
    });
    await this.loader.catchUp();
  }

  private async view(tx: Tx, row: ModelRow): Promise<ModelView> {
    return viewOf(row, this.warnings(row, await this.pricedPatterns(tx)));
  }

  private async pricedPatterns(tx: Tx): Promise<readonly string[]> {
    const card = await selectRateCardAt(tx, this.clock.now());
    return card ? readContent(card.version, card.document, card.hash).prices.map(({ model }) => model) : [];
  }

  private warnings({ id, provider }: ModelRow, patterns: readonly string[]): ModelView['warnings'] {
    return [
      ...(isPriced(id, patterns) ? [] : (['not_priced'] as const)),
      ...(isConfigured(this.config, provider) ? [] : (['provider_not_configured'] as const)),
    ];
  }
}

/** @throws CodedError `validation_failed` */
function checkEntry(id: string, { upstreamModel, maxOutputTokens, contextTokens }: PutModelDto): void {
  if (!MODEL_PATTERN.test(id)) throw invalidField('id', modelPattern.message);
  if (upstreamModel === '*' && !id.endsWith('*'))
    throw invalidField('upstreamModel', '"*" is for patterns; name the model');
  if (maxOutputTokens > contextTokens) throw invalidField('maxOutputTokens', 'must not be more than contextTokens');
}

const missing = (id: string): CodedError => new CodedError('model_not_found', `There is no model "${id}".`);

const viewOf = ({ createdAt, updatedAt, ...entry }: ModelRow, warnings: ModelView['warnings']): ModelView => ({
  ...entry,
  warnings,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});
