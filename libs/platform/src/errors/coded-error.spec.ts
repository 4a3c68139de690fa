import { ERRORS } from './catalogue';
import { CodedError } from './coded-error';

it('takes the catalogue’s title where there is nothing to add', () => {
  expect(new CodedError('tenant_exists').message).toBe(ERRORS.tenant_exists.title);
  expect(new CodedError('tenant_exists', 'There is a tenant "a".').message).toBe('There is a tenant "a".');
});

it('is an error with a code, its entry and its cause', () => {
  const cause = new Error('deadlock');
  const error = new CodedError('database_unavailable', undefined, { cause, headers: { 'retry-after': '1' } });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'CodedError', code: 'database_unavailable', details: {} });
  expect([error.cause, error.entry]).toEqual([cause, ERRORS.database_unavailable]);
  expect(error.headers).toEqual({ 'retry-after': '1' });
});
