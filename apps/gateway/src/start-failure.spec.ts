import { explainStartFailure } from './start-failure';

const refusal = (code: string, message: string) => Object.assign(new Error(message), { code, severity: 'FATAL' });

describe('why the database did not let the gateway in', () => {
  test.each([
    ['a pooler', refusal('08P01', 'unsupported startup parameter: options'), 'connect to PostgreSQL directly'],
    ['a closed database', refusal('55000', 'it is not accepting connections'), 'Check DATABASE_URL'],
    ['a wrong password', refusal('28P01', 'password authentication failed'), 'Check DATABASE_URL'],
  ])('%s is told in a paragraph with what to do, and no stack', (_, error, remedy) => {
    const told = explainStartFailure(error);
    expect(told).toMatch(`The database refused the gateway: ${error.message}. `);
    expect(told).toMatch(remedy);
    expect(told).not.toMatch(/\n/);
  });
});
