import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { ImportRateCardDto } from './rate-card.dto';

const isTaken = (input: string): boolean =>
  validateSync(plainToInstance(ImportRateCardDto, { currency: 'USD', prices: [{ model: 'm', input, output: '1' }] }))
    .length === 0;

it.each(['0', '2.50', '999999.999999999', '1000000', '1000000.00'])('a price may be %s', (price) => {
  expect(isTaken(price)).toBe(true);
});

it.each(['-1', '1000000.000000001', '1000000.999', '1000001', '1.0000000001', '1e3', '.5', ''])(
  'a price may not be %p',
  (price) => {
    expect(isTaken(price)).toBe(false);
  },
);
