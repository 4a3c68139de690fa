export class TenantDifferenceView {
  /** @example "finance" */
  tenant!: string;

  /** Calls that are billed at another cost. */
  rows!: number;

  /**
   * What that adds to its bills; negative where it had paid too much.
   * @example "-12.50"
   */
  difference!: string;
}

/** What a rate card for a time in the past makes of the calls that another card had priced. */
export class CardCorrectionPreview {
  /** Calls that it costs otherwise. */
  corrected!: number;

  /** Calls that it costs the same. */
  unchanged!: number;

  /** Calls of models that it does not price; they stay as they are billed. */
  unpriced!: number;

  /** Calls whose cost a person has stated; they stay so. */
  stated!: number;

  /**
   * Of the differences.
   * @example "USD"
   */
  currency!: string;

  /** By how much each tenant's bills change. */
  tenants!: TenantDifferenceView[];
}

export class CardCorrectionView extends CardCorrectionPreview {
  /** Of the rate card. */
  version!: number;

  /** `done` when all calls that were booked at its import are; what is booked later with the former price follows. */
  state!: 'running' | 'done';

  /** @example "The contract has another price since October" */
  reason!: string;

  /** Of calls from this instant on. */
  from!: string;

  /** Of calls before this instant, when the next card takes effect; `null` while there is none. */
  to!: string | null;

  createdAt!: string;

  /** Name of the admin key that imported the card. */
  createdBy!: string;
}
