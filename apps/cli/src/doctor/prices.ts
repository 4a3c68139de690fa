import type { Cli } from '../cli';
import { CliError } from '../exit-code';
import { note, type Finding } from './finding';

interface Model {
  readonly id: string;
  readonly warnings: readonly string[];
}

/** Models whose calls are refused for want of a price. Says nothing when there are none, nor when nobody can be asked. */
export async function examinePrices(gateway: Cli['gateway']): Promise<Finding[]> {
  try {
    const models = await gateway.all<Model>('/api/v1/admin/models');
    const names = models.filter(({ warnings }) => warnings.includes('not_priced')).map(({ id }) => id);
    if (names.length === 0) return [];
    return [
      note(
        'prices',
        `calls are refused because the rate card in force has no price for ${names.join(', ')}`,
        'Price them: openclawmu rates import FILE --merge',
      ),
    ];
  } catch (error) {
    if (error instanceof CliError) return [];
    throw error;
  }
}
