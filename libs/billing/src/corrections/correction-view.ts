import { formatNanos } from '@app/platform';
import { requestId } from '../reports/usage-record';
import type { Booked } from './booking.service';
import type { Repriced } from './correction';
import type { BilledView, CorrectionView } from './correction.dto';

export const billedView = ({ counts, webSearches, rateCard, formula, costNanos }: Repriced): BilledView => ({
  tokens: { ...counts },
  webSearches,
  rateCard,
  formula,
  cost: formatNanos(costNanos),
});

export const correctionView = (
  { id, row, after, difference: { costNanos }, reason }: Booked,
  currency: string | null,
): CorrectionView => ({
  requestId: requestId(id),
  corrects: requestId(row.id),
  before: billedView(row),
  after: billedView(after),
  difference: formatNanos(costNanos),
  currency,
  reason,
});
